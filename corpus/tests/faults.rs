//! What a store does when its server is slow, goes away, or forgets.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::sync::Mutex;

use bytes::Bytes;
use corpus::digest::Digest;
use corpus::record::DOCUMENTS;
use corpus::store::Place;
use corpus::{Store, verify};
use corpus_testing::fault::{Fault, Proxy, Request};
use corpus_testing::s3::{self, Server, seaweed};
use corpus_testing::{GivenRows, parts, run_stage_quietly};

/// Puts a proxy before a server which has each request to each path fail so many times, if it is one of those.
fn failing(
    server: &Server,
    fault: Fault,
    times: usize,
    is_one: impl Fn(&Request) -> bool + Send + Sync + 'static,
) -> Proxy {
    let failed = Mutex::new(BTreeMap::<String, usize>::new());
    Proxy::start(server.address(), move |request, _| {
        if !is_one(request) {
            return Fault::None;
        }
        let mut failed = failed.lock().unwrap();
        let count = failed.entry(format!("{} {}", request.method, request.path)).or_default();
        *count += 1;
        if *count <= times { fault } else { Fault::None }
    })
}

fn bytes(length: u32) -> Vec<u8> {
    (0..length).map(|place| (place.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

#[test]
fn what_fails_for_a_while_is_tried_again() {
    let Some(server) = seaweed() else { return };
    for fault in [Fault::SlowDown, Fault::Lost, Fault::AnswerLost] {
        let proxy = failing(server, fault, 2, |_| true);
        let prefix = s3::new_prefix();
        let store = server.store_by(proxy.address(), &prefix);
        assert!(store.put_if_absent("a/b", Bytes::from_static(b"hello")).unwrap(), "{fault:?}");
        assert!(!store.put_if_absent("a/b", Bytes::from_static(b"other")).unwrap(), "{fault:?}");
        assert_eq!(store.get("a/b").unwrap().unwrap(), Bytes::from_static(b"hello"));
        assert_eq!(store.open("a/b").unwrap().read(1, 3).unwrap(), Bytes::from_static(b"ell"));
        assert_eq!(store.names("a").unwrap(), ["a/b"]);
        store.replace("a/b", Bytes::from_static(b"again")).unwrap();
        assert_eq!(server.store(&prefix).get("a/b").unwrap().unwrap(), Bytes::from_static(b"again"));
        store.delete("a/b").unwrap();
        assert_eq!(server.store(&prefix).get("a/b").unwrap(), None);
    }
}

#[test]
fn an_answer_that_is_cut_is_read_to_its_end() {
    let Some(server) = seaweed() else { return };
    let (prefix, content) = (s3::new_prefix(), Bytes::from(bytes(3 << 20)));
    server.store(&prefix).replace("a/b", content.clone()).unwrap();
    let proxy = failing(server, Fault::AnswerCut, 2, |request| request.path.contains("a/b"));
    let store = server.store_by(proxy.address(), &prefix);
    assert_eq!(store.get("a/b").unwrap().unwrap(), content);
    let file = store.open("a/b").unwrap();
    assert_eq!(file.read(5, 2 << 20).unwrap(), content[5..5 + (2 << 20)]);
}

#[test]
fn a_put_whose_answer_was_lost_is_ours_only_if_it_holds_our_bytes() {
    let Some(server) = seaweed() else { return };
    let prefix = s3::new_prefix();
    let plain = server.store(&prefix);
    let proxy = failing(server, Fault::AnswerLost, 1, |request| request.method == "PUT");
    let store = server.store_by(proxy.address(), &prefix);
    assert!(store.put_if_absent("ours", Bytes::from_static(b"ours")).unwrap());
    plain.put_if_absent("theirs", Bytes::from_static(b"theirs")).unwrap();
    assert!(!store.put_if_absent("theirs", Bytes::from_static(b"ours")).unwrap());
    assert_eq!(plain.get("theirs").unwrap().unwrap(), Bytes::from_static(b"theirs"));
}

#[test]
fn an_upload_in_pieces_survives_the_loss_of_any_answer() {
    let Some(server) = seaweed() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (file, content) = (folder.path().join("file"), bytes(40 << 20));
    std::fs::write(&file, &content).unwrap();
    let digest = Digest::of(&content);
    for (fault, method) in [(Fault::SlowDown, "PUT"), (Fault::AnswerLost, "PUT"), (Fault::AnswerLost, "POST")]
    {
        let prefix = s3::new_prefix();
        let proxy = failing(server, fault, 1, move |request| request.method == method);
        let (store, path) = (server.store_by(proxy.address(), &prefix), format!("data/{}", digest.short()));
        assert!(store.put_file_if_absent(&path, &file, &digest).unwrap());
        let copy = server.store(&prefix).local_file(&path, &folder.path().join("copies")).unwrap();
        assert_eq!(Digest::of_file(&copy).unwrap().0, digest, "{fault:?} {method}");
    }
}

#[test]
fn what_lasts_may_pass_and_is_no_damage_and_what_is_refused_is_told_at_once() {
    let Some(server) = seaweed() else { return };
    let prefix = s3::new_prefix();
    let manifest = run_stage_quietly(&server.store(&prefix), &GivenRows::texts()).manifest().clone();
    let proxy = failing(server, Fault::SlowDown, usize::MAX, |request| request.path.contains("/data/"));
    let store = server.store_by(proxy.address(), &prefix);
    let error = verify::verify(&store, &manifest).unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    let variable = |name: &str| match name {
        "AWS_SECRET_ACCESS_KEY" => Some("another".to_owned()),
        _ => server
            .variables(proxy.address())
            .into_iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value),
    };
    let place = Place::parse(format!("s3://{}/{prefix}", s3::BUCKET).as_ref()).unwrap();
    let stranger = Store::open_at(&place, &variable).unwrap();
    assert!(stranger.open("a").is_err_and(|error| !error.is_transient()));
    assert!(verify::verify(&stranger, &manifest).is_err(), "what we may not read is not damaged");
    let before = proxy.requests().len();
    for refused in [
        stranger.put_if_absent("a", Bytes::new()).unwrap_err(),
        stranger.get("a").unwrap_err(),
        stranger.names("a").unwrap_err(),
    ] {
        let shown = format!("{refused:?}");
        assert!(!refused.is_transient() && !shown.contains("another"), "{shown}");
    }
    assert_eq!(proxy.requests().len(), before + 3);
}

#[test]
fn stale_listings_change_nothing() {
    let Some(server) = seaweed() else { return };
    let expected = run_stage_quietly(&Store::memory().unwrap(), &GivenRows::texts()).manifest().clone();
    let prefix = s3::new_prefix();
    let stale = |request: &Request, _| if request.is_listing() { Fault::Stale } else { Fault::None };
    let proxy = Proxy::start(server.address(), stale);
    let store = || server.store_by(proxy.address(), &prefix);
    assert_eq!(*run_stage_quietly(&store(), &GivenRows::texts()).manifest(), expected);
    // Without its manifest the stage is to be run again, and by the listing none of its tasks is done.
    let sealed = format!("ledger/given/{}/sealed.json", expected.fingerprint);
    server.store(&prefix).delete(&sealed).unwrap();
    assert_eq!(*run_stage_quietly(&store(), &GivenRows::texts()).manifest(), expected);
    assert_eq!(verify::verify(&server.store(&prefix), &expected).unwrap(), []);
}

#[test]
fn a_small_part_is_read_by_one_request() {
    let Some(server) = seaweed() else { return };
    let prefix = s3::new_prefix();
    let dataset = run_stage_quietly(&server.store(&prefix), &GivenRows::texts());
    let proxy = Proxy::start(server.address(), |_, _| Fault::None);
    let store = server.store_by(proxy.address(), &prefix);
    let again = corpus::Dataset::new(store, dataset.manifest().clone());
    assert_eq!(again.rows(DOCUMENTS).count(), 2_100);
    let parts = parts(&dataset);
    assert!(parts.iter().all(|part| part.bytes < 1 << 20));
    let asked: Vec<String> = proxy.requests().into_iter().map(|request| request.path).collect();
    let of_parts = asked.iter().filter(|path| path.contains("/data/"));
    assert_eq!(of_parts.count(), parts.len(), "{asked:?}");
}
