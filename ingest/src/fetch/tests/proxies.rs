//! Records and sources through a proxy.

use std::net::{Ipv4Addr, SocketAddr};

use super::names::Says;
use super::proxy::{Leads, Proxy};
use super::*;
use crate::fetch::hidden::Hidden;
use crate::fetch::proxy::ProxyNames;

/// Where public names are in these tests; the proxy leads there to a server on this machine.
const PUBLIC: Ipv4Addr = Ipv4Addr::new(93, 184, 216, 34);

fn says(name: &str) -> Says {
    match name {
        "inner.test" => Says::Address(Ipv4Addr::new(10, 0, 0, 5)),
        "missing.test" | "other.missing.test" => Says::NoSuchName,
        "failing.test" => Says::Failure,
        _ => Says::Address(PUBLIC),
    }
}

/// A server, and a proxy that leads there whatever it is asked for.
fn web(answer: impl Fn(&str, &str, &mut TcpStream) + Send + Sync + 'static) -> (Server, Proxy) {
    let server = Server::start(answer);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, server.port));
    (server, Proxy::start(move |_| Leads::To(address)))
}

fn client(server: &Server, proxy: &str, change: impl FnOnce(&mut Config)) -> Client {
    server.client(|config| {
        config.proxy = Some(Hidden::from(proxy));
        config.dns.servers = vec![names::serve(says)];
        config.dns.retries_max = 0;
        change(config);
    })
}

/// Returns what became of a record's URL: its body or the reason.
fn ends(client: &Client, url: &str) -> String {
    let outcome = client.fetch_in_order([url.to_owned()], &std::env::temp_dir()).next().unwrap();
    match outcome.result {
        Ok(body) => String::from_utf8(body.bytes.to_vec()).unwrap(),
        Err(error) => error.reason(),
    }
}

/// Returns the first lines of requests.
fn lines(heads: &[String]) -> Vec<String> {
    heads.iter().map(|head| head.lines().next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn records_go_through_the_proxy_and_their_robots_txt_too() {
    let (server, proxy) = web(faults);
    let client = client(&server, &proxy.url(), |config| config.robots_txt = true);
    assert_eq!(ends(&client, "http://img.test:8080/a?b=c"), "/a?b=c");
    assert_eq!(ends(&client, "http://93.184.216.34/moved"), "/good");
    assert_eq!(
        lines(&proxy.seen()),
        [
            "GET http://img.test:8080/robots.txt HTTP/1.1",
            "GET http://img.test:8080/a?b=c HTTP/1.1",
            "GET http://93.184.216.34/robots.txt HTTP/1.1",
            "GET http://93.184.216.34/moved HTTP/1.1",
            "GET http://93.184.216.34/good HTTP/1.1",
        ]
    );
    let head = &proxy.seen()[1].to_lowercase();
    for line in ["host: img.test:8080", "user-agent: kosmos/", "accept-encoding: identity", "accept: */*"] {
        assert!(head.contains(line), "{head}");
    }
}

#[test]
fn a_tunnel_leads_to_the_judged_address_and_the_server_is_told_the_name() {
    let (server, proxy) = web(faults);
    let url = proxy.url().replace("//", "//me:secret@");
    let client = client(&server, &url, |config| config.proxy_names = ProxyNames::Never);
    assert_eq!(ends(&client, "http://img.test/a"), "/a");
    let seen = proxy.seen();
    assert_eq!(lines(&seen), ["CONNECT 93.184.216.34:80 HTTP/1.1"]);
    assert!(seen[0].contains("Proxy-Authorization: Basic bWU6c2VjcmV0\r\n"), "{}", seen[0]);
    let told = server.requests.lock().unwrap().join("").to_lowercase();
    assert!(told.starts_with("get /a http/1.1") && told.contains("host: img.test\r\n"), "{told}");
    assert!(!told.contains("proxy-authorization"), "{told}");
}

#[test]
fn credentials_are_for_the_proxy() {
    let (server, proxy) = web(faults);
    let client = client(&server, &proxy.url().replace("//", "//me:secret@"), |_| {});
    assert_eq!(ends(&client, "http://img.test/a"), "/a");
    assert!(proxy.seen()[0].to_lowercase().contains("proxy-authorization: basic bwu6c2vjcmv0"));
}

#[test]
fn a_name_that_leads_to_a_private_address_never_reaches_the_proxy() {
    let (server, proxy) = web(|path, head, stream| match path {
        "/to-inner" => reply(stream, "302 Found\r\nLocation: http://inner.test/x", b""),
        "/to-inner-tls" => reply(stream, "302 Found\r\nLocation: https://inner.test/x", b""),
        path => faults(path, head, stream),
    });
    for names in [ProxyNames::Http, ProxyNames::Never] {
        let client = client(&server, &proxy.url(), |config| config.proxy_names = names);
        for url in [
            "http://inner.test/x",
            "https://inner.test/x",
            "http://img.test/to-inner",
            "http://img.test/to-inner-tls",
            "http://img.test/metadata",
            "http://169.254.169.254/latest",
            "http://localhost/x",
        ] {
            assert_eq!(ends(&client, url), "address_refused", "{url}");
        }
    }
    let seen = lines(&proxy.seen()).join("\n");
    assert!(
        seen.contains("to-inner") && !seen.contains("inner.test") && !seen.contains("10.0.0.5"),
        "{seen}"
    );
    assert!(!seen.contains("169.254") && !seen.contains("localhost"), "{seen}");
}

#[test]
fn names_that_do_not_resolve_here_fail_unless_the_proxy_is_to_resolve_them() {
    let server = Server::start(faults);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, server.port));
    let proxy = Proxy::start(move |target| match target {
        "failing.test:443" => Leads::Says("502 Not today"),
        _ => Leads::To(address),
    });
    let judged = client(&server, &proxy.url(), |_| {});
    assert_eq!(ends(&judged, "http://missing.test/a"), "dns");
    assert_eq!(ends(&judged, "https://failing.test/a"), "dns_failed");
    assert!(proxy.seen().is_empty());
    let left = client(&server, &proxy.url(), |config| config.proxy_names = ProxyNames::Always);
    assert_eq!(ends(&left, "http://missing.test/a"), "/a");
    assert_eq!(ends(&left, "https://failing.test/a"), "proxy_failed");
    assert_eq!(ends(&left, "http://10.0.0.5/a"), "address_refused");
    let expected = ["GET http://missing.test/a HTTP/1.1", "CONNECT failing.test:443 HTTP/1.1"];
    assert_eq!(lines(&proxy.seen()), expected);
}

