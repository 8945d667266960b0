use std::{
    io::{ErrorKind, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};
use testkit::{Fault, Proxy, wait_for};

const SOON: Duration = Duration::from_secs(10);
/// Long enough for data that passes, on loopback.
const WHILE: Duration = Duration::from_millis(150);

#[test]
fn without_a_fault_everything_passes_both_ways_also_a_close() {
    let (echo, _) = echo();
    let proxy = Proxy::start(echo);
    let mut client = connect(&proxy);
    let sent: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    let mut writer = client.try_clone().expect("a second handle");
    let copy = sent.clone();
    let writing = thread::spawn(move || {
        writer.write_all(&copy).expect("sent");
        writer.shutdown(std::net::Shutdown::Write).expect("closed");
    });
    let mut back = Vec::new();
    client.read_to_end(&mut back).expect("read to the end");
    writing.join().expect("written");
    assert_eq!(back.len(), sent.len());
    assert!(back == sent, "in order and unchanged");
    wait_for("the connection's end", SOON, || proxy.connections() == 0);
}

#[test]
fn a_delay_holds_each_direction_back_and_ends_when_it_is_lifted() {
    let (echo, _) = echo();
    let proxy = Proxy::start(echo);
    let mut client = connect(&proxy);
    proxy.set(Fault::Delay(Duration::from_millis(60)));
    let began = Instant::now();
    assert_eq!(ask(&mut client, b"x").expect("an answer"), b"x");
    assert!(began.elapsed() >= Duration::from_millis(120), "there and back: {:?}", began.elapsed());
    proxy.set(Fault::Delay(Duration::from_secs(600)));
    client.write_all(b"y").expect("sent");
    assert!(is_silent(&mut client));
    proxy.set(Fault::None);
    assert_eq!(read(&mut client, 1).expect("an answer"), b"y");
}

#[test]
fn half_open_passes_nothing_and_never_closes_then_goes_on() {
    let (echo, mut arrived) = echo();
    let proxy = Proxy::start(echo);
    let mut old = connect(&proxy);
    assert_eq!(ask(&mut old, b"a").expect("an answer"), b"a");
    let server_side = accepted(&mut arrived);
    proxy.set(Fault::HalfOpen);
    let mut new = connect(&proxy);
    for client in [&mut old, &mut new] {
        client.write_all(b"b").expect("the kernel takes it");
        assert!(is_silent(client));
    }
    server_side.shutdown(std::net::Shutdown::Both).expect("the server closes");
    assert!(is_silent(&mut old), "the client does not learn of it");
    assert_eq!(proxy.connections(), 2);
    proxy.set(Fault::None);
    assert_eq!(read(&mut new, 1).expect("an answer"), b"b");
    assert_closed_or_reset(&mut old);
}

#[test]
fn refuse_turns_new_connections_away_and_leaves_open_ones() {
    let (echo, _) = echo();
    let proxy = Proxy::start(echo);
    let mut open = connect(&proxy);
    assert_eq!(ask(&mut open, b"a").expect("an answer"), b"a");
    proxy.set(Fault::Refuse);
    let refused = TcpStream::connect(proxy.address()).expect_err("refused");
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    assert_eq!(ask(&mut open, b"b").expect("an answer"), b"b");
    proxy.set(Fault::None);
    assert_eq!(ask(&mut connect(&proxy), b"c").expect("an answer"), b"c");
}

#[test]
fn cut_after_passes_exactly_so_many_bytes_of_each_connection() {
    let (sink, received) = sink();
    let proxy = Proxy::start(sink);
    let mut old = connect(&proxy);
    old.write_all(b"before").expect("sent");
    wait_for("the old connection", SOON, || proxy.connections() == 1);
    assert_eq!(received.recv_timeout(SOON).expect("data"), b"before");
    proxy.set(Fault::CutAfter(5));
    let mut new = connect(&proxy);
    for client in [&mut old, &mut new] {
        client.write_all(b"0123").expect("sent");
        assert_eq!(received.recv_timeout(SOON).expect("data"), b"0123");
        client.write_all(b"456789").expect("sent");
        assert_eq!(received.recv_timeout(SOON).expect("data"), b"4");
        assert_closed_or_reset(client);
        assert_eq!(received.recv_timeout(SOON).expect("the end"), b"", "the server sees a close");
    }
    proxy.set(Fault::None);
    connect(&proxy).write_all(b"0123456789").expect("sent");
    assert_eq!(received.recv_timeout(SOON).expect("data"), b"0123456789");
}

#[test]
fn reset_ends_every_open_connection_at_both_ends_at_once() {
    let (echo, mut arrived) = echo();
    let proxy = Proxy::start(echo);
    let mut clients: Vec<TcpStream> = (0..3).map(|_| connect(&proxy)).collect();
    let mut servers = Vec::new();
    for client in &mut clients {
        assert_eq!(ask(client, b"a").expect("an answer"), b"a");
        servers.push(accepted(&mut arrived));
    }
    proxy.set(Fault::Reset);
    for mut client in clients {
        let error = client.read(&mut [0]).expect_err("a reset");
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
    for server in servers {
        wait_for("the reset of the server's end", SOON, || {
            server.take_error().is_ok_and(|e| e.is_some()) || server.peer_addr().is_err()
        });
    }
    assert_eq!(proxy.connections(), 0);
    assert_eq!(ask(&mut connect(&proxy), b"c").expect("an answer"), b"c", "from then on all is well");
}

#[test]
fn a_reset_reaches_connections_that_stand_or_cannot_write() {
    // Nobody reads at the target, so the pump towards it is stuck in a write.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let proxy = Proxy::start(listener.local_addr().expect("an address"));
    let mut stuck = connect(&proxy);
    stuck.set_write_timeout(Some(WHILE)).expect("a timeout");
    let piece = vec![7; 1 << 20];
    while stuck.write(&piece).is_ok() {}
    proxy.set(Fault::HalfOpen);
    let standing = connect(&proxy);
    wait_for("both connections", SOON, || proxy.connections() == 2);
    proxy.set(Fault::Reset);
    for mut client in [stuck, standing] {
        let error = client.read(&mut [0]).expect_err("a reset");
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
}

#[test]
fn a_target_that_is_away_resets_the_client() {
    let away = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|l| l.local_addr()).expect("an address");
    let proxy = Proxy::start(away);
    assert_closed_or_reset(&mut connect(&proxy));
}

#[test]
fn a_dropped_proxy_resets_what_is_open_and_frees_its_port() {
    let (echo, _) = echo();
    let proxy = Proxy::start(echo);
    let address = proxy.address();
    let mut client = connect(&proxy);
    assert_eq!(ask(&mut client, b"a").expect("an answer"), b"a");
    proxy.set(Fault::HalfOpen);
    drop(proxy);
    assert_closed_or_reset(&mut client);
    assert!(TcpStream::connect(address).is_err());
}

fn connect(proxy: &Proxy) -> TcpStream {
    let stream = TcpStream::connect(proxy.address()).expect("the proxy accepts");
    stream.set_read_timeout(Some(SOON)).expect("a timeout");
    stream
}

fn ask(client: &mut TcpStream, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    client.write_all(bytes)?;
    read(client, bytes.len())
}

fn read(client: &mut TcpStream, count: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; count];
    client.read_exact(&mut bytes).map(|()| bytes)
}

/// Neither data nor a close for a while.
fn is_silent(client: &mut TcpStream) -> bool {
    client.set_read_timeout(Some(WHILE)).expect("a timeout");
    let read = client.read(&mut [0]);
    client.set_read_timeout(Some(SOON)).expect("a timeout");
    read.is_err_and(|e| matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
}

fn assert_closed_or_reset(client: &mut TcpStream) {
    match client.read(&mut [0; 64]) {
        Ok(read) => assert_eq!(read, 0, "closed"),
        Err(e) => assert_eq!(e.kind(), ErrorKind::ConnectionReset),
    }
}

/// A server that sends everything back, and a handle of each connection it takes.
fn echo() -> (SocketAddr, Receiver<TcpStream>) {
    let (told, connections) = channel();
    let address = serve(move |mut stream| {
        let _nobody_listens = told.send(stream.try_clone().expect("a second handle"));
        let mut bytes = [0; 4096];
        while let Ok(read) = stream.read(&mut bytes) {
            if read == 0 || stream.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        let _closed_already = stream.shutdown(std::net::Shutdown::Both);
    });
    (address, connections)
}

/// A server that tells each piece it reads; an empty one is a close.
fn sink() -> (SocketAddr, Receiver<Vec<u8>>) {
    let (told, pieces) = channel();
    let address = serve(move |mut stream| {
        let mut bytes = [0; 4096];
        while let Ok(read) = stream.read(&mut bytes) {
            if told.send(bytes[..read].to_vec()).is_err() || read == 0 {
                break;
            }
        }
    });
    (address, pieces)
}

fn serve(each: impl Fn(TcpStream) + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            let each = each.clone();
            thread::spawn(move || each(stream));
        }
    });
    address
}

fn accepted(arrived: &mut Receiver<TcpStream>) -> TcpStream {
    arrived.recv_timeout(SOON).expect("a connection")
}
