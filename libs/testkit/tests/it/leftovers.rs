//! Nothing stays behind a test process, also when it is killed -9.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use testkit::{POSTGRES, Postgres, Process, RABBITMQ, wait_for};

const STARTING: Duration = Duration::from_secs(180);
const ENDING: Duration = Duration::from_secs(60);
const HOLD: &str = "TESTKIT_HOLD";

#[test]
fn a_test_process_that_is_killed_leaves_nothing_behind() {
    let mut holder = Process::start("holder", &this_test("leftovers::hold_servers_until_killed"));
    wait_for("the holder's servers", STARTING, || {
        assert!(holder.is_running(), "{}", holder.output());
        holder.output().contains("holding")
    });
    let folders = told(&holder.output(), "folder ");
    let child: u32 = told(&holder.output(), "child ")[0].parse().expect("a number");
    assert_eq!(folders.len(), 2);
    for folder in &folders {
        assert!(!working_in(folder).is_empty(), "{folder} is in use");
    }
    assert!(Path::new(&format!("/proc/{child}")).exists());
    holder.kill();
    wait_for("the end of what it had started", ENDING, || {
        let gone = |folder: &String| !Path::new(folder).exists() && working_in(folder).is_empty();
        folders.iter().all(gone) && !is_alive(child)
    });
}

#[test]
#[ignore = "run by the test above, which kills it"]
fn hold_servers_until_killed() {
    if env::var_os(HOLD).is_none() {
        return; // somebody asked for all ignored tests
    }
    let (database, vhost) = (testkit::postgres(), testkit::rabbitmq());
    let child = Process::start("child", Command::new("sleep").arg("600"));
    println!("\nchild {}", child.pid());
    println!("{}", testkit_folders().iter().map(|f| format!("folder {f}\n")).collect::<String>());
    println!("holding {database} {vhost}");
    loop {
        std::thread::park();
    }
}

#[test]
fn with_servers_lends_its_servers_and_ends_as_the_command_ends() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_with-servers"));
    let test = "servers::the_shared_servers_give_something_fresh_each_time";
    let script = format!(
        "echo \"rabbitmq $TAPEDECK_TEST_RABBITMQ\"; '{}' --exact {test} && exit 7",
        env::current_exe().expect("this binary").display()
    );
    command.args(["sh", "-c", &script]);
    let mut process = Process::start("with-servers", &command);
    let status = process.wait(STARTING);
    let output = process.output();
    assert_eq!(status.code(), Some(7), "{output}");
    assert!(output.contains("1 passed"), "{output}");
    let described = told(&output, "rabbitmq ").remove(0);
    let (_, home) = described.split_once("home=").expect("where its folder is");
    assert!(!Path::new(home).exists() && working_in(home).is_empty(), "it has stopped its servers");
}

#[test]
fn a_dropped_server_is_gone_with_its_folder_and_its_shared_memory() {
    let server = Postgres::start();
    let folder = server.psql(&server.fresh_database(), "SHOW data_directory");
    // Its seventh line is the key and the number of the segment (PostgreSQL's pidfile.h).
    let lock = fs::read_to_string(Path::new(&folder).join("postmaster.pid")).expect("the lock file");
    let segment = lock.lines().nth(6).expect("its seventh line").split_whitespace().nth(1).expect("a number");
    assert!(shared_memory().contains(&segment.to_owned()));
    server.pause();
    drop(server);
    assert!(!Path::new(&folder).exists());
    assert!(working_in(&folder).is_empty());
    assert!(!shared_memory().contains(&segment.to_owned()));
}

/// This binary, running one test of it on servers of its own.
fn this_test(name: &str) -> Command {
    let mut command = Command::new(env::current_exe().expect("this binary"));
    command.args(["--exact", name, "--include-ignored", "--nocapture"]);
    command.env(HOLD, "1").env_remove(POSTGRES).env_remove(RABBITMQ);
    command
}

fn told(output: &str, what: &str) -> Vec<String> {
    output.lines().filter_map(|line| line.strip_prefix(what)).map(str::to_owned).collect()
}

/// The folders that this process' keepers watch, by their last argument.
fn testkit_folders() -> Vec<String> {
    let own = std::process::id().to_string();
    let mut folders = Vec::new();
    for process in processes() {
        let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
        let parent = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split_whitespace().nth(1));
        let line = fs::read_to_string(process.join("cmdline")).unwrap_or_default();
        let arguments: Vec<&str> = line.trim_end_matches('\0').split('\0').collect();
        if parent == Some(own.as_str()) && arguments.contains(&"testkit-keeper") {
            folders.extend(arguments.last().map(|folder| (*folder).to_owned()));
        }
    }
    folders
}

fn working_in(folder: &str) -> Vec<PathBuf> {
    let inside =
        |process: &PathBuf| fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder));
    processes().filter(inside).collect()
}

fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

fn processes() -> impl Iterator<Item = PathBuf> {
    let numbered = |path: &PathBuf| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.parse::<u32>().is_ok())
    };
    fs::read_dir("/proc").expect("a list").flatten().map(|entry| entry.path()).filter(numbered)
}

/// The numbers of all segments, from `/proc/sysvipc/shm`.
fn shared_memory() -> Vec<String> {
    let table = fs::read_to_string("/proc/sysvipc/shm").expect("the table");
    table.lines().filter_map(|line| Some(line.split_whitespace().nth(1)?.to_owned())).collect()
}
