//! `web-socket-api.md`, "User Data Stream requests": a connection that is kept.

use super::{
    client, run,
    server::{Peer, Reply, Request, Server, time},
    setup,
};
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::Message;
use venue_binance::{
    net::{Delivery, Rest, Streams, Unheard, UserData},
    sign::Signer,
};

fn script(request: &Request) -> Reply {
    match &*request.what {
        "GET /api/v3/time" => time(0),
        "GET /ws-api/v3" => Reply::Upgrade,
        other => panic!("{other}"),
    }
}

async fn next(stream: &mut UserData) -> Delivery {
    timeout(Duration::from_secs(20), stream.next()).await.expect("a delivery").expect("a stream")
}

/// What it is, in a word; a frame as its text.
async fn word(stream: &mut UserData) -> String {
    match next(stream).await {
        Delivery::Opened(connected) => {
            format!("opened {} {:?}", connected.connection, connected.subscription)
        }
        Delivery::Frame { bytes, .. } => String::from_utf8(bytes).unwrap(),
        Delivery::Away { .. } => "away".to_owned(),
    }
}

const BALANCE: &str = r#"{"subscriptionId":5,"event":{"e":"balanceUpdate","E":1,"a":"BTC","d":"1.0","T":1}}"#;

#[test]
fn the_subscription_is_signed_and_frames_come_as_they_were_sent() {
    run(async {
        let mut server = Server::start(script).await;
        let mut stream = UserData::open(&client(&server));
        let mut peer = server.socket().await;
        let asked = peer.subscribe(5).await;
        assert_eq!(asked["method"], "userDataStream.subscribe.signature");
        let params = &asked["params"];
        let payload =
            format!("apiKey=key&recvWindow={}&timestamp={}", params["recvWindow"], params["timestamp"]);
        let verifier = Signer::from_secret(super::SECRET).unwrap().verifier();
        assert!(verifier.verify(&payload, params["signature"].as_str().unwrap()));
        assert_eq!(word(&mut stream).await, "opened 1 Some(5)");
        // Whatever it is and however it is written: what it means is not for the one who carries it.
        for frame in [BALANCE, r#"{ "event" : {"e":"ofTomorrow"} }"#, "no json", "[]", ""] {
            peer.say(frame).await;
            assert_eq!(word(&mut stream).await, frame);
        }
    });
}

#[test]
fn frames_that_come_before_the_subscriptions_answer_are_not_lost() {
    run(async {
        let mut server = Server::start(script).await;
        let mut stream = UserData::open(&client(&server));
        let mut peer = server.socket().await;
        let asked = peer.hear().await;
        peer.say(BALANCE).await;
        peer.say(json!({"id": asked["id"], "status": 200, "result": {"subscriptionId": 0}})).await;
        assert_eq!(word(&mut stream).await, "opened 1 Some(0)");
        assert_eq!(word(&mut stream).await, BALANCE);
    });
}

#[test]
fn a_connection_that_breaks_is_made_anew_and_said_so() {
    run(async {
        let mut server = Server::start(script).await;
        let mut stream = UserData::open(&client(&server));
        for n in 1..=3 {
            let mut peer = server.socket().await;
            peer.subscribe(0).await;
            assert_eq!(word(&mut stream).await, format!("opened {n} Some(0)"));
            match n {
                // Half-way through the frame, with a goodbye, without one.
                1 => peer.stream.close(None).await.unwrap(),
                _ => drop(peer),
            }
            assert_eq!(word(&mut stream).await, "away");
        }
    });
}

#[test]
fn pings_are_answered_with_their_own_words() {
    run(async {
        let mut server = Server::start(script).await;
        let mut stream = UserData::open(&client(&server));
        let mut peer = server.socket().await;
        peer.subscribe(0).await;
        assert_eq!(word(&mut stream).await, "opened 1 Some(0)");
        peer.stream.send(Message::Ping("1700000000000".into())).await.unwrap();
        let answer = timeout(Duration::from_secs(20), peer.stream.next()).await.unwrap();
        assert_eq!(answer.unwrap().unwrap(), Message::Pong("1700000000000".into()));
    });
}

