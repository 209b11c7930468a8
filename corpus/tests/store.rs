//! What every store does, whatever holds its objects: memory, a folder, a bucket of a real server.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::Read;
use std::sync::Barrier;
use std::thread;

use bytes::Bytes;
use corpus::digest::Digest;
use corpus::record::DOCUMENTS;
use corpus::{Store, verify};
use corpus_testing::s3::{self, Server};
use corpus_testing::{GivenRows, parts, rows, run_stage_quietly};
use parquet::file::reader::{ChunkReader, Length};

/// Opens a store as another process would, again and again the same.
type Open = Box<dyn Fn() -> Store + Sync>;

/// Runs a test on all stores that there are here.
fn everywhere(test: impl Fn(&Open)) {
    let memory = Store::memory().unwrap();
    test(&(Box::new(move || memory.clone()) as Open));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    test(&(Box::new(move || Store::local(&path).unwrap()) as Open));
    for server in [s3::seaweed(), s3::moto()].into_iter().flatten() {
        test(&in_bucket(server));
    }
}

fn in_bucket(server: &'static Server) -> Open {
    let prefix = s3::new_prefix();
    Box::new(move || server.store(&prefix))
}

fn named(digest: &Digest, folder: &str) -> String {
    format!("{folder}/00000-0-{}.bin", digest.short())
}

#[test]
fn an_object_is_written_once_and_read_whole_and_by_range() {
    everywhere(|open| {
        let store = open();
        assert!(store.is_empty("").unwrap());
        assert!(store.put_if_absent("a/b", Bytes::from_static(b"hello")).unwrap());
        assert!(!store.put_if_absent("a/b", Bytes::from_static(b"other")).unwrap());
        // Equal bytes do not make it ours.
        assert!(!open().put_if_absent("a/b", Bytes::from_static(b"hello")).unwrap());
        assert_eq!(open().get("a/b").unwrap().unwrap(), Bytes::from_static(b"hello"));
        assert_eq!(store.get("a/c").unwrap(), None);
        assert_eq!(store.get("a").unwrap_or(None), None);
        let file = open().open("a/b").unwrap();
        assert_eq!((file.len(), file.read(1, 3).unwrap()), (5, Bytes::from_static(b"ell")));
        assert!(file.read(3, 3).is_err());
        let mut text = String::new();
        file.get_read(2).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "llo");
        assert!(store.open("a/c").is_err());
        assert!(store.put_if_absent("empty", Bytes::new()).unwrap());
        assert_eq!(store.open("empty").unwrap().len(), 0);
        assert!(!store.is_empty("").unwrap());
    });
}

#[test]
fn objects_are_listed_replaced_and_removed() {
    everywhere(|open| {
        let store = open();
        for path in ["a/y/2", "a/x/1", "a/x/3", "ab/4", "top"] {
            store.put_if_absent(path, Bytes::copy_from_slice(path.as_bytes())).unwrap();
        }
        let all = ["a/x/1", "a/x/3", "a/y/2"];
        assert_eq!(open().list("a").unwrap(), all.map(|path| (path.to_owned(), 5)));
        assert_eq!(open().names("a").unwrap(), all);
        assert_eq!(store.names("").unwrap().len(), 5);
        assert_eq!(store.folders("a").unwrap(), ["x", "y"]);
        assert_eq!(store.folders("").unwrap(), ["a", "ab"]);
        assert!(store.names("nothing").unwrap().is_empty() && store.folders("nothing").unwrap().is_empty());
        assert!(store.is_empty("nothing").unwrap() && !store.is_empty("a").unwrap());
        assert_eq!(store.open("a/x/1").unwrap().len(), 5);
        store.replace("a/x/1", Bytes::from_static(b"more than it was")).unwrap();
        assert_eq!(open().get("a/x/1").unwrap().unwrap(), Bytes::from_static(b"more than it was"));
        assert_eq!(store.open("a/x/1").unwrap().len(), 16, "nothing of the old one is remembered");
        store.replace("new", Bytes::new()).unwrap();
        store.delete("a/x/1").unwrap();
        store.delete("a/x/1").unwrap();
        assert_eq!(open().get("a/x/1").unwrap(), None);
        assert!(store.open("a/x/1").is_err());
        store.delete_all(["a/x/3", "a/y/2", "gone", "new", "top"].into_iter()).unwrap();
        // Some servers show a folder for a while after its last object is gone.
        assert_eq!(open().names("").unwrap(), ["ab/4"]);
    });
}

