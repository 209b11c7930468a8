//! Further request headers: whom they are sent to.

use super::*;
use crate::fetch::hidden::Hidden;

fn give(config: &mut Config, host: &str, headers: &[(&str, &str)]) {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), Hidden::from(*value)));
    config.headers.insert(host.to_owned(), headers.collect());
}

fn told(server: &Server) -> String {
    server.requests.lock().unwrap().join("").to_lowercase()
}

#[test]
fn headers_go_to_their_host_and_not_to_where_it_redirects() {
    let back = Server::start(faults);
    let target = format!("http://127.0.0.1:{}/good", back.port);
    let other = Server::start(move |path, head, stream| match path {
        "/back" => reply(stream, &format!("302 Found\r\nLocation: {target}"), b""),
        path => faults(path, head, stream),
    });
    let target = format!("http://localhost:{}", other.port);
    let server = Server::start(move |path, head, stream| match path {
        "/away" => reply(stream, &format!("302 Found\r\nLocation: {target}/good"), b""),
        "/there-and-back" => reply(stream, &format!("302 Found\r\nLocation: {target}/back"), b""),
        path => faults(path, head, stream),
    });
    let (here, there, again) = (server.port, other.port, back.port);
    let client = server.client(|config| {
        config.allow =
            vec![format!("127.0.0.1:{here}"), format!("localhost:{there}"), format!("127.0.0.1:{again}")];
        give(config, "127.0.0.1", &[("Referer", "http://page.example/"), ("Cookie", "id=s3cr3t")]);
        give(config, "localhost", &[("X-Plain", "plain"), ("Authorization", "Basic s3cr3t-too")]);
    });
    let urls = ["away", "there-and-back"].map(|path| format!("http://127.0.0.1:{here}/{path}"));
    for outcome in client.fetch_in_order(urls, &std::env::temp_dir()) {
        assert_eq!(outcome.result.unwrap().bytes, "/good");
    }
    assert!(
        told(&server).contains("referer: http://page.example/")
            && told(&server).contains("cookie: id=s3cr3t")
    );
    let there = told(&other);
    assert!(!there.contains("referer") && !there.contains("cookie"), "{there}");
    // Its own are for it, but a secret is not for whoever another host sends there.
    assert!(there.contains("x-plain: plain") && !there.contains("authorization"), "{there}");
    let again = told(&back);
    assert!(again.contains("referer") && !again.contains("cookie"), "{again}");
}

#[test]
fn sources_have_them_too_and_they_go_before_a_token() {
    let server = Server::start(faults);
    let change = |config: &mut Config| give(config, "127.0.0.1", &[("Authorization", "Basic own")]);
    let client = server.client(change).with_bearer("127.0.0.1", "token").unwrap();
    assert!(client.open(&format!("http://127.0.0.1:{}/good", server.port)).is_ok());
    assert!(told(&server).contains("authorization: basic own") && !told(&server).contains("bearer"));
}

#[test]
fn secrets_go_over_https_or_to_this_machine() {
    let server = Server::start(faults);
    let client = server.client(|config| {
        give(config, "*.example", &[("Authorization", "Basic s3cr3t"), ("Referer", "r")]);
    });
    let shared = &client.shared;
    let sent = |url: &str| {
        let route =
            shared.route(&url::Url::parse(url).unwrap(), super::super::client::Origin::Record).unwrap();
        let host = url.split('/').nth(2).unwrap();
        shared.headers.of(host, route.is_private).len()
    };
    assert_eq!((sent("https://img.example/a"), sent("http://img.example/a")), (2, 1));
}
