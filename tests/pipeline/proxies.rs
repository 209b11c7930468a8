//! `kosmos run` where the way out leads through a proxy, where certificates are not verified, and where a source is away.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConnection, StreamOwned};

use crate::images::{Https, PATIENCE, ends, https};
use crate::support::names::Says;
use crate::support::proxy::{Leads, Proxy};
use crate::support::{Output, Workspace, hostile, names};

/// Where public names are in these tests; the proxy leads there to servers on this machine.
const PUBLIC: Ipv4Addr = Ipv4Addr::new(93, 184, 216, 34);

/// Says that all names but one are public.
fn public(name: &str) -> Says {
    match name {
        "inner.test" => Says::Address(Ipv4Addr::new(10, 1, 2, 3)),
        _ => Says::Address(PUBLIC),
    }
}

fn images(
    workspace: &Workspace,
    dir: &str,
    says: fn(&str) -> Says,
    variables: &[(&str, &str)],
    sets: &[&str],
) -> Output {
    let servers = format!("fetch.dns.servers=[\"{}\"]", names::serve(says));
    let mut arguments = vec!["run", "images", "--dir", dir, "--set", "sources.input.path=urls.txt"];
    for set in [&[servers.as_str()][..], sets].concat() {
        arguments.extend(["--set", set]);
    }
    arguments.extend(PATIENCE);
    workspace.kosmos_in(variables, &arguments)
}

/// Leads to the servers of these tests by port.
fn way(http: SocketAddr, https: &Https) -> impl Fn(&str) -> Leads + Send + Sync + 'static {
    let secure = https.hosts["secure.test"];
    move |target| match target.rsplit_once(':') {
        Some((_, "443")) => Leads::To((Ipv4Addr::LOCALHOST, secure).into()),
        Some((_, "444")) => Leads::Says("503 Nothing there"),
        _ => Leads::To(http),
    }
}

#[test]
fn images_come_through_proxies_as_they_come_without() {
    let workspace = Workspace::new();
    let (https, (http, _)) = (https(), hostile::serve(None));
    fs::write(workspace.path("authority.pem"), &https.authority).unwrap();
    let plain = format!("http://plain.test:{}", http.port());
    let urls = [
        format!("{plain}/good-1.png"),
        format!("{plain}/moved"),
        format!("{plain}/404"),
        format!("{plain}/metadata"),
    ];
    fs::write(workspace.path("urls.txt"), urls.join("\n")).unwrap();
    let authority = ("SSL_CERT_FILE", workspace.path("authority.pem").display().to_string());
    let authority = (authority.0, authority.1.as_str());
    let allow = format!("fetch.allow=[\"plain.test:{}\"]", http.port());
    let here = |_: &str| Says::Address(Ipv4Addr::LOCALHOST);
    let direct =
        images(&workspace, "direct", here, &[authority, ("HTTP_PROXY", "http://127.0.0.1:1")], &[&allow]);
    assert!(direct.stderr.contains("HTTP_PROXY is not read"), "{}", direct.stderr);
    direct.success();

    let proxy = Proxy::start(way(http, &https));
    let url = proxy.url();
    images(&workspace, "proxied", public, &[authority, ("http_proxy", &url)], &[]).success();
    assert!(proxy.seen().iter().all(|head| head.starts_with("GET http://plain.test:")), "{:?}", proxy.seen());
    assert_eq!(
        workspace.parts("proxied"),
        workspace.parts("direct"),
        "neither bytes nor fingerprints differ"
    );

    // With TLS: the proxy is told the address, the server the name, or the certificate would not fit.
    let more = [
        "https://secure.test/good-2.png",
        "https://inner.test/x.png",
        "http://inner.test/x.png",
        "https://away.test:444/x.png",
    ];
    fs::write(workspace.path("urls.txt"), more.join("\n")).unwrap();
    let before = proxy.seen().len();
    let variables = [authority, ("http_proxy", &url), ("HTTPS_PROXY", &url)];
    images(&workspace, "secure", public, &variables, &[]).success();
    let ends = ends(&workspace, "secure");
    assert_eq!(ends["https://secure.test/good-2.png"], "kept");
    assert_eq!(ends["https://inner.test/x.png"], "address_refused");
    assert_eq!(ends["http://inner.test/x.png"], "address_refused");
    assert_eq!(ends["https://away.test:444/x.png"], "proxy_failed");
    let mut asked: Vec<String> = proxy.seen()[before..]
        .iter()
        .map(|head| head.lines().next().unwrap_or_default().to_owned())
        .collect();
    asked.sort();
    // The last is asked for in both passes.
    let expected = [443, 444, 444].map(|port| format!("CONNECT 93.184.216.34:{port} HTTP/1.1"));
    assert_eq!(asked, expected);
}

