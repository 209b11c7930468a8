//! `kosmos run images`: lists of URLs to shards, against servers that misbehave.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::net::Ipv4Addr;

use image::ImageFormat;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::Value;

use crate::support::names::Says;
use crate::support::{Workspace, hostile, names};

/// Authorities, and servers with a good, an expired, a foreign certificate, and one of their own.
pub(crate) struct Https {
    /// In PEM, one after the other.
    pub(crate) authority: String,
    /// Port by host name.
    pub(crate) hosts: BTreeMap<&'static str, u16>,
}

pub(crate) fn https() -> Https {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let mut hosts = BTreeMap::new();
    for (name, is_signed, year) in
        [("secure.test", true, 2090), ("expired.test", true, 2010), ("foreign.test", false, 2090)]
    {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(year, 1, 1);
        let certificate = match is_signed {
            true => params.signed_by(&key, &authority).unwrap(),
            false => params.self_signed(&key).unwrap(),
        };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let (address, _) = hostile::serve(Some(hostile::tls(certificate.der().clone(), key)));
        hosts.insert(name, address.port());
    }
    // A site whose one certificate is its own authority, as `openssl req -x509` makes it, and trusted.
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["own.test".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let own = params.self_signed(&key).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let (address, _) = hostile::serve(Some(hostile::tls(own.der().clone(), key)));
    hosts.extend([("own.test", address.port()), ("other.test", address.port())]);
    Https { authority: authority.pem() + &own.pem(), hosts }
}

/// Says that all names are on this machine but a few.
fn says(name: &str) -> Says {
    match name {
        "missing.test" => Says::NoSuchName,
        "failing.test" => Says::Failure,
        "metadata.test" => Says::Address(Ipv4Addr::new(169, 254, 169, 254)),
        _ => Says::Address(Ipv4Addr::LOCALHOST),
    }
}

pub(crate) const PATIENCE: [&str; 14] = [
    "--set",
    "fetch.deadline_secs=2",
    "--set",
    "fetch.idle_timeout_secs=1",
    "--set",
    "fetch.connect_timeout_secs=1",
    "--set",
    "fetch.dns.timeout_secs=0.3",
    "--set",
    "fetch.dns.retries_max=0",
    "--set",
    "fetch.body_bytes_max=5000000",
    "--set",
    "fetch.retry_after_secs_max=3",
];

/// Runs `images` on a list, with hosts opened and the name server asked.
fn run(workspace: &Workspace, list: &str, allow: &[String], more: &[&str]) -> String {
    let names = names::serve(says);
    let source = format!("sources.input.path={list}");
    let allow = format!("fetch.allow={}", serde_json::to_string(allow).unwrap());
    let servers = format!("fetch.dns.servers=[\"{names}\"]");
    let mut arguments = vec!["run", "images", "--dir", "out"];
    for set in [&source, &allow, &servers] {
        arguments.extend(["--set", set]);
    }
    arguments.extend(PATIENCE);
    arguments.extend(more);
    let authority = workspace.path("authority.pem");
    let variables = [("SSL_CERT_FILE", authority.to_str().unwrap())];
    workspace.kosmos_in(if authority.exists() { &variables } else { &[] }, &arguments).success()
}

fn text<'v>(row: &'v Value, column: &str) -> &'v str {
    row[column].as_str().unwrap_or_default()
}

/// Returns what became of every URL in the end: `kept` or the reason.
pub(crate) fn ends(workspace: &Workspace, dir: &str) -> BTreeMap<String, String> {
    let passes = ["images.pass0", "images.pass1"];
    let rows = passes.into_iter().flat_map(|stage| workspace.rows(dir, stage, "fetched"));
    let end = |row: Value| {
        let reason = if text(&row, "status") == "kept" { "kept" } else { text(&row, "reason") };
        (text(&row, "url").to_owned(), reason.to_owned())
    };
    rows.map(end).collect()
}

