use std::{process::Command, thread};
use testkit::python_venv;

#[test]
fn an_environment_is_made_once_also_when_several_ask_at_once() {
    let asking: Vec<_> = (0..3).map(|_| thread::spawn(|| python_venv(&[]))).collect();
    let mut given: Vec<_> = asking.into_iter().map(|one| one.join().expect("an environment")).collect();
    given.dedup();
    assert_eq!(given.len(), 1);
    let said = Command::new(&given[0])
        .args(["-c", "import sys; print(sys.prefix != sys.base_prefix)"])
        .output()
        .expect("it runs");
    assert_eq!(String::from_utf8_lossy(&said.stdout), "True\n");
}