#[test]
fn faults_of_the_proxy_have_reasons_of_their_own() {
    let server = Server::start(faults);
    let proxy = Proxy::start(|target| match target.rsplit_once(':') {
        Some((_, "407")) => Leads::Says("407 Who are you"),
        Some((_, "403")) => Leads::Says("403 Not there"),
        _ => Leads::Says("502 Nothing there"),
    });
    let client_of = |proxy: &str| client(&server, proxy, |config| config.proxy_names = ProxyNames::Never);
    let asked = client_of(&proxy.url());
    assert_eq!(ends(&asked, "http://img.test:407/"), "proxy_refused");
    assert_eq!(ends(&asked, "http://img.test:403/"), "proxy_refused");
    assert_eq!(ends(&asked, "https://img.test/"), "proxy_failed");
    let by_name = client(&server, &proxy.url(), |_| {});
    assert_eq!(ends(&by_name, "http://img.test:407/"), "proxy_refused");
    assert_eq!(
        ends(&by_name, "http://img.test/"),
        "http_502",
        "the server's or the proxy's: nobody can tell"
    );
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for url in [format!("http://{closed}"), "http://missing.test:3128".to_owned()] {
        assert_eq!(ends(&client_of(&url), "http://img.test/"), "proxy_unreachable", "{url}");
    }
    let garbage = Server::start(|_, _, stream| drop(stream.write_all(b"SSH-2.0-OpenSSH\r\n")));
    let url = format!("http://127.0.0.1:{}", garbage.port);
    assert_eq!(ends(&client_of(&url), "http://img.test/"), "proxy_unreachable");
    let silent = Server::start(|_, _, _| std::thread::sleep(Duration::from_secs(3)));
    let url = format!("http://127.0.0.1:{}", silent.port);
    assert_eq!(ends(&client_of(&url), "http://img.test/"), "timeout");
}

#[test]
fn sources_go_through_the_proxy_by_name_and_this_machine_does_not() {
    let (server, proxy) = web(|path, head, stream| match path {
        "/elsewhere" => reply(stream, "302 Found\r\nLocation: http://other.missing.test/x", b""),
        path => faults(path, head, stream),
    });
    let client = client(&server, &proxy.url(), |_| {});
    let read = |url: &str| {
        let mut text = String::new();
        client.open(url).unwrap().read_to_string(&mut text).unwrap();
        text
    };
    assert_eq!(read("http://missing.test/a"), "/a", "only the proxy knows the name");
    assert_eq!(lines(&proxy.seen()), ["GET http://missing.test/a HTTP/1.1"]);
    assert_eq!(read(&format!("http://127.0.0.1:{}/b", server.port)), "/b");
    assert_eq!(read("https://web.example/c"), "/c", "mirrored to this machine");
    assert_eq!(proxy.seen().len(), 1);
    // Where a source redirects is not what the configuration names.
    let error = client.open("http://missing.test/elsewhere").err().unwrap().to_string();
    assert!(error.contains("name does not resolve") && error.contains("fetch.proxy_names"), "{error}");
    assert!(!lines(&proxy.seen()).join("").contains("//other.missing.test"));
}

#[test]
fn a_proxy_that_refuses_is_told_soon_with_what_to_do() {
    let server = Server::start(faults);
    let proxy = Proxy::start(|_| Leads::Says("407 Who are you"));
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (url, expected) in [
        (proxy.url(), "407: it wants a user and a password"),
        (format!("http://me:secret@{closed}"), "(named by fetch.proxy): no connection"),
    ] {
        let client = client(&server, &url, |_| {});
        let error = client.open("https://data.test/a").err().unwrap().to_string();
        assert!(error.contains(expected) && !error.contains("secret"), "{error}");
    }
    assert_eq!(proxy.seen().len(), 3, "a few times, not for minutes");
}

#[test]
fn connections_through_a_proxy_are_kept_and_replaced_where_they_are_dead() {
    let (server, proxy) = web(|path, head, stream| {
        let answer = |path: &str| format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{path}", path.len());
        let _ = stream.write_all(answer(path).as_bytes());
        // The second request on a connection is read, and the connection closed without a word.
        let mut bytes = vec![0; head.len() + 100];
        let _ = stream.read(&mut bytes);
    });
    let client = client(&server, &proxy.url(), |config| config.proxy_names = ProxyNames::Never);
    for number in 0..6 {
        assert_eq!(ends(&client, &format!("http://img.test/{number}")), format!("/{number}"));
    }
    assert_eq!(proxy.seen().len(), 6, "every answer is from a connection of its own");
}
