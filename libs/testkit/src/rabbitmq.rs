//! A RabbitMQ node of one's own.

use crate::{chance, folder, folder::Folder, ports, run, wait};
use std::{
    env,
    fs::{self, File},
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// For a start that recovers from a kill on a busy machine, too; an idle one takes five to ten seconds.
const STARTING: Duration = Duration::from_secs(120);
const ASKING: Duration = Duration::from_secs(60);
/// How often other ports are tried.
const TRIES: u32 = 3;

/// A throw-away node without plugins, on 127.0.0.1; dropping it stops it and removes its data.
pub struct RabbitMq {
    folder: Folder,
    ports: Ports,
    leader: Option<Child>,
    /// Erlang's name server, our own: the common one would outlive us.
    names: Option<Child>,
}

#[derive(Clone, Copy, Default)]
struct Ports {
    amqp: u16,
    distribution: u16,
    names: u16,
}

/// What `rabbitmqctl` needs to reach a node.
#[derive(Clone)]
pub(crate) struct Control {
    pub node: String,
    /// Where the node's cookie lies.
    pub home: PathBuf,
    pub names: u16,
}

impl RabbitMq {
    /// # Panics
    /// If RabbitMQ is not installed or does not start; the message holds the end of its log.
    pub fn start() -> Self {
        let folder = Folder::new("rabbitmq");
        for name in ["node", "log", "data", "schema", "config"] {
            folder.make(name);
        }
        write(&folder.path().join("plugins"), "[].\n");
        write(&folder.path().join("rabbitmq.conf"), "");
        write(&folder.path().join("rabbitmq-env.conf"), "");
        let mut server = Self { folder, ports: Ports::default(), leader: None, names: None };
        for _ in 0..TRIES {
            server.ports = Ports { amqp: ports::free(), distribution: ports::free(), names: ports::free() };
            if server.try_start() {
                return server;
            }
            server.stop_names();
        }
        panic!("testkit: RabbitMQ does not start:\n{}", server.log())
    }

    /// A new empty vhost that `guest` may do everything in: `amqp://guest:guest@127.0.0.1:PORT/NAME`.
    pub fn fresh_vhost(&self) -> String {
        let name = fresh_vhosts(&self.control(), 1).pop().expect("testkit: one vhost was asked for");
        self.url(&name)
    }

    pub fn address(&self) -> SocketAddr {
        ports::local(self.ports.amqp)
    }

    /// `kill -9` of the node; nothing of it is left on return.
    pub fn kill(&mut self) {
        if let Some(mut leader) = self.leader.take() {
            folder::kill(&mut leader, &self.node());
        }
    }

    /// Starts the killed node again on the same data and the same ports; it takes clients on return.
    ///
    /// # Panics
    /// If it runs, or does not start within two minutes.
    pub fn start_again(&mut self) {
        assert!(self.leader.is_none(), "testkit: RabbitMQ was not killed before it is started again");
        assert!(self.try_start(), "testkit: RabbitMQ does not start again:\n{}", self.log());
    }

    /// SIGSTOP: connections stay open, nothing answers.
    pub fn pause(&self) {
        let leader = self.leader.as_ref().expect("testkit: RabbitMQ was killed and not started again");
        folder::pause(leader, &self.node());
    }

    pub fn resume(&self) {
        folder::resume(&self.node());
    }

    /// Runs `rabbitmqctl` against this node and gives what it printed.
    ///
    /// # Panics
    /// If it fails or takes more than a minute.
    pub fn ctl(&self, arguments: &[&str]) -> String {
        self.control().run(arguments)
    }

    pub(crate) fn control(&self) -> Control {
        let node = format!("t{}x{}@localhost", std::process::id(), self.ports.amqp);
        Control { node, home: self.folder.path().to_owned(), names: self.ports.names }
    }

    pub(crate) fn url(&self, vhost: &str) -> String {
        format!("amqp://guest:guest@{}/{vhost}", self.address())
    }

    /// The node's processes work here; the name server beside it, so that it survives the node.
    fn node(&self) -> PathBuf {
        self.folder.path().join("node")
    }

    fn log(&self) -> String {
        self.folder.ends_of(&["names.log", "output"])
    }

    /// True if it takes clients; false, with nothing of the node left, if it ended at once.
    fn try_start(&mut self) -> bool {
        self.start_names();
        let mut command = self.server();
        let leader = command.spawn().unwrap_or_else(|e| panic!("testkit: RabbitMQ cannot be started: {e}"));
        let leader = self.leader.insert(leader);
        let address = ports::local(self.ports.amqp);
        let mut ready = false;
        wait::holds_within(STARTING, || {
            ready = takes_clients(address);
            ready || leader.try_wait().is_ok_and(|ended| ended.is_some())
        });
        // Somebody else's server on that port answers, too.
        let ready = ready && leader.try_wait().is_ok_and(|ended| ended.is_none());
        if !ready {
            self.kill();
        }
        ready
    }

    /// The script replaces itself by the node if it is told that input is allowed: its process is ours.
    fn server(&self) -> Command {
        let path = |name: &str| self.folder.path().join(name);
        let Ports { amqp, distribution, names: _ } = self.ports;
        let mut command = self.control().command("rabbitmq-server");
        command.env("RABBITMQ_ALLOW_INPUT", "true").env("RABBITMQ_SERVER_START_ARGS", "-noinput");
        command.env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1").env("RABBITMQ_NODE_PORT", amqp.to_string());
        command.env("RABBITMQ_DIST_PORT", distribution.to_string());
        let only_here = "-kernel inet_dist_use_interface {127,0,0,1}";
        command.env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", only_here);
        command.env("RABBITMQ_MNESIA_BASE", path("data")).env("RABBITMQ_LOG_BASE", path("log"));
        command.env("RABBITMQ_SCHEMA_DIR", path("schema"));
        command.env("RABBITMQ_GENERATED_CONFIG_DIR", path("config"));
        command.env("RABBITMQ_CONFIG_FILE", path("rabbitmq.conf"));
        command.env("RABBITMQ_ADVANCED_CONFIG_FILE", path("advanced.config"));
        command.env("RABBITMQ_ENABLED_PLUGINS_FILE", path("plugins"));
        command.current_dir(self.node()).process_group(0);
        into_file(&mut command, &path("output"));
        command
    }

    fn start_names(&mut self) {
        if self.names.as_mut().is_some_and(|names| names.try_wait().is_ok_and(|ended| ended.is_none())) {
            return;
        }
        let mut command = Command::new("epmd");
        command.args(["-address", "127.0.0.1", "-port", &self.ports.names.to_string()]);
        command.current_dir(self.folder.path()).process_group(0);
        into_file(&mut command, &self.folder.path().join("names.log"));
        self.names = Some(command.spawn().unwrap_or_else(|e| panic!("testkit: epmd: {e}; {INSTALL}")));
        let address = ports::local(self.ports.names);
        // If the port is somebody else's, the node says so when it starts.
        wait::holds_within(ASKING, || TcpStream::connect(address).is_ok());
    }

    fn stop_names(&mut self) {
        if let Some(mut names) = self.names.take() {
            let _gone_already = names.kill();
            let _reaped = names.wait();
        }
    }
}

impl Drop for RabbitMq {
    fn drop(&mut self) {
        self.folder.end();
        for child in [&mut self.leader, &mut self.names].into_iter().flatten() {
            let _reaped = child.wait();
        }
    }
}

impl Control {
    pub fn run(&self, arguments: &[&str]) -> String {
        let mut command = self.command("rabbitmqctl");
        command.args(["-q", "-n", &self.node]).args(arguments).current_dir("/");
        run::output(&mut command, ASKING).trim_end().to_owned()
    }

    /// A program of RabbitMQ's that the environment's own settings do not reach.
    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(program(name));
        let theirs =
            |name: &str| ["RABBITMQ_", "ERL_", "ELIXIR_"].iter().any(|start| name.starts_with(start));
        for (variable, _) in env::vars_os().filter(|(name, _)| theirs(&name.to_string_lossy())) {
            command.env_remove(variable);
        }
        command.env_remove("NOTIFY_SOCKET");
        command.env("HOME", &self.home).env("LC_ALL", "C.UTF-8");
        command.env("RABBITMQ_NODENAME", &self.node);
        command.env("RABBITMQ_CONF_ENV_FILE", self.home.join("rabbitmq-env.conf"));
        command.env("ERL_EPMD_PORT", self.names.to_string()).env("ERL_EPMD_ADDRESS", "127.0.0.1");
        // Ours is there first. One that Erlang starts by itself would outlive everything.
        command.env("ERL_FLAGS", "-start_epmd false");
        // Eleven ports by default: not enough for all tests of a machine at once.
        command.env("RABBITMQ_CTL_DIST_PORT_MIN", "35672").env("RABBITMQ_CTL_DIST_PORT_MAX", "36671");
        command
    }
}

