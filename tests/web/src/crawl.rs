//! Two crawls of two WARC files each, three of which have one damaged member.

mod response;

use std::collections::BTreeMap;
use std::io;

use self::response::{Author, Kind, SHARES};
use crate::config::Config;
use crate::prose::Prose;
use crate::random::{assign, stream};
use crate::truth::{DocumentRef, Truth};
use crate::warc::{Damage, Day, Writer, gzip};

pub(crate) use self::response::{PAGE_HOSTS, page_drawing};

/// Seconds of the crawl that one file holds.
const FILE_SECS: u32 = 10_800;

/// One WARC file: crawl, path below it, day, and the damage done in its middle.
const FILES: [(&str, &str, Day, Damage); 4] = [
    (
        "CC-MAIN-2020-50",
        "segments/1606141163411.0/warc/CC-MAIN-20201123153826-20201123183826-00000.warc.gz",
        NOVEMBER,
        Damage::Cut,
    ),
    (
        "CC-MAIN-2020-50",
        "segments/1606141163411.0/warc/CC-MAIN-20201123153826-20201123183826-00001.warc.gz",
        NOVEMBER,
        Damage::Flipped,
    ),
    (
        "CC-MAIN-2021-04",
        "segments/1610703495901.0/warc/CC-MAIN-20210115134101-20210115164101-00000.warc.gz",
        JANUARY,
        Damage::None,
    ),
    (
        "CC-MAIN-2021-04",
        "segments/1610703495901.0/warc/CC-MAIN-20210115134101-20210115164101-00001.warc.gz",
        JANUARY,
        Damage::Flipped,
    ),
];
const NOVEMBER: Day = Day { date: "2020-11-23", http: "Mon, 23 Nov 2020", start_secs: 56_306 };
const JANUARY: Day = Day { date: "2021-01-15", http: "Fri, 15 Jan 2021", start_secs: 49_261 };

/// Writes all WARC files and their lists of paths, by path below the host, and counts
/// what is expected of them. `singles` are stories of the Pile to be copied.
pub(crate) fn build(
    config: &Config,
    singles: Vec<(DocumentRef, Prose)>,
    truth: &mut Truth,
) -> BTreeMap<String, io::Result<Vec<u8>>> {
    let kinds = assign(config.pages, &SHARES, Kind::Story, &mut stream(config.seed, "crawl", 0));
    let mut author = Author::new(config.seed, singles, truth);
    let per_file = kinds.len().div_ceil(FILES.len()).max(1);
    let mut files = BTreeMap::new();
    let mut lists: BTreeMap<&str, String> = BTreeMap::new();
    let mut chunks = kinds.chunks(per_file);
    for (number, (crawl, below, day, damage)) in FILES.into_iter().enumerate() {
        let path = format!("crawl-data/{crawl}/{below}");
        let kinds = chunks.next().unwrap_or_default();
        let first = (number * per_file) as u32;
        let bytes = file(&mut author, crawl, &path, day, damage, kinds, first);
        lists.entry(crawl).or_default().push_str(&format!("{path}\n"));
        files.insert(path, bytes);
    }
    for (crawl, list) in lists {
        files.insert(format!("crawl-data/{crawl}/warc.paths.gz"), gzip(&list));
    }
    files
}

/// Writes one WARC file; `first` is the number of its first response in the world.
fn file(
    author: &mut Author<'_>,
    crawl: &str,
    path: &str,
    day: Day,
    damage: Damage,
    kinds: &[Kind],
    first: u32,
) -> io::Result<Vec<u8>> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let mut writer = Writer::new(crawl, name, day, stream(author.seed, path, 0))?;
    let count = kinds.len() as u32;
    for (row, kind) in (0..count).zip(kinds) {
        let offset_secs = u64::from(row) * u64::from(FILE_SECS) / u64::from(count);
        let offset_secs = offset_secs as u32;
        if damage != Damage::None && row == count / 2 {
            writer.add(&author.lost(path), offset_secs, damage)?;
            author.truth.crawl.fail("gzip_broken");
            author.truth.crawl_files.entry(path.to_owned()).or_default().fail("gzip_broken");
        }
        let capture = author.capture(*kind, first + row);
        let counts = author.truth.crawl_files.entry(path.to_owned()).or_default();
        for counts in [counts, &mut author.truth.crawl] {
            match kind {
                Kind::NotFound | Kind::Moved => counts.drop("status"),
                Kind::NotHtml => counts.drop("mime"),
                _ => counts.keep(),
            }
        }
        writer.add(&capture, offset_secs, Damage::None)?;
    }
    Ok(writer.finish())
}

#[cfg(test)]
mod tests;