#[test]
fn every_fault_ends_as_a_row_of_its_class() {
    let workspace = Workspace::new();
    let https = https();
    fs::write(workspace.path("authority.pem"), &https.authority).unwrap();
    let (http, _) = hostile::serve(None);
    let resetting = hostile::resetting();
    let here = |path: &str| format!("http://127.0.0.1:{}/{path}", http.port());
    let host = |name: &str, path: &str| format!("https://{name}:{}/{path}", https.hosts[name]);
    let expected: BTreeMap<String, &str> = [
        (here("good-1.png"), "kept"),
        (here("good-2.jpg"), "kept"),
        (here("moved"), "kept"),
        (here("429-short"), "kept"),
        (here("500-once"), "kept"),
        (format!("http://named.test:{}/good-4.png", http.port()), "kept"),
        (host("secure.test", "good-5.png"), "kept"),
        (host("own.test", "good-6.png"), "kept"),
        (host("other.test", "x.png"), "tls"),
        (host("expired.test", "x.png"), "tls"),
        (host("foreign.test", "x.png"), "tls"),
        (here("404"), "http_404"),
        (here("403"), "http_403"),
        (here("500"), "http_500"),
        // Tried again in the second pass, in which the host still wants to be left alone.
        (format!("http://resting.test:{}/429-long", http.port()), "host_resting"),
        (here("loop"), "redirect_limit"),
        (here("metadata"), "address_refused"),
        (here("stall"), "timeout"),
        (here("drip"), "timeout"),
        (here("reset"), "connect"),
        (format!("http://127.0.0.1:{}/x", resetting.port()), "connect"),
        ("http://127.0.0.1:1/x.png".to_owned(), "address_refused"),
        ("http://localhost/x.png".to_owned(), "address_refused"),
        ("http://metadata.test/x.png".to_owned(), "address_refused"),
        ("http://missing.test/x.png".to_owned(), "dns"),
        ("http://failing.test/x.png".to_owned(), "dns_failed"),
        (here("short"), "body_truncated"),
        (here("bomb.gz"), "body_too_large"),
        (here("large"), "body_too_large"),
        (here("endless"), "body_too_large"),
        (here("huge.png"), "pixels_too_many"),
        (here("cut.jpg"), "image_broken"),
        (here("html"), "not_an_image"),
        (here("avif"), "format_unsupported"),
        (here("noai"), "robots_tag"),
        (here("garbage"), "http_broken"),
        ("ftp://h.test/x.png".to_owned(), "scheme_refused"),
        ("http://?x".to_owned(), "url_invalid"),
    ]
    .into();
    let mut list = "id\turl\tcaption\tlicense\n".to_owned();
    for (row, url) in expected.keys().enumerate() {
        writeln!(list, "row-{row}\t{url}\tcaption {row}\tCC-BY").unwrap();
    }
    // The same pair again is a duplicate; a row without a URL is broken.
    list += &list.lines().nth(1).map(|line| format!("{line}\nrow-x\t\tno url\t\n")).unwrap();
    fs::write(workspace.path("urls.tsv"), list).unwrap();
    let ports = https.hosts.iter().map(|(name, port)| format!("{name}:{port}"));
    let open = [format!("127.0.0.1:{}", http.port()), format!("127.0.0.1:{}", resetting.port())];
    let allow: Vec<String> = ports
        .chain(open)
        .chain(["named.test", "resting.test"].map(|name| format!("{name}:{}", http.port())))
        .collect();
    let extra = ["--set", "sources.input.format.pairs.extra=[\"license\"]"];
    run(&workspace, "urls.tsv", &allow, &extra);

    let found = ends(&workspace, "out");
    let expected: BTreeMap<String, String> =
        expected.into_iter().map(|(url, end)| (url, end.to_owned())).collect();
    for (url, end) in &expected {
        assert_eq!(found.get(url), Some(end), "{url}");
    }
    assert_eq!(found.len(), expected.len());
    let kept = expected.values().filter(|end| *end == "kept").count();
    let images = ["images.pass0", "images.pass1"].map(|stage| workspace.rows("out", stage, "images"));
    let images = images.concat();
    assert_eq!(images.len(), kept);
    for image in &images {
        let place = &image["uses"][0];
        assert!(text(place, "key").starts_with("row-") && text(place, "extra").contains("CC-BY"), "{image}");
    }
    let removed = |stage: &str, stream: &str| workspace.rows("out", stage, stream);
    assert_eq!(text(&removed("input", "failed")[0], "reason"), "no_url");
    assert_eq!(text(&removed("pairs", "dropped")[0], "reason"), "duplicate");
    workspace.kosmos(&["verify", "out"]).success();

    let summary = workspace.kosmos(&["export", "webdataset", "out", "tar"]).success();
    assert!(summary.starts_with(&format!("{kept} images in 1 files")), "{summary}");
    let file = fs::File::open(workspace.path("tar").join("00000.tar")).unwrap();
    let mut archive = tar::Archive::new(file);
    let mut names: Vec<String> = Vec::new();
    for entry in archive.entries().unwrap() {
        let entry = entry.unwrap();
        let name = entry.path().unwrap().to_str().unwrap().to_owned();
        if name.ends_with(".json") {
            let sample: Value = serde_json::from_reader(entry).unwrap();
            assert_eq!(sample["license"], "CC-BY");
            assert_eq!(sample["key"], name.trim_end_matches(".json"));
        }
        names.push(name);
    }
    assert_eq!(names.len(), 3 * kept);
    assert_eq!(names[..3], ["000000000.jpg", "000000000.txt", "000000000.json"]);
}

