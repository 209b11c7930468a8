//! Real S3 servers on loopback, as `setup/test-tools.sh` installs them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use corpus::Store;
use corpus::store::Place;

use crate::tools::installed;

/// The bucket that a server has.
pub const BUCKET: &str = "corpus";
const KEY_ID: &str = "me";
const SECRET_KEY: &str = "hidden";
/// Time in which a server must answer.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// A server that ends with this process.
pub struct Server {
    address: SocketAddr,
    /// Ends when it cannot read from us any more, also if we are killed.
    _guard: Child,
    _folder: tempfile::TempDir,
}

/// Returns SeaweedFS: durable, checks signatures; none where it is not installed.
pub fn seaweed() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(|| installed("weed").map(|program| start_seaweed(&program))).as_ref()
}

/// Returns moto: S3's semantics, in memory; none where it is not installed.
pub fn moto() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(|| installed("moto_server").map(|program| start_moto(&program))).as_ref()
}

impl Server {
    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the variables by which it is reached, or something in front of it.
    pub fn variables(&self, address: SocketAddr) -> Vec<(String, String)> {
        let named = [
            ("AWS_ACCESS_KEY_ID", KEY_ID.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY.to_owned()),
            ("AWS_ENDPOINT_URL", format!("http://{address}")),
        ];
        named.map(|(name, value)| (name.to_owned(), value)).into()
    }

    /// Opens a prefix of its bucket, by itself.
    pub fn store(&self, prefix: &str) -> Store {
        self.store_by(self.address, prefix)
    }

    /// Opens a prefix of its bucket, by something in front of it.
    pub fn store_by(&self, address: SocketAddr, prefix: &str) -> Store {
        let variables = self.variables(address);
        let place = Place::parse(Path::new(&format!("s3://{BUCKET}/{prefix}"))).unwrap();
        let variable =
            |name: &str| variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        Store::open_at(&place, &variable).unwrap()
    }
}

/// Returns a prefix that no other test has.
pub fn new_prefix() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{}/{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

fn start_seaweed(program: &Path) -> Server {
    let folder = tempfile::tempdir().unwrap();
    let identity = format!(
        r#"{{"identities":[{{"name":"me","credentials":[{{"accessKey":"{KEY_ID}","secretKey":"{SECRET_KEY}"}}],"actions":["Admin","Read","List","Tagging","Write"]}}]}}"#
    );
    std::fs::write(folder.path().join("s3.json"), identity).unwrap();
    let ports = free_ports::<8>();
    let mut command = Command::new("sh");
    command.args(["-c", GUARD, "guard"]).arg(program).args([
        "-logdir=.",
        "server",
        "-dir=.",
        "-filer",
        "-s3",
    ]);
    command.args(["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3.config=s3.json", "-volume.max=64"]);
    command.args(["-master.volumeSizeLimitMB=64", "-s3.port.iceberg=0", "-s3.port.lance=0"]);
    for (name, pair) in ["master", "volume", "filer", "s3"].into_iter().zip(ports.chunks(2)) {
        command.arg(format!("-{name}.port={}", pair[0])).arg(format!("-{name}.port.grpc={}", pair[1]));
    }
    for name in ["filer", "s3"] {
        command.arg(format!("-{name}.localSocket={}", folder.path().join(name).display()));
    }
    let guard = spawn(command, folder.path());
    let (filer, s3) = (loopback(ports[4]), loopback(ports[6]));
    until(|| {
        request(filer, &format!("POST /buckets/{BUCKET}/")).is_some_and(|answer| answer.contains(" 201 "))
    });
    until(|| request(s3, "GET /").is_some());
    let server = Server { address: s3, _guard: guard, _folder: folder };
    // It answers before it can store.
    until(|| server.store("ready").replace("ready", "yes".into()).is_ok());
    server
}

fn start_moto(program: &Path) -> Server {
    let folder = tempfile::tempdir().unwrap();
    let [port] = free_ports();
    let mut command = Command::new("sh");
    command.args(["-c", GUARD, "guard"]).arg(program).args(["-H", "127.0.0.1", "-p", &port.to_string()]);
    let guard = spawn(command, folder.path());
    let address = loopback(port);
    until(|| request(address, &format!("PUT /{BUCKET}")).is_some_and(|answer| answer.contains(" 200 ")));
    Server { address, _guard: guard, _folder: folder }
}

/// Runs a program until nobody holds the other end of its input.
const GUARD: &str = r#""$@" <&- >log 2>&1 & cat; kill -9 $!"#;

fn spawn(mut command: Command, folder: &Path) -> Child {
    command.current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// Returns ports that nobody listened on a moment ago.
fn free_ports<const COUNT: usize>() -> [u16; COUNT] {
    let listeners = [(); COUNT].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

fn until(mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < START_TIMEOUT, "a server does not start");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Returns the answer to a request without a body.
fn request(address: SocketAddr, line: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    let head =
        format!("{line} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    (!answer.is_empty()).then(|| String::from_utf8_lossy(&answer).into_owned())
}
