use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};
use testkit::{Postgres, RabbitMq};

#[test]
fn postgres_keeps_what_it_committed_through_a_kill() {
    let mut server = Postgres::start();
    let (one, other) = (server.fresh_database(), server.fresh_database());
    assert_ne!(one, other);
    server.psql(&one, "CREATE TABLE t (n int); INSERT INTO t VALUES (1), (2)");
    let address = server.address();
    server.kill();
    assert!(TcpStream::connect(address).is_err(), "nobody answers after the kill");
    server.start_again();
    assert_eq!(server.address(), address);
    assert_eq!(server.psql(&one, "SELECT n FROM t ORDER BY n"), "1\n2");
    assert_eq!(server.psql(&one, "SHOW fsync"), "on");
}

#[test]
fn a_paused_postgres_answers_when_it_goes_on() {
    let server = Postgres::start();
    let database = server.fresh_database();
    server.pause();
    let mut stream = TcpStream::connect(server.address()).expect("the kernel still accepts");
    stream.set_read_timeout(Some(Duration::from_millis(300))).expect("a timeout");
    // SSLRequest: eight bytes, answered with one (PostgreSQL's protocol, "SSL Session Encryption").
    stream.write_all(&[0, 0, 0, 8, 4, 210, 22, 47]).expect("sent");
    let mut answer = [0];
    assert!(stream.read(&mut answer).is_err(), "a stopped server does not answer");
    server.resume();
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
    assert_eq!(stream.read(&mut answer).expect("an answer"), 1);
    assert_eq!(server.psql(&database, "SELECT 1"), "1");
}

#[test]
fn rabbitmq_keeps_what_is_durable_through_a_kill() {
    let mut server = RabbitMq::start();
    let vhost = server.fresh_vhost();
    let name = vhost.rsplit('/').next().expect("a name").to_owned();
    let address = server.address();
    server.kill();
    assert!(TcpStream::connect(address).is_err(), "nobody answers after the kill");
    server.start_again();
    assert_eq!(server.address(), address);
    let vhosts = server.ctl(&["list_vhosts", "--no-table-headers"]);
    assert!(vhosts.lines().any(|line| line == name), "{name} is not among\n{vhosts}");

    server.pause();
    let mut stream = TcpStream::connect(address).expect("the kernel still accepts");
    stream.set_read_timeout(Some(Duration::from_millis(300))).expect("a timeout");
    stream.write_all(b"AMQP\x00\x00\x09\x01").expect("sent");
    let mut answer = [0];
    assert!(stream.read(&mut answer).is_err(), "a stopped node does not answer");
    server.resume();
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
    assert_eq!(stream.read(&mut answer).expect("an answer"), 1);
}

#[test]
fn the_shared_servers_give_something_fresh_each_time() {
    assert_ne!(testkit::postgres(), testkit::postgres());
    assert_ne!(testkit::rabbitmq(), testkit::rabbitmq());
}