/// New vhosts, all in one call, because each call starts an Erlang of its own; names only.
pub(crate) fn fresh_vhosts(control: &Control, count: u32) -> Vec<String> {
    let names: Vec<String> = (0..count).map(|_| chance::fresh_name()).collect();
    let list = names.iter().map(|name| format!("<<\"{name}\">>")).collect::<Vec<_>>().join(",");
    let expression = format!(
        "lists:foreach(fun(V) -> ok = rabbit_vhost:add(V, <<\"testkit\">>), ok = \
         rabbit_auth_backend_internal:set_permissions(<<\"guest\">>, V, <<\".*\">>, <<\".*\">>, <<\".*\">>, \
         <<\"testkit\">>) end, [{list}])."
    );
    control.run(&["eval", &expression]);
    names
}

/// Asks for AMQP 0-9-1 and waits for the first byte of the answer, a method frame.
fn takes_clients(address: SocketAddr) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"AMQP\x00\x00\x09\x01")?;
        let mut first = [0];
        stream.read_exact(&mut first)?;
        std::io::Result::Ok(first == [1])
    };
    ask().unwrap_or(false)
}

fn into_file(command: &mut Command, path: &Path) {
    let file = || {
        let opened = File::options().create(true).append(true).open(path);
        opened.unwrap_or_else(|e| panic!("testkit: {}: {e}", path.display()))
    };
    command.stdin(Stdio::null()).stdout(file()).stderr(file());
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|e| panic!("testkit: {}: {e}", path.display()));
}

const INSTALL: &str = "install the package rabbitmq-server, or let ./test.sh do it";

/// Debian's own in `/usr/sbin` insist on another user; the scripts behind them do not.
/// Where `TAPEDECK_RABBITMQ_BIN` names a folder, they are those in it.
fn program(name: &str) -> PathBuf {
    if let Some(folder) = env::var_os("TAPEDECK_RABBITMQ_BIN") {
        return Path::new(&folder).join(name);
    }
    let debian = Path::new("/usr/lib/rabbitmq/bin").join(name);
    if debian.is_file() {
        return debian;
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file());
    found.unwrap_or_else(|| panic!("testkit: there is no {name}; {INSTALL}"))
}
