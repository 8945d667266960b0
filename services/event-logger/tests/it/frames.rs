//! What a frame says. Pure.

use crate::support::{MENDED, TAPE, fill, frame, main_account, raw};
use bus::{FrameKind, IngestFrame};
use domain::Timestamp;
use event_logger::{
    parse::{PARSERS, own},
    record,
};
use events::*;
use replica::Recorder;

fn recorder() -> Recorder {
    Recorder { unit: event_logger::unit(), tape: TAPE, clock: Clock::Wall }
}

fn parsed(text: &str) -> Result<Vec<Event>, String> {
    PARSERS.parse(main_account(), own::CONTENT_TYPE, text.as_bytes())
}

fn refused(text: &str, why: &str) {
    let error = parsed(text).unwrap_err();
    assert!(error.contains(why), "{text}\n{error}");
}

fn written(event: &Event) -> String {
    format!(r#"[{{"kind":"{}","body":{}}}]"#, event.kind().name(), event.body())
}

#[test]
fn tapedecks_own_encoding_is_read() {
    let body = fill(1).body();
    let two = format!(
        r#"[ {{"kind":"order.filled","schema":1,"body":{body}}},
            {{"kind":"order.filled","body":{}}} ]"#,
        fill(2).body()
    );
    assert_eq!(parsed(&two), Ok(vec![fill(1), fill(2)]));
    assert_eq!(parsed("[]"), Ok(vec![]));
    let with_charset = format!("{}; charset=utf-8", own::CONTENT_TYPE.to_uppercase());
    let read = PARSERS.parse(main_account(), &with_charset, written(&fill(1)).as_bytes());
    assert_eq!(read, Ok(vec![fill(1)]));
}

#[test]
fn a_frame_is_taken_whole_or_not_at_all_and_says_why() {
    let good = fill(1).body();
    refused("", "no array of events");
    refused("{}", "no array of events");
    refused(r#"[{"kind":"order.filled","body":{}}]"#, "event 1 of the frame: 'order.filled' cannot be read");
    refused(r#"[{"kind":"order.filled","body":{},"more":1}]"#, "unknown field `more`");
    let second = format!(r#"[{{"kind":"order.filled","body":{good}}},{{"kind":"moon.risen","body":{{}}}}]"#);
    refused(&second, "event 2 of the frame: unknown event kind 'moon.risen'");
    let newer = format!(r#"[{{"kind":"order.filled","schema":2,"body":{good}}}]"#);
    refused(&newer, "upgrade");
}

#[test]
fn only_facts_of_the_frames_own_account_are_taken() {
    let stranger = fill(1).body().replace("binance:main", "binance:second");
    refused(&format!(r#"[{{"kind":"order.filled","body":{stranger}}}]"#), "binance:second on the stream");
    let account = main_account();
    let said = CancelRequested {
        account,
        instrument: "binance:spot:BTCUSDT".parse().unwrap(),
        order: "td1".parse().unwrap(),
        request: 1,
    };
    let halted = TradingStateChanged {
        account: Some(account),
        state: TradingState::Active,
        who: "an adapter".to_owned(),
        why: String::new(),
        until: None,
    };
    let opened =
        StreamOpened { account, replica: "a".into(), stream: "user-data".into(), at: Timestamp::ZERO };
    for saying in [said.into(), halted.into(), opened.into()] {
        refused(&written(&saying), "is no fact that the stream of an account can tell");
    }
    refused(&written(&TimePassed { now: Timestamp::ZERO }.into()), "belongs to no account");
}

#[test]
fn a_fact_is_the_same_from_both_replicas_and_names_its_frame() {
    let [one, two] =
        ["a", "b"].map(|replica| record::read(&recorder(), PARSERS, &frame(replica, &[fill(5)])));
    let (first, second) = (&one.facts[0], &two.facts[0]);
    assert_eq!(Some(first.draft.id), ids::of_fact(TAPE, &fill(5)));
    assert_eq!(first.draft.id, second.draft.id);
    assert!(first.draft.same_fact(&second.draft));
    assert_eq!(first.draft.at, Timestamp::from_millis(5), "the venue's time");
    let frame = one.kept.unwrap();
    let meta = format!(r#"{{"replica":"a","frame":"{}"}}"#, FrameHash(frame.hash));
    assert_eq!(first.draft.meta.as_deref(), Some(meta.as_str()));
    assert_ne!(first.draft.meta, second.draft.meta);
}

#[test]
fn a_connection_is_a_fact_of_its_replica() {
    let opened =
        |replica| IngestFrame { kind: FrameKind::Opened, bytes: Vec::new(), ..raw(replica, "", b"") };
    let [one, two] = ["a", "b"].map(|replica| record::read(&recorder(), PARSERS, &opened(replica)));
    let event = StreamOpened {
        account: main_account(),
        replica: "a".into(),
        stream: "user-data".into(),
        at: Timestamp::from_millis(77),
    };
    assert_eq!(one.facts[0].event, event.into());
    assert_ne!(one.facts[0].draft.id, two.facts[0].draft.id);
    assert_eq!(one.kept, None, "there is nothing to keep");
}

#[test]
fn what_cannot_be_read_is_quarantined_with_its_bytes() {
    let [one, two] = ["a", "b"].map(|replica| raw(replica, "text/fills", b"7\n\xff"));
    let reading = record::read(&recorder(), PARSERS, &one);
    let Event::Frame(FrameEvent::Quarantined(quarantined)) = &reading.facts[0].event else {
        panic!("{reading:?}")
    };
    assert_eq!(quarantined.bytes.0, one.bytes);
    assert_eq!(quarantined.frame, FrameHash(reading.kept.as_ref().unwrap().hash));
    assert!(quarantined.why.contains("no parser for 'text/fills'"), "{}", quarantined.why);
    assert!(quarantined.why.contains("the adapter for binance"), "{}", quarantined.why);
    let again = record::read(&recorder(), MENDED, &two);
    assert_eq!(again.facts[0].draft.id, reading.facts[0].draft.id, "once for each frame");
    assert!(again.facts[0].draft.same_fact(&reading.facts[0].draft), "whatever this build lacks");
    assert_eq!(record::read(&recorder(), MENDED, &raw("a", "text/fills", b"7\n8")).facts.len(), 2);
}