#[test]
fn of_four_who_put_one_path_exactly_one_made_it() {
    everywhere(|open| {
        let stores = [0; 4].map(|_| open());
        for race in 0..20 {
            let (path, start) = (format!("race/{race}"), Barrier::new(stores.len()));
            let put = |(racer, store): (usize, &Store)| {
                start.wait();
                store.put_if_absent(&path, racer.to_string().into()).unwrap()
            };
            let made: Vec<usize> = thread::scope(|scope| {
                let racers: Vec<_> =
                    stores.iter().enumerate().map(|each| scope.spawn(move || put(each))).collect();
                let made =
                    racers.into_iter().enumerate().map(|(racer, ended)| (racer, ended.join().unwrap()));
                made.filter(|(_, made)| *made).map(|(racer, _)| racer).collect()
            });
            assert_eq!(made.len(), 1, "race {race}: {made:?}");
            assert_eq!(open().get(&path).unwrap().unwrap(), made[0].to_string().as_bytes());
        }
    });
}

#[test]
fn files_of_any_size_are_put_under_their_digests_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let (file, copies) = (folder.path().join("file"), folder.path().join("copies"));
    everywhere(|open| {
        for length in [0, 7, (16 << 20) + 1, (40 << 20) + 13] {
            let bytes: Vec<u8> =
                (0..length).map(|place: u32| (place.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
            std::fs::write(&file, &bytes).unwrap();
            let digest = Digest::of(&bytes);
            let (store, path) = (open(), named(&digest, "data"));
            assert!(store.put_file_if_absent("data/other", &file, &digest).is_err());
            assert!(store.put_file_if_absent(&path, &file, &digest).unwrap());
            assert!(!open().put_file_if_absent(&path, &file, &digest).unwrap());
            let copy = open().local_file(&path, &copies).unwrap();
            assert_eq!(Digest::of_file(&copy).unwrap(), (digest.clone(), bytes.len() as u64), "{length}");
            let opened = open().open(&path).unwrap();
            for (start, count) in
                [(0, 1), (bytes.len() / 3, bytes.len() / 2), (bytes.len().saturating_sub(9), 9)]
            {
                let count = count.min(bytes.len() - start.min(bytes.len()));
                assert_eq!(opened.read(start as u64, count).unwrap(), bytes[start..start + count]);
            }
            // What is damaged is replaced as a whole.
            store.replace(&path, Bytes::from_static(b"damaged")).unwrap();
            store.replace_file(&path, &file, &digest).unwrap();
            let again = open().local_file(&path, &copies).unwrap();
            assert_eq!(Digest::of_file(&again).unwrap().0, digest);
        }
    });
}

#[test]
fn a_listing_of_more_than_a_page_is_whole() {
    const COUNT: usize = 1_203;
    everywhere(|open| {
        let stores = [0; 8].map(|_| open());
        thread::scope(|scope| {
            for (first, store) in stores.iter().enumerate() {
                scope.spawn(move || {
                    for number in (first..COUNT).step_by(8) {
                        assert!(
                            store
                                .put_if_absent(&format!("many/{number:05}"), Bytes::from_static(b"x"))
                                .unwrap()
                        );
                    }
                });
            }
        });
        let names = open().names("many").unwrap();
        assert!(names.iter().eq(&(0..COUNT).map(|number| format!("many/{number:05}")).collect::<Vec<_>>()));
        assert_eq!(open().list("many").unwrap().len(), COUNT);
        open().delete_all(names.iter().map(String::as_str)).unwrap();
        assert!(open().is_empty("many").unwrap());
    });
}

#[test]
fn a_stage_has_the_same_manifest_everywhere_and_its_damage_is_found() {
    let stage = GivenRows::texts();
    let expected = run_stage_quietly(&Store::memory().unwrap(), &stage).manifest().clone();
    everywhere(|open| {
        let dataset = run_stage_quietly(&open(), &stage);
        assert_eq!(*dataset.manifest(), expected);
        assert_eq!(rows(&dataset, DOCUMENTS), stage.parts.concat());
        assert_eq!(verify::verify(&open(), &expected).unwrap(), []);
        let parts = parts(&dataset);
        let (damaged, missing) = (&parts[0].path, &parts[2].path);
        open().replace(damaged, Bytes::from_static(b"damaged")).unwrap();
        open().delete(missing).unwrap();
        let found = verify::verify(&open(), &expected).unwrap();
        assert!(found.iter().map(|finding| &finding.path).eq([damaged, missing]), "{found:?}");
    });
}
