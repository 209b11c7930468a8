//! `kosmos extract`: a line for each page, whatever holds it.

use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::support::Workspace;

const PAGE: &str = "<!DOCTYPE html><meta charset=utf-8><title>Harbours</title>\
    <nav><a href=/>Home</a> <a href=/about>About us</a></nav>\
    <article><h1>Harbours</h1>\
    <p>The sea lies calm under its cliffs, where ships go by in the evening, and nobody counts them.</p>\
    <figure><img data-src='quay.jpg' alt='A quay'></figure>\
    <p>In the morning the boats come back, and the fish are sold on the quay before the sun is high.</p>\
    </article><footer>Copyright, all rights reserved</footer>";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn archive() -> Vec<u8> {
    let record = |mime: &str, body: &str| {
        let http = format!("HTTP/1.1 200 OK\r\nContent-Type: {mime}\r\n\r\n{body}");
        let head = format!(
            "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://harbour.example/a/\r\n\
             Content-Type: application/http; msgtype=response\r\nContent-Length: {}\r\n\r\n",
            http.len()
        );
        gzip(format!("{head}{http}\r\n\r\n").as_bytes())
    };
    [record("text/html", PAGE), record("image/gif", "GIF89a")].concat()
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn files_folders_and_archives_give_a_line_a_page() {
    let workspace = Workspace::new();
    fs::create_dir(workspace.path("pages")).unwrap();
    fs::write(workspace.path("pages/a.html"), PAGE).unwrap();
    fs::write(workspace.path("pages/b.html.gz"), gzip(PAGE.as_bytes())).unwrap();
    fs::write(workspace.path("pages/c.warc.gz"), archive()).unwrap();
    fs::write(workspace.path("pages/notes.csv"), "no page").unwrap();
    let output = workspace.kosmos(&["extract", "pages", "--json", "--workers", "2"]);
    assert!(output.stderr.contains("4 read, 3 kept, 1 dropped: "), "{}", output.stderr);
    let lines = lines(&output.success());
    let paths: Vec<&str> = lines.iter().map(|line| line["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["pages/a.html", "pages/b.html.gz", "pages/c.warc.gz"]);
    for line in &lines {
        assert_eq!(line["text"], lines[0]["text"]);
        assert_eq!((&line["title"], &line["language"]), (&"Harbours".into(), &"eng".into()));
        let text = line["text"].as_str().unwrap();
        assert!(text.contains("ships go by") && text.contains("sold on the quay"), "{text}");
        assert!(!text.contains("About us") && !text.contains("rights reserved"), "{text}");
    }
    assert_eq!(lines[2]["url"], "http://harbour.example/a/");
}

#[test]
fn images_stand_where_they_were_and_leave_the_text_as_it_is() {
    let workspace = Workspace::new();
    fs::write(workspace.path("a.html"), PAGE).unwrap();
    let url = "http://harbour.example/a/";
    let without = lines(&workspace.kosmos(&["extract", "a.html", "--json", "--url", url]).success());
    let with = lines(&workspace.kosmos(&["extract", "a.html", "--images", "--url", url]).success());
    assert_eq!(without[0]["text"], with[0]["text"]);
    let kinds = |line: &Value| -> Vec<String> {
        let segments = line["segments"].as_array().unwrap().iter();
        segments.map(|segment| segment["kind"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kinds(&without[0]), ["heading", "text", "text"]);
    assert_eq!(kinds(&with[0]), ["heading", "text", "image", "text"]);
    assert_eq!(with[0]["segments"][2]["url"], "http://harbour.example/a/quay.jpg");
    let stated = PAGE.replace("<title>", "<link rel=canonical href=http://harbour.example/b/><title>");
    fs::write(workspace.path("b.html"), stated).unwrap();
    let with = lines(&workspace.kosmos(&["extract", "b.html", "--images"]).success());
    assert_eq!(with[0]["url"], "http://harbour.example/b/");
    assert_eq!(with[0]["segments"][2]["url"], "http://harbour.example/b/quay.jpg");
}

#[test]
fn a_page_without_text_and_a_folder_without_pages_are_said() {
    let workspace = Workspace::new();
    fs::write(workspace.path("empty.html"), "<nav><a href=/>Home</a></nav>").unwrap();
    let output = workspace.kosmos(&["extract", "empty.html"]);
    assert!(output.stderr.contains("1 read, 0 kept, 1 dropped: no_text"), "{}", output.stderr);
    assert_eq!(lines(&output.success())[0]["reason"], "no_text");
    fs::create_dir(workspace.path("none")).unwrap();
    let _ = workspace.kosmos(&["extract", "none"]).failure(2);
    let missing = workspace.kosmos(&["extract", "empty.html", "--language-model", "lid.bin"]).failure(1);
    assert!(missing.contains("cannot read lid.bin"), "{missing}");
}