#[test]
fn a_proxy_may_be_one_over_tls_whose_certificate_is_verified() {
    let workspace = Workspace::new();
    let (http, _) = hostile::serve(None);
    let proxy = Proxy::start(move |_| Leads::To(http));
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let tls = hostile::tls(
        certificate.der().clone(),
        PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("fetch.proxy=https://localhost:{}", listener.local_addr().unwrap().port());
    let inner = proxy.address;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let outer = StreamOwned::new(ServerConnection::new(tls.clone()).unwrap(), stream);
            std::thread::spawn(move || drop(bridge(outer, TcpStream::connect(inner).unwrap())));
        }
    });
    fs::write(workspace.path("urls.txt"), "http://plain.test/good-1.png").unwrap();
    fs::write(workspace.path("authority.pem"), certificate.pem()).unwrap();
    let authority = workspace.path("authority.pem").display().to_string();
    for names in ["http", "never"] {
        let sets = [url.clone(), format!("fetch.proxy_names={names}")];
        let sets = [sets[0].as_str(), &sets[1]];
        images(&workspace, names, public, &[("SSL_CERT_FILE", &authority)], &sets).success();
        assert_eq!(ends(&workspace, names)["http://plain.test/good-1.png"], "kept", "{names}");
    }
    let lines: Vec<String> =
        proxy.seen().iter().map(|head| head.lines().next().unwrap().to_owned()).collect();
    assert_eq!(lines, ["GET http://plain.test/good-1.png HTTP/1.1", "CONNECT 93.184.216.34:80 HTTP/1.1"]);
    // Servers of records need not be verified, the proxy does.
    let unverified = [&url, "fetch.tls_verify=false"];
    images(&workspace, "other", public, &[("SSL_CERT_FILE", "/dev/null")], &unverified).success();
    assert_eq!(ends(&workspace, "other")["http://plain.test/good-1.png"], "proxy_unreachable");
}

/// Carries bytes both ways until a side ends.
fn bridge(mut outer: StreamOwned<ServerConnection, TcpStream>, mut inner: TcpStream) -> std::io::Result<()> {
    let pause = Some(Duration::from_millis(5));
    outer.sock.set_read_timeout(pause)?;
    inner.set_read_timeout(pause)?;
    let is_pause = |error: &std::io::Error| error.kind() == std::io::ErrorKind::WouldBlock;
    let mut bytes = [0; 16 << 10];
    loop {
        match outer.read(&mut bytes) {
            Ok(0) => return Ok(()),
            Ok(count) => inner.write_all(&bytes[..count])?,
            Err(error) if is_pause(&error) => {}
            Err(error) => return Err(error),
        }
        match inner.read(&mut bytes) {
            Ok(0) => {
                outer.conn.send_close_notify();
                return outer.flush();
            }
            Ok(count) => outer.write_all(&bytes[..count])?,
            Err(error) if is_pause(&error) => {}
            Err(error) => return Err(error),
        }
    }
}