#[test]
fn robots_txt_is_read_once_and_respected_if_asked_to() {
    let workspace = Workspace::new();
    let (http, seen) = hostile::serve(None);
    let urls = ["private/a.jpg", "good-1.png", "good-2.png", "private/b.jpg"];
    let list: String = urls.map(|path| format!("http://127.0.0.1:{}/{path}\n", http.port())).concat();
    fs::write(workspace.path("urls.txt"), list).unwrap();
    let allow = [format!("127.0.0.1:{}", http.port())];
    run(&workspace, "urls.txt", &allow, &["--set", "fetch.robots_txt=true"]);
    let ends: Vec<String> = ends(&workspace, "out").into_values().collect();
    assert_eq!(ends, ["kept", "kept", "robots_txt", "robots_txt"]);
    let seen = seen.lock().unwrap();
    assert_eq!(seen.iter().filter(|path| *path == "/robots.txt").count(), 1);
    assert!(!seen.iter().any(|path| path.starts_with("/private")), "{seen:?}");
}

#[test]
fn an_image_that_is_not_the_stated_one_is_failed() {
    let workspace = Workspace::new();
    let (http, _) = hostile::serve(None);
    let url = |number: u32| format!("http://127.0.0.1:{}/good-{number}.png", http.port());
    let right = corpus::digest::Digest::of(&hostile::picture(1, ImageFormat::Png));
    let rows = [(1, right.as_str().to_owned()), (2, "00".repeat(32))];
    let list: Vec<Value> =
        rows.iter().map(|(n, sha256)| serde_json::json!({"url": url(*n), "sha256": sha256})).collect();
    fs::write(workspace.path("urls.json"), serde_json::to_string_pretty(&list).unwrap()).unwrap();
    let allow = [format!("127.0.0.1:{}", http.port())];
    run(
        &workspace,
        "urls.json",
        &allow,
        &["--set", "sources.input.format.pairs.layout.columns.sha256=sha256"],
    );
    let expected = [(url(1), "kept".to_owned()), (url(2), "digest_mismatch".to_owned())];
    assert_eq!(ends(&workspace, "out"), BTreeMap::from(expected));
}