/// Nothing is closed, nothing is reset, nothing comes.
#[test]
fn a_silent_connection_is_given_up_and_one_with_pings_is_not() {
    run(async {
        let mut server = Server::start(script).await;
        let mut setup = setup(&server);
        setup.timeouts.silence = Duration::from_millis(300);
        let mut stream = UserData::open(&Rest::new(setup).unwrap());
        let mut silent = server.socket().await;
        silent.subscribe(0).await;
        assert_eq!(word(&mut stream).await, "opened 1 Some(0)");
        let since = Instant::now();
        for _ in 0..8 {
            tokio::time::sleep(Duration::from_millis(60)).await;
            silent.stream.send(Message::Ping("".into())).await.unwrap();
        }
        assert!(
            timeout(Duration::ZERO, stream.next()).await.is_err(),
            "still there after {:?}",
            since.elapsed()
        );
        assert_eq!(word(&mut stream).await, "away");
        server.socket().await.subscribe(0).await;
        assert_eq!(word(&mut stream).await, "opened 2 Some(0)");
    });
}

/// The new connection is there before the old one goes; the new one.
async fn is_replaced_before_it_goes(server: &mut Server, stream: &mut UserData, mut old: Peer) -> Peer {
    let mut new = server.socket().await;
    new.subscribe(0).await;
    assert_eq!(word(stream).await, "opened 2 Some(0)");
    old.say(BALANCE).await;
    assert_eq!(word(stream).await, BALANCE, "the old one is still heard");
    let last = BALANCE.replace("1.0", "2.0");
    new.say(&last).await;
    assert_eq!(word(stream).await, last);
    // And then it goes.
    let mut end = timeout(Duration::from_secs(20), old.stream.next()).await.unwrap();
    while let Some(Ok(Message::Ping(_) | Message::Pong(_))) = end {
        end = old.stream.next().await;
    }
    assert!(matches!(end, None | Some(Err(_)) | Some(Ok(Message::Close(_)))), "{end:?}");
    new
}

#[test]
fn a_server_that_goes_away_is_left_in_time() {
    run(async move {
        let farewell = r#"{"event":{"e":"serverShutdown","E":1770123456789}}"#;
        let mut server = Server::start(script).await;
        let mut stream = UserData::open(&client(&server));
        let mut old = server.socket().await;
        old.subscribe(0).await;
        assert_eq!(word(&mut stream).await, "opened 1 Some(0)");
        old.say(farewell).await;
        assert_eq!(word(&mut stream).await, farewell);
        is_replaced_before_it_goes(&mut server, &mut stream, old).await;
    });
}

/// The connection stays open, and nothing comes over it any more.
#[test]
fn a_subscription_that_the_venue_ended_is_no_connection() {
    for farewell in [
        r#"{"subscriptionId":0,"event":{"e":"eventStreamTerminated","E":1728973001334}}"#,
        r#"{"event":{"e":"listenKeyExpired","E":1728973001334,"listenKey":"k"}}"#,
    ] {
        run(async move {
            let mut server = Server::start(script).await;
            let mut stream = UserData::open(&client(&server));
            let mut old = server.socket().await;
            old.subscribe(0).await;
            assert_eq!(word(&mut stream).await, "opened 1 Some(0)");
            old.say(farewell).await;
            assert_eq!(word(&mut stream).await, farewell);
            assert_eq!(word(&mut stream).await, "away");
            // The next one is refused: it is away for as long as that.
            let mut refused = server.socket().await;
            let asked = refused.hear().await;
            let busy = json!({"code": -1000, "msg": "Unknown."});
            refused.say(json!({"id": asked["id"], "status": 500, "error": busy})).await;
            assert_eq!(word(&mut stream).await, "away");
            server.socket().await.subscribe(1).await;
            assert_eq!(word(&mut stream).await, "opened 2 Some(1)");
        });
    }
}

