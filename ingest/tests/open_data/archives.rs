//! Archives of other projects' tests, whole and damaged.

use corpus::record::PAGES;
use std::fs::File;
use std::path::Path;

use ingest::warc::{Entry, Reader};
use serde_json::json;

use crate::{files, open_data, run};

#[test]
fn every_archive_is_read_to_its_end_and_nothing_panics() {
    let Some(data) = open_data() else { return };
    let files = files(&data.join("warc"));
    assert!(files.len() > 70);
    let scratch = tempfile::tempdir().unwrap();
    let config = json!({"code": 2, "files": files, "format": {"crawl": {}}});
    let dataset = run(scratch.path(), config);
    let counts = &dataset.manifest().report.units["records"];
    assert!(counts.kept > 100, "{counts:?}");
    assert!(counts.failed.contains_key("gzip_broken"), "{counts:?}");
    assert!(!counts.failed.contains_key("panic"), "{counts:?}");
    for page in dataset.rows(PAGES) {
        assert!(!page.unwrap().text().trim().is_empty());
    }
}

fn entries(path: &Path) -> Vec<Entry> {
    Reader::new(File::open(path).unwrap()).unwrap().map(Result::unwrap).collect()
}

fn count(entries: &[Entry]) -> usize {
    entries.iter().filter(|entry| matches!(entry, Entry::Record(_))).count()
}

/// Records and damages of archives that other readers are tested with; `whirlwind` by every container.
const ARCHIVES: [(&str, usize, usize); 16] = [
    ("aut__src_test_resources_arc_example.arc.gz", 300, 0),
    ("chatnoir-resiliparse__tests_data_clueweb-quirk.warc.gz", 30, 0),
    ("chatnoir-resiliparse__tests_data_warcfile.warc", 50, 0),
    ("chatnoir-resiliparse__tests_data_warcfile.warc.lz4", 50, 0),
    ("derived/whirlwind-python__whirlwind.dict.warc.zst", 4, 0),
    ("derived/whirlwind-python__whirlwind.onestream.warc.zst", 4, 0),
    ("derived/whirlwind-python__whirlwind.perrecord.warc.zst", 4, 0),
    ("derived/whirlwind-python__whirlwind.cut.warc.gz", 2, 1),
    ("gowarc__testdata_warcs_corrupted-mid-record.warc.gz.open", 12, 1),
    ("jwat__jwat-arc_src_test_resources_small_BNF.arc", 6, 0),
    ("jwat__jwat-warc_src_test_resources_valid-warcfile-fields-metainfo.warc", 1, 0),
    ("jwat__jwat-warc_src_test_resources_valid-warcfile-fields-warcinfo.warc", 1, 0),
    ("warcio__test_data_example.arc", 2, 0),
    // Its response is two bytes longer than it says: a body that is cut is not kept as a whole one.
    ("warcio__test_data_example-trunc.warc", 3, 1),
    ("whirlwind-python__whirlwind.warc.gz", 4, 0),
    ("whirlwind-python__whirlwind.warc.wet.gz", 2, 0),
];

#[test]
fn records_of_known_archives_are_counted_as_other_readers_count_them() {
    let Some(data) = open_data() else { return };
    for (name, records, damages) in ARCHIVES {
        let entries = entries(&data.join("warc").join(name));
        let found = count(&entries);
        assert_eq!((found, entries.len() - found), (records, damages), "{name}");
    }
}

#[test]
fn a_damaged_archive_loses_the_damaged_record_alone() {
    let Some(data) = open_data() else { return };
    let entries = |name: &str| entries(&data.join("warc").join(name));
    let whole = entries("whirlwind-python__whirlwind.warc.gz");
    let one = entries("derived/whirlwind-python__whirlwind.onemember.warc.gz");
    let flipped = entries("derived/whirlwind-python__whirlwind.flipped.warc.gz");
    assert_eq!(count(&whole), whole.len());
    assert_eq!(count(&one), whole.len());
    assert_eq!((count(&flipped), flipped.len()), (whole.len() - 1, whole.len()));
}
