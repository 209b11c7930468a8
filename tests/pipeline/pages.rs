//! Saved pages from a folder to documents, and what is said of them on the way.

use std::fs;

use crate::support::Workspace;

const PROSE: &str = "The sea lies calm under its cliffs, where ships go by in the evening, and nobody counts them. In the \
    morning the boats come back, and the fish are sold on the quay before the sun is high. The people of the town know \
    every boat by its sail, and they wait for those that are late until the last light is gone.";

fn write_page(workspace: &Workspace, name: &str, head: &str, body: &str) {
    let page = format!(
        "<!DOCTYPE html><meta charset=utf-8><title>{name}</title>{head}<article><p>{body}</p></article>"
    );
    fs::write(workspace.path("saved").join(name), page).unwrap();
}

fn run(workspace: &Workspace, more: &[&str]) -> crate::support::Output {
    let arguments = ["run", "pages", "--dir", "out", "--set", "sources.input.path=saved"];
    workspace.kosmos(&[&arguments[..], more].concat())
}

#[test]
fn a_folder_of_saved_pages_becomes_documents() {
    let workspace = Workspace::new();
    fs::create_dir(workspace.path("saved")).unwrap();
    write_page(&workspace, "a.html", "<link rel=canonical href=https://h.example/a>", PROSE);
    write_page(&workspace, "b.html", "", &format!("Another town: {PROSE}"));
    write_page(&workspace, "c.html", "", PROSE);
    let _ = run(&workspace, &[]).success();
    let documents = workspace.rows("out", "text", "documents");
    let shown: Vec<_> = documents.iter().map(|row| (row["key"].as_str().unwrap(), &row["url"])).collect();
    assert_eq!(shown.len(), 2);
    assert!(shown[0].0.ends_with("saved/a.html") && shown[0].1 == "https://h.example/a", "{shown:?}");
    assert!(shown[1].0.ends_with("saved/b.html") && shown[1].1.is_null(), "{shown:?}");
    let dropped = workspace.rows("out", "text", "dropped");
    assert!(dropped[0]["value"].as_str().unwrap().ends_with("saved/a.html"), "{dropped:?}");

    fs::write(workspace.path("saved/c.html"), "another").unwrap();
    let refused = run(&workspace, &[]).failure(2);
    assert!(refused.contains("saved/c.html") && refused.contains("--rebuild input"), "{refused}");
}

#[test]
fn status_says_what_a_striking_share_means() {
    let workspace = Workspace::new();
    fs::create_dir(workspace.path("saved")).unwrap();
    for n in 0..120 {
        let body = if n % 3 == 0 { String::new() } else { format!("{n} {PROSE}") };
        write_page(&workspace, &format!("{n}.html"), "", &body);
    }
    let told = run(&workspace, &[]).success();
    let sentence = "input: 40 of 120 pages (33 %) are no_text: there is no text";
    assert!(told.contains(sentence), "{told}");
    let status = workspace.kosmos(&["status", "out"]).success();
    assert!(status.contains(sentence) && status.contains("33.3 %  no_text"), "{status}");
    let status: serde_json::Value =
        serde_json::from_str(&workspace.kosmos(&["status", "out", "--json"]).success()).unwrap();
    let input = status.as_array().unwrap().iter().find(|stage| stage["stage"] == "input").unwrap();
    assert!(input["advice"][0].as_str().unwrap().starts_with(sentence), "{input}");
}