#[test]
fn a_list_that_grew_fetches_what_is_new() {
    let workspace = Workspace::new();
    let (http, seen) = hostile::serve(None);
    let list = |numbers: std::ops::Range<u32>| {
        let url = |n| format!("http://127.0.0.1:{}/good-{n}.png\n", http.port());
        numbers.map(url).collect::<String>()
    };
    fs::write(workspace.path("first.txt"), list(0..20)).unwrap();
    fs::write(workspace.path("second.txt"), list(15..30)).unwrap();
    let allow = [format!("127.0.0.1:{}", http.port())];
    run(&workspace, "first.txt", &allow, &[]);
    let before = workspace.rows("out", "images.pass0", "images");
    seen.lock().unwrap().clear();
    run(&workspace, "{first,second}.txt", &allow, &["--rebuild", "input.files"]);
    let mut asked = seen.lock().unwrap().clone();
    asked.sort();
    let expected: Vec<String> = (20..30).map(|number| format!("/good-{number}.png")).collect();
    assert_eq!(asked, expected);
    // The old images are those of the first run, but for who wants them.
    let after = workspace.rows("out", "images.pass0", "images");
    assert_eq!((before.len(), after.len()), (20, 30));
    let digests = |rows: &[Value]| -> std::collections::BTreeSet<String> {
        rows.iter().map(|row| text(row, "sha256").to_owned()).collect()
    };
    assert_eq!(digests(&after).len(), 30);
    workspace.kosmos(&["verify", "out"]).success();
}

#[test]
fn images_that_look_alike_are_left_out() {
    let workspace = Workspace::new();
    let (http, _) = hostile::serve(None);
    let url = |path: &str| format!("http://127.0.0.1:{}/{path}", http.port());
    // `x` and `y` are the same picture as JPEG; `good-7.png` is it without loss.
    let paths = ["x", "y", "good-7.png", "good-11.png", "good-23.png"];
    let list = paths.map(|path| format!("{}\n", url(path))).concat();
    fs::write(workspace.path("urls.txt"), list).unwrap();
    fs::create_dir(workspace.path("held-out")).unwrap();
    fs::write(workspace.path("held-out/a.jpg"), hostile::picture(23, ImageFormat::Jpeg)).unwrap();
    let allow = [format!("127.0.0.1:{}", http.port())];
    let sets = ["image_duplicates.hamming_max=4", "image_duplicates.evaluation.mine=held-out"];
    run(&workspace, "urls.txt", &allow, &["--set", sets[0], "--set", sets[1]]);
    let mut reasons: Vec<String> = workspace
        .rows("out", "images.duplicates", "duplicates")
        .iter()
        .map(|row| text(row, "reason").to_owned())
        .collect();
    reasons.sort();
    assert_eq!(reasons.len(), 3, "{reasons:?}");
    assert!(reasons.contains(&"evaluation".to_owned()), "{reasons:?}");
    let summary = workspace.kosmos(&["export", "webdataset", "out", "tar"]).success();
    assert!(summary.starts_with("2 images"), "{summary}");
}

#[test]
fn a_process_that_was_stopped_blames_no_server() {
    let workspace = Workspace::new();
    let (http, seen) = hostile::serve(None);
    fs::write(workspace.path("list.txt"), format!("http://{http}/late.jpg\n")).unwrap();
    let allow = format!("fetch.allow=[\"{http}\"]");
    let mut arguments = vec!["run", "images", "--dir", "out", "--until", "images.pass0"];
    arguments.extend(["--set", "sources.input.path=list.txt", "--set", &allow]);
    arguments.extend(PATIENCE);
    let mut child = workspace.spawn(&arguments);
    while seen.lock().unwrap().is_empty() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let signal = |name: &str| {
        let status = std::process::Command::new("kill").args([name, &child.id().to_string()]).status();
        assert!(status.unwrap().success());
    };
    signal("-STOP");
    // Beyond the deadline of two seconds.
    std::thread::sleep(std::time::Duration::from_secs(5));
    signal("-CONT");
    assert!(child.wait().unwrap().success());
    let fetched = workspace.rows("out", "images.pass0", "fetched");
    assert_eq!(fetched[0]["status"], "kept", "{fetched:?}");
    assert_eq!(*seen.lock().unwrap(), ["/late.jpg"; 2], "asked again, since the deadline had passed");
}
