use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener},
    os::unix::process::ExitStatusExt,
    process::Command,
    thread,
    time::Duration,
};
use testkit::{Fleet, Process, http_get, wait_for};

const SOON: Duration = Duration::from_secs(20);

#[test]
fn a_process_prints_into_its_own_file_and_ends_with_its_status() {
    let mut process = Process::start("speaker", &shell("echo to out; echo to err >&2; echo $GIVEN; exit 3"));
    assert_eq!(process.wait(SOON).code(), Some(3));
    assert!(!process.is_running());
    assert_eq!(process.output(), "to out\nto err\n\n");
    process.start_again();
    assert_eq!(process.wait(SOON).code(), Some(3));
    assert_eq!(process.output(), "to out\nto err\n\nto out\nto err\n\n");
}

#[test]
fn variables_and_the_folder_are_passed_on() {
    let mut command = shell("echo $GIVEN; pwd");
    command.env("GIVEN", "a value").current_dir("/");
    let mut process = Process::start("speaker", &command);
    process.wait(SOON);
    assert_eq!(process.output(), "a value\n/\n");
}

#[test]
fn a_process_can_be_stopped_continued_asked_and_killed() {
    let script = "trap 'echo asked; exit 5' TERM; n=0; while :; do n=$((n + 1)); echo $n; sleep 0.01; done";
    let mut fleet = Fleet::new();
    for name in ["asked", "killed"] {
        fleet.start(name, &shell(script));
        wait_for("its first words", SOON, || fleet.get(name).output().contains("2\n"));
    }
    let process = fleet.get("asked");
    process.pause();
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.pid())).expect("its state");
    assert!(stat.contains(") T "), "{stat}");
    let before = process.output();
    process.resume();
    wait_for("more words", SOON, || process.output().len() > before.len());

    let process = fleet.get("killed");
    process.pause();
    process.kill();
    assert!(!process.is_running());
    let ended = fleet.terminate(SOON);
    assert_eq!(ended["asked"].code(), Some(5));
    assert_eq!(ended["killed"].signal(), Some(9));
    assert!(fleet.get("asked").output().ends_with("asked\n"));
}

#[test]
fn a_process_outlives_the_thread_that_started_it_but_not_its_handle() {
    let mut process = thread::spawn(|| Process::start("sleeper", Command::new("sleep").arg("600")))
        .join()
        .expect("started");
    wait_for("the sleep", SOON, || {
        std::fs::read_to_string(format!("/proc/{}/comm", process.pid())).is_ok_and(|name| name == "sleep\n")
    });
    assert!(process.is_running());
    let pid = process.pid();
    drop(process);
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
}

#[test]
#[should_panic(expected = "the last words")]
fn a_process_that_does_not_end_in_time_is_told_with_its_last_words() {
    let mut process = Process::start("sleeper", &shell("echo the last words; exec sleep 600"));
    wait_for("its words", SOON, || process.output().contains("words"));
    process.wait(Duration::from_millis(20));
}

#[test]
#[should_panic(expected = "not within 30ms: the moon")]
fn waiting_ends_at_the_deadline() {
    wait_for("the moon", Duration::from_millis(30), || false);
}

#[test]
fn http_get_gives_status_and_body_or_zero_and_the_reason() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let address = listener.local_addr().expect("an address");
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut asked = [0; 1024];
        let read = stream.read(&mut asked).expect("a request");
        stream.write_all(b"HTTP/1.0 503 Service Unavailable\r\nA: b\r\n\r\nnot\r\n\r\nready").expect("sent");
        String::from_utf8_lossy(&asked[..read]).into_owned()
    });
    assert_eq!(http_get(address, "/ready?x=1"), (503, "not\r\n\r\nready".to_owned()));
    assert!(server.join().expect("served").starts_with("GET /ready?x=1 HTTP/1.0\r\n"));
    let (status, why) = http_get(address, "/ready");
    assert_eq!(status, 0);
    assert!(why.contains(&address.to_string()), "{why}");
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}