#[test]
fn certificates_are_verified_unless_they_are_not_to_be_and_then_a_line_says_so() {
    let workspace = Workspace::new();
    let https = https();
    fs::write(workspace.path("authority.pem"), &https.authority).unwrap();
    let authority = workspace.path("authority.pem").display().to_string();
    let hosts = ["expired.test", "foreign.test", "secure.test"];
    let url = |host: &str| format!("https://{host}:{}/good-1.png", https.hosts[host]);
    fs::write(workspace.path("urls.txt"), hosts.map(url).join("\n")).unwrap();
    let allow: Vec<String> = hosts.iter().map(|host| format!("{host}:{}", https.hosts[host])).collect();
    let allow = format!("fetch.allow={}", serde_json::to_string(&allow).unwrap());
    let here = |_: &str| Says::Address(Ipv4Addr::LOCALHOST);
    let variables = [("SSL_CERT_FILE", authority.as_str())];
    let line = "certificates of the servers that records name are not verified";

    let verified = images(&workspace, "out", here, &variables, &[&allow]);
    assert!(!verified.stderr.contains(line), "{}", verified.stderr);
    verified.success();
    let found = hosts.map(|host| ends(&workspace, "out")[&url(host)].clone());
    assert_eq!(found, ["tls", "tls", "kept"]);

    // What fails is another thing now, so that the results of before are not taken for those of now.
    let sets = [allow.as_str(), "fetch.tls_verify=false"];
    let refused = images(&workspace, "out", here, &variables, &sets).failure(2);
    assert!(refused.contains("--rebuild images.pass0"), "{refused}");
    let unverified = images(&workspace, "other", here, &variables, &sets);
    assert_eq!(unverified.stderr.matches(line).count(), 1, "{}", unverified.stderr);
    unverified.success();
    let found = hosts.map(|host| ends(&workspace, "other")[&url(host)].clone());
    assert_eq!(found, ["kept", "kept", "kept"]);
}

#[test]
fn a_source_that_is_away_is_told_soon_by_its_name() {
    let workspace = Workspace::new();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let set = format!("sources.input.path=http://{closed}/urls.txt");
    let begun = Instant::now();
    let output = workspace.kosmos(&["run", "images", "--dir", "out", "--set", &set]);
    assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
    let told = output.failure(75);
    let end = &told[told.find("error: ").unwrap()..];
    for part in ["source input", "[sources.input]", &format!("http://{closed}/urls.txt"), "refused"] {
        assert!(end.contains(part), "{told}");
    }
}

#[test]
fn passwords_of_proxies_and_values_of_headers_are_not_shown() {
    let workspace = Workspace::new();
    fs::write(workspace.path("urls.txt"), "http://img.test/x.png").unwrap();
    for set in [
        "fetch.proxy=socks5://me:s3cr3t@proxy.example",
        "fetch.proxy=[\"http://me:s3cr3t@proxy.example\"]",
        "fetch.proxy.more=s3cr3t",
        "fetch.headers.\"img.test\".Host=s3cr3t",
        "fetch.headers.\"img.test\"=s3cr3t",
        "fetch.headers=s3cr3t",
    ] {
        let arguments = ["config", "check", "images", "--set", set];
        let told = workspace.kosmos(&arguments).failure(2);
        assert!(told.contains("fetch.") && !told.contains("s3cr3t"), "{set}: {told}");
    }
    let text = "[fetch]\nproxy = \"http://me:s3cr3t@proxy.example\n";
    fs::write(workspace.path("my.toml"), text).unwrap();
    let told = workspace.kosmos(&["config", "check", "my.toml"]).failure(2);
    assert!(told.contains("not valid TOML") && !told.contains("s3cr3t"), "{told}");
    let variables = [("ALL_PROXY", "socks5://me:s3cr3t@proxy.example")];
    let told = images(&workspace, "out", public, &variables, &[]).failure(2);
    assert!(told.contains("ALL_PROXY") && told.contains("\"none\"") && !told.contains("s3cr3t"), "{told}");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = format!("http://me:s3cr3t@{closed}");
    let set =
        ["--set", "sources.input.path=http://data.test/urls.txt", "--set", &format!("fetch.proxy={proxy}")];
    let arguments = [&["-vv", "run", "images", "--dir", "other"][..], &set].concat();
    let told = workspace.kosmos(&arguments).failure(75);
    assert!(told.contains("named by fetch.proxy") && !told.contains("s3cr3t"), "{told}");
}
