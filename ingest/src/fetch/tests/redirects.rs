//! Redirects, tokens and rests: what is followed, sent and waited for.

use super::super::client::Origin;
use super::*;

fn count(server: &Server) -> usize {
    server.requests.lock().unwrap().len()
}

#[test]
fn a_source_is_followed_on_its_own_host_and_not_into_a_private_network() {
    let other = Server::start(faults);
    let target = format!("http://127.0.0.1:{}/good", other.port);
    let server = Server::start(move |path, head, stream| match path {
        "/away" => reply(stream, &format!("302 Found\r\nLocation: {target}"), b""),
        "/meta" => reply(stream, "302 Found\r\nLocation: http://169.254.169.254/latest", b""),
        "/near" => reply(stream, "302 Found\r\nLocation: /good", b""),
        path => faults(path, head, stream),
    });
    let client = server.client(|_| {});
    let open = |path: &str| client.open(&format!("http://127.0.0.1:{}{path}", server.port)).map(|_| ());
    assert!(open("/near").is_ok());
    for path in ["/away", "/meta"] {
        let error = open(path).unwrap_err().to_string();
        assert!(error.contains("refused"), "{path}: {error}");
    }
    assert_eq!(count(&other), 0, "no request reaches it");
    let port = other.port;
    let client = server.client(|config| config.allow = vec![format!("127.0.0.1:{port}")]);
    let mut text = String::new();
    client
        .open(&format!("http://127.0.0.1:{}/away", server.port))
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!((text.as_str(), count(&other)), ("/good", 1));
}

#[test]
fn a_record_is_not_followed_to_the_host_of_a_source() {
    let server = Server::start(faults);
    let inner = format!("http://127.0.0.1:{}/good", server.port);
    let client = server.client(|_| {});
    let outcome = client.fetch_in_order([inner], &std::env::temp_dir()).next().unwrap();
    assert_eq!(outcome.result.unwrap_err().reason(), "address_refused");
    assert_eq!(count(&server), 0);
}

#[test]
fn as_many_redirects_as_are_allowed_are_followed() {
    let server = Server::start(|path, _, stream| match path.trim_start_matches('/').parse::<u32>() {
        Ok(0) | Err(_) => reply(stream, "200 OK", b"there"),
        Ok(left) => reply(stream, &format!("302 Found\r\nLocation: /{}", left - 1), b""),
    });
    let client = server.client(|config| config.redirects_max = 2);
    let reason = |left: u32| {
        let outcome = client
            .fetch_in_order([format!("https://web.example/{left}")], &std::env::temp_dir())
            .next()
            .unwrap();
        outcome.result.err().map_or("good".to_owned(), |error| error.reason())
    };
    assert_eq!((reason(2), reason(3)), ("good".to_owned(), "redirect_limit".to_owned()));
}

#[test]
fn a_token_is_for_sources_alone() {
    let server = Server::start(faults);
    let port = server.port;
    let client = server
        .client(|config| config.allow = vec![format!("127.0.0.1:{port}")])
        .with_bearer("127.0.0.1", "secret")
        .unwrap();
    let url = format!("http://127.0.0.1:{port}/good");
    for url in [url.clone(), "https://web.example/good".to_owned()] {
        let outcome = client.fetch_in_order([url], &std::env::temp_dir()).next().unwrap();
        assert!(outcome.result.is_ok());
    }
    assert!(!server.requests.lock().unwrap().join("").contains("secret"), "a record is told it");
    assert!(client.open(&url).is_ok());
    assert!(server.requests.lock().unwrap().join("").contains("Bearer secret"));
}

#[test]
fn a_token_goes_over_https_or_to_this_machine() {
    let server = Server::start(faults);
    let client = server.client(|_| {});
    let keeps = |url: &str, origin| {
        client.shared.route(&url::Url::parse(url).unwrap(), origin).unwrap().keeps_secrets
    };
    for url in ["https://hub.example/a", "http://127.0.0.1:1/a", "http://[::1]/a", "http://localhost/a"] {
        assert!(keeps(url, Origin::Config), "{url}");
    }
    for url in
        ["http://hub.example/a", "http://localhost.evil.example/a", "http://10.0.0.1/a", "http://8.8.8.8/a"]
    {
        assert!(!keeps(url, Origin::Config), "{url}");
    }
    assert!(!keeps("https://hub.example/a", Origin::Record));
}