#[test]
fn a_venue_that_ends_every_subscription_is_not_stormed() {
    run(async {
        let mut server = Server::start(script).await;
        let mut setup = setup(&server);
        setup.timeouts.first_pause = Duration::from_millis(40);
        setup.timeouts.longest_pause = Duration::from_millis(400);
        let _stream = UserData::open(&Rest::new(setup).unwrap());
        let end = Instant::now() + Duration::from_secs(2);
        let mut peers = Vec::new();
        while let Ok(mut peer) = tokio::time::timeout_at(end, server.socket()).await {
            peer.subscribe(0).await;
            peer.say(r#"{"subscriptionId":0,"event":{"e":"eventStreamTerminated","E":1}}"#).await;
            peers.push(peer);
        }
        assert!((3..=13).contains(&peers.len()), "{} connections in two seconds", peers.len());
    });
}

#[test]
fn servers_that_all_go_away_are_not_stormed() {
    run(async {
        let mut server = Server::start(script).await;
        let mut setup = setup(&server);
        setup.timeouts.first_pause = Duration::from_millis(40);
        setup.timeouts.longest_pause = Duration::from_millis(400);
        let _stream = UserData::open(&Rest::new(setup).unwrap());
        let end = Instant::now() + Duration::from_secs(2);
        let mut peers = Vec::new();
        while let Ok(mut peer) = tokio::time::timeout_at(end, server.socket()).await {
            peer.subscribe(0).await;
            peer.say(r#"{"event":{"e":"serverShutdown","E":1770123456789}}"#).await;
            peers.push(peer);
        }
        assert!((3..=13).contains(&peers.len()), "{} connections in two seconds", peers.len());
    });
}

#[test]
fn a_connection_is_replaced_before_the_venue_cuts_it() {
    run(async {
        let mut server = Server::start(script).await;
        let mut setup = setup(&server);
        setup.timeouts.renew = Duration::from_millis(700);
        setup.timeouts.linger = Duration::from_millis(300);
        let unheard = Unheard::default();
        let mut stream = UserData::open_counting(&Rest::new(setup).unwrap(), unheard.clone());
        let mut old = server.socket().await;
        old.subscribe(0).await;
        assert_eq!(word(&mut stream).await, "opened 1 Some(0)");
        let connecting = unheard.total();
        let _new = is_replaced_before_it_goes(&mut server, &mut stream, old).await;
        assert_eq!(unheard.total(), connecting, "there was a live stream all the while");
    });
}

/// However long the venue takes to subscribe the new one.
#[test]
fn a_connection_is_read_while_its_successor_is_made() {
    run(async {
        let mut server = Server::start(script).await;
        let mut setup = setup(&server);
        setup.timeouts.renew = Duration::from_millis(700);
        let mut stream = UserData::open(&Rest::new(setup).unwrap());
        let mut old = server.socket().await;
        old.subscribe(0).await;
        assert_eq!(word(&mut stream).await, "opened 1 Some(0)");
        let mut new = server.socket().await;
        let asked = new.hear().await;
        old.stream.send(Message::Ping("late".into())).await.unwrap();
        let answer = timeout(Duration::from_secs(20), old.stream.next()).await.unwrap();
        assert_eq!(answer.unwrap().unwrap(), Message::Pong("late".into()));
        old.say(BALANCE).await;
        assert_eq!(word(&mut stream).await, BALANCE, "before the new one is there");
        new.say(json!({"id": asked["id"], "status": 200, "result": {"subscriptionId": 1}})).await;
        assert_eq!(word(&mut stream).await, "opened 2 Some(1)");
    });
}

/// The new one breaks at once: the old one is heard until there is another.
#[test]
fn a_connection_goes_on_where_its_successor_breaks_at_once() {
    run(async {
        let mut server = Server::start(script).await;
        let mut setup = setup(&server);
        setup.timeouts.renew = Duration::from_millis(700);
        setup.timeouts.linger = Duration::from_secs(20);
        let unheard = Unheard::default();
        let mut stream = UserData::open_counting(&Rest::new(setup).unwrap(), unheard.clone());
        let mut old = server.socket().await;
        old.subscribe(0).await;
        assert_eq!(word(&mut stream).await, "opened 1 Some(0)");
        let connecting = unheard.total();
        let mut new = server.socket().await;
        new.subscribe(1).await;
        assert_eq!(word(&mut stream).await, "opened 2 Some(1)");
        drop(new);
        server.socket().await.subscribe(2).await;
        old.say(BALANCE).await;
        let told = [word(&mut stream).await, word(&mut stream).await];
        assert!(
            told.contains(&"opened 3 Some(2)".to_owned()) && told.contains(&BALANCE.to_owned()),
            "{told:?}"
        );
        assert_eq!(unheard.total(), connecting);
    });
}

/// The gap is told from the last that was heard on, not from when it was noticed.
#[test]
fn the_time_without_a_live_stream_is_counted() {
    run(async {
        let mut server = Server::start(script).await;
        let mut setup = setup(&server);
        let silence = Duration::from_millis(300);
        setup.timeouts.silence = silence;
        let unheard = Unheard::default();
        let mut stream = UserData::open_counting(&Rest::new(setup).unwrap(), unheard.clone());
        let mut silent = server.socket().await;
        assert!(!unheard.is_live(), "connected is not subscribed");
        silent.subscribe(0).await;
        assert_eq!(word(&mut stream).await, "opened 1 Some(0)");
        assert!(unheard.is_live());
        let connecting = unheard.total();
        assert_eq!(word(&mut stream).await, "away");
        assert!(!unheard.is_live());
        assert!(unheard.total() >= connecting + silence, "{:?}", unheard.total());
        server.socket().await.subscribe(0).await;
        assert_eq!(word(&mut stream).await, "opened 2 Some(0)");
        let told = unheard.total();
        drop(stream);
        assert!(!unheard.is_live() && told >= connecting + silence);
    });
}

#[test]
fn a_venue_that_closes_every_connection_is_not_stormed() {
    run(async {
        let mut server = Server::start(script).await;
        let mut setup = setup(&server);
        setup.timeouts.first_pause = Duration::from_millis(40);
        setup.timeouts.longest_pause = Duration::from_millis(400);
        let _stream = UserData::open(&Rest::new(setup).unwrap());
        let end = Instant::now() + Duration::from_secs(2);
        let mut opened = 0;
        while let Ok(mut peer) = tokio::time::timeout_at(end, server.socket()).await {
            peer.subscribe(0).await;
            opened += 1;
        }
        // Pauses of at least 20, 40, 80, 160, 200, 200 … ms.
        assert!((3..=13).contains(&opened), "{opened} connections in two seconds");
    });
}

#[test]
fn a_ban_holds_for_connections_too() {
    run(async {
        let tried = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&tried);
        let server = Server::start(move |request| match &*request.what {
            "GET /ws-api/v3" => {
                count.fetch_add(1, Ordering::SeqCst);
                Reply::With(429, vec![("Retry-After", "3600".to_owned())], String::new())
            }
            _ => script(request),
        })
        .await;
        let client = client(&server);
        let mut stream = UserData::open(&client);
        assert_eq!(word(&mut stream).await, "away");
        assert!(client.quiet_for() > Duration::from_secs(3_500), "and for everything else");
        assert!(timeout(Duration::from_millis(600), stream.next()).await.is_err());
        assert_eq!(tried.load(Ordering::SeqCst), 1);
    });
}

/// Told over REST, before there was any connection, and before one that is replaced.
#[test]
fn no_handshake_is_made_in_a_ban_told_elsewhere() {
    fn ban(request: &Request) -> Reply {
        match &*request.what {
            "GET /api/v3/openOrders" => {
                Reply::With(418, vec![("Retry-After", "3600".to_owned())], String::new())
            }
            _ => script(request),
        }
    }
    run(async {
        let server = Server::start(ban).await;
        let client = client(&server);
        client.open_orders(None).await.unwrap_err();
        let mut stream = UserData::open(&client);
        let mut market = Streams::open(&client, vec!["btcusdt@trade".to_owned()]).unwrap();
        assert_eq!(word(&mut stream).await, "away");
        let away = timeout(Duration::from_secs(20), market.next()).await.unwrap();
        assert!(matches!(away, Some(Delivery::Away { .. })), "{away:?}");
        assert!(timeout(Duration::from_millis(300), stream.next()).await.is_err());
        assert_eq!(server.count("GET /ws-api/v3") + server.count("GET /stream"), 0);
    });
    run(async {
        let mut server = Server::start(ban).await;
        let mut setup = setup(&server);
        setup.timeouts.renew = Duration::from_millis(600);
        let client = Rest::new(setup).unwrap();
        let mut stream = UserData::open(&client);
        let mut peer = server.socket().await;
        peer.subscribe(0).await;
        assert_eq!(word(&mut stream).await, "opened 1 Some(0)");
        client.open_orders(None).await.unwrap_err();
        assert!(timeout(Duration::from_millis(900), stream.next()).await.is_err());
        assert_eq!(server.count("GET /ws-api/v3"), 1, "the old one is kept");
        peer.say(BALANCE).await;
        assert_eq!(word(&mut stream).await, BALANCE);
    });
}

#[test]
fn a_subscription_that_is_refused_is_said_and_tried_again() {
    run(async {
        let mut server = Server::start(script).await;
        let mut stream = UserData::open(&client(&server));
        let mut peer = server.socket().await;
        let asked = peer.hear().await;
        let refused = json!({"id": asked["id"], "status": 401,
            "error": {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}});
        peer.say(refused).await;
        let Delivery::Away { why } = next(&mut stream).await else { panic!("no word of it") };
        assert!(why.contains("-2015 REJECTED_MBX_KEY"), "{why}");
        // As the documentation shows it: an error whose id the server could not make out.
        let mut peer = server.socket().await;
        peer.hear().await;
        peer.say(r#"{"id":null,"status":401,"error":{"code":-2015,"msg":"Invalid API-key."}}"#).await;
        let Delivery::Away { why } = next(&mut stream).await else { panic!("no word of it") };
        assert!(why.contains("-2015 REJECTED_MBX_KEY"), "{why}");
        server.socket().await.subscribe(0).await;
        assert_eq!(word(&mut stream).await, "opened 1 Some(0)");
    });
}

#[test]
fn a_clock_that_was_wrong_is_read_anew_for_the_next_subscription() {
    run(async {
        static READ: AtomicU32 = AtomicU32::new(0);
        let mut server = Server::start(|request| match &*request.what {
            "GET /api/v3/time" => time(60_000 * i64::from(READ.fetch_add(1, Ordering::SeqCst).min(1))),
            _ => script(request),
        })
        .await;
        let mut stream = UserData::open(&client(&server));
        let mut peer = server.socket().await;
        let asked = peer.hear().await;
        peer.say(json!({"id": asked["id"], "status": 400, "error": {"code": -1021, "msg": "Late."}})).await;
        assert_eq!(word(&mut stream).await, "away");
        let asked = server.socket().await.subscribe(0).await;
        let ahead = asked["params"]["timestamp"].as_i64().unwrap() - super::machine().millis();
        assert!(ahead > 55_000, "{ahead}");
        assert_eq!(word(&mut stream).await, "opened 1 Some(0)");
    });
}

/// Whoever does not listen for a while loses nothing, and holds no more than so many frames.
#[test]
fn a_slow_listener_slows_the_venue_down() {
    run(async {
        let mut server = Server::start(script).await;
        let mut stream = UserData::open(&client(&server));
        let mut peer = server.socket().await;
        peer.subscribe(0).await;
        let frame = |n: u32| format!("{n}:{}", "x".repeat(1_000));
        let sending = tokio::spawn(async move {
            for n in 0..20_000 {
                peer.say(frame(n)).await;
            }
            peer
        });
        assert_eq!(word(&mut stream).await, "opened 1 Some(0)");
        for n in 0..20_000 {
            assert_eq!(word(&mut stream).await, frame(n));
        }
        sending.await.unwrap();
    });
}