#[test]
fn a_short_rest_of_a_busy_host_is_waited_for_and_a_long_one_is_not() {
    for status in ["429 Too Many Requests", "503 Service Unavailable"] {
        let answers = Mutex::new(0);
        let server = Server::start(move |_, _, stream| {
            *answers.lock().unwrap() += 1;
            match *answers.lock().unwrap() {
                1 => reply(stream, &format!("{status}\r\nRetry-After: 0"), b""),
                2 => reply(stream, "200 OK", b"rested"),
                _ => reply(stream, &format!("{status}\r\nRetry-After: 3600"), b""),
            }
        });
        let client = server.client(|_| {});
        let fetch = || {
            client
                .fetch_in_order(["https://web.example/a".to_owned()], &std::env::temp_dir())
                .next()
                .unwrap()
                .result
        };
        assert_eq!(fetch().unwrap().bytes, "rested", "{status}");
        assert_eq!(fetch().unwrap_err().reason(), format!("http_{}", &status[..3]));
        assert_eq!(fetch().unwrap_err().reason(), "host_resting");
        assert_eq!(count(&server), 3, "a host that rests is not asked");
    }
}

#[test]
fn a_rest_that_makes_no_sense_is_no_rest() {
    for asked in ["soon", "-1", "1.5", "99999999999999999999999", "Wed, 21 Oct 2037 07:28:00 GMT", ""] {
        let server = Server::start(move |_, _, stream| {
            reply(stream, &format!("503 Busy\r\nRetry-After: {asked}"), b"");
        });
        let client = server.client(|_| {});
        for _ in 0..2 {
            let outcome = client
                .fetch_in_order(["https://web.example/a".to_owned()], &std::env::temp_dir())
                .next()
                .unwrap();
            assert_eq!(outcome.result.unwrap_err().reason(), "http_503", "{asked:?}");
        }
        assert_eq!(count(&server), 2, "{asked:?}");
    }
    let server = Server::start(|_, _, stream| {
        reply(stream, &format!("503 Busy\r\nRetry-After: {}", u64::MAX), b"");
    });
    let outcome = server
        .client(|_| {})
        .fetch_in_order(["https://web.example/a".to_owned()], &std::env::temp_dir())
        .next()
        .unwrap();
    assert_eq!(outcome.result.unwrap_err().reason(), "http_503");
}

#[test]
fn a_source_waits_the_longer_of_both_times_within_the_bound() {
    let server = Server::start(faults);
    let client = server.client(|config| config.retry_wait_secs = 1.0);
    let pause =
        |attempt, asked: Option<u64>| client.shared.pause(attempt, asked.map(Duration::from_secs)).as_secs();
    assert_eq!((pause(0, None), pause(1, None), pause(3, None)), (1, 2, 8));
    assert_eq!((pause(0, Some(7)), pause(3, Some(7))), (7, 8));
    assert_eq!((pause(0, Some(30)), pause(0, Some(31)), pause(0, Some(u64::MAX))), (30, 30, 30));
    assert_eq!((pause(5, None), pause(u32::MAX, None)), (30, 30));
}

#[test]
fn a_rest_that_a_source_asks_for_is_kept() {
    let answers = Mutex::new(0);
    let server = Server::start(move |_, _, stream| {
        *answers.lock().unwrap() += 1;
        match *answers.lock().unwrap() {
            1 => reply(stream, "503 Busy\r\nRetry-After: 1", b""),
            _ => reply(stream, "200 OK", b"there"),
        }
    });
    let client = server.client(|_| {});
    let begun = Instant::now();
    assert!(client.open("https://web.example/a").is_ok());
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[test]
fn a_guarded_request_is_one_of_records_alone() {
    let server = Server::start(faults);
    let client = server.client(|_| {});
    let url = format!("http://127.0.0.1:{}/good", server.port);
    let ask = |origin| {
        let rest = super::super::client::Rest::default();
        client.handle().block_on(client.shared.get(&url, origin, &rest)).map(|_| ())
    };
    assert_eq!(ask(Origin::Config), Ok(()));
    for origin in [Origin::Record, Origin::Robots] {
        assert_eq!(ask(origin).unwrap_err().reason(), "address_refused");
    }
}
