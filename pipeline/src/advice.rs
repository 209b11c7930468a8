//! What a striking share of reasons means, in a sentence: a pure function of counts.
//!
//! Most reasons say nothing when they are rare: a list has dead links, a crawl has pages without text. Where one
//! cause stands behind a good part of what was read, it is often on this machine, or in a setting.

use std::collections::BTreeMap;

use corpus::{Counts, Description, Report};
use images::flow::PASSES;
use ingest::FILE_UNIT;

use crate::number::{counted, grouped};

/// Records from which on a share tells anything.
const RECORDS_MIN: u64 = 100;
/// Shares of all that was read from which on a cause is told: what is on this machine early, what is usual late.
const OURS_SHARE_MIN: f64 = 0.1;
const USUAL_SHARE_MIN: f64 = 0.3;
const RULE_SHARE_MIN: f64 = 0.8;

/// Which stages a cause is looked for in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Causes {
    /// Fetching images, all passes together.
    Images,
    /// Reading a source.
    Source,
    /// Rules and whatever else removes records on purpose.
    Judgement,
}

/// Reasons of one cause, and what it means that there are so many.
struct Cause {
    of: Causes,
    /// Reasons; one that ends with a star stands for all that begin so.
    reasons: &'static [&'static str],
    share_min: f64,
    meaning: &'static str,
}

const CAUSES: [Cause; 21] = [
    Cause {
        of: Causes::Images,
        reasons: &["dns_failed"],
        share_min: OURS_SHARE_MIN,
        meaning: "no name server answered: the cause is the resolver, not the list. Check the name servers of \
                  /etc/resolv.conf or fetch.dns, then run with --retry-failed",
    },
    Cause {
        of: Causes::Images,
        reasons: &["proxy_*"],
        share_min: OURS_SHARE_MIN,
        meaning: "the proxy does not let requests through: check fetch.proxy or the variables that name it, its \
                  password and what it allows, then run with --retry-failed",
    },
    Cause {
        of: Causes::Images,
        reasons: &["url_invalid", "scheme_refused"],
        share_min: OURS_SHARE_MIN,
        meaning: "what the list has in the column of URLs is none: check the column, or its name in format.pairs",
    },
    Cause {
        of: Causes::Images,
        reasons: &["connect"],
        share_min: USUAL_SHARE_MIN,
        meaning: "no connection: where it fails at once, a proxy is missing or a firewall of this machine or site is \
                  in the way. Check them, then run with --retry-failed",
    },
    Cause {
        of: Causes::Images,
        reasons: &["http_404", "http_410", "dns"],
        share_min: USUAL_SHARE_MIN,
        meaning: "the images are gone: link rot, which is normal for old lists. No setting brings them back",
    },
    Cause {
        of: Causes::Images,
        reasons: &["timeout", "body_truncated"],
        share_min: OURS_SHARE_MIN,
        meaning: "too slow: the line carries less than is asked for, or too many connections are open. Lower \
                  fetch.concurrency or raise fetch.deadline_secs, then run with --retry-failed",
    },
    Cause {
        of: Causes::Images,
        reasons: &["http_401", "http_403", "http_406", "http_429", "host_resting"],
        share_min: OURS_SHARE_MIN,
        meaning: "hosts refuse to answer: say who you are in fetch.user_agent, and ask less of them at a time \
                  (fetch.per_host_concurrency, fetch.per_host_requests_per_sec)",
    },
    Cause {
        of: Causes::Images,
        reasons: &["http_5*"],
        share_min: OURS_SHARE_MIN,
        meaning: "servers fail: often one host that is overloaded or away. Run with --retry-failed later",
    },
    Cause {
        of: Causes::Images,
        reasons: &["tls"],
        share_min: OURS_SHARE_MIN,
        meaning: "certificates are not valid here: check this machine's clock and certificates (SSL_CERT_FILE), and \
                  whether a proxy replaces those of hosts",
    },
    Cause {
        of: Causes::Images,
        reasons: &["address_refused"],
        share_min: OURS_SHARE_MIN,
        meaning: "names lead to private addresses: a resolver or firewall of this site answers for others, or the list \
                  is of hosts of your own (fetch.allow)",
    },
    Cause {
        of: Causes::Images,
        reasons: &["robots_tag", "robots_txt"],
        share_min: OURS_SHARE_MIN,
        meaning: "hosts ask not to use them, which is respected",
    },
    Cause {
        of: Causes::Images,
        reasons: &["not_an_image", "image_broken"],
        share_min: OURS_SHARE_MIN,
        meaning: "the answers are no images: hosts often send a page in place of one that is gone, and a proxy does \
                  where one must log in",
    },
    Cause {
        of: Causes::Source,
        reasons: &["no_text"],
        share_min: USUAL_SHARE_MIN,
        meaning: "there is no text: a format that names another column than that of the texts, or pages that a browser \
                  fills by scripts",
    },
    Cause {
        of: Causes::Source,
        reasons: &["no_url", "no_caption"],
        share_min: USUAL_SHARE_MIN,
        meaning: "URLs or captions are empty: compare the columns that the format names with those of the files",
    },
    Cause {
        of: Causes::Source,
        reasons: &["json", "row_broken"],
        share_min: OURS_SHARE_MIN,
        meaning: "rows cannot be read: compare the files with what their names and the format say of them",
    },
    Cause {
        of: Causes::Source,
        reasons: &["line_too_long", "body_too_large", "record_too_large"],
        share_min: OURS_SHARE_MIN,
        meaning: "records are too large: mostly the line ends or the separator are others than the format says",
    },
    Cause {
        of: Causes::Source,
        reasons: &["charset"],
        share_min: OURS_SHARE_MIN,
        meaning: "they are in charsets that are not read",
    },
    Cause {
        of: Causes::Source,
        reasons: &["file_*", "gzip_broken", "zstd_broken", "lz4_broken", "xz_broken", "bzip2_broken"],
        share_min: OURS_SHARE_MIN,
        meaning: "files are damaged or missing: compare their sizes and digests with the publisher's",
    },
    Cause {
        of: Causes::Source,
        reasons: &["http_broken", "encoding_broken"],
        share_min: OURS_SHARE_MIN,
        meaning: "archived answers cannot be read: see the stream `failed` for what is wrong with them",
    },
    Cause {
        of: Causes::Judgement,
        reasons: &["language"],
        share_min: RULE_SHARE_MIN,
        meaning: "they are in other languages than the rule allows: compare `allowed` with what the source is in",
    },
    Cause {
        of: Causes::Judgement,
        reasons: &["duplicate", "near_duplicate"],
        share_min: RULE_SHARE_MIN,
        meaning: "they are copies: the same files may be named twice, or texts may be short and alike",
    },
];

/// What was read, and what became of it.
#[derive(Debug, Clone, PartialEq)]
struct Outcome {
    of: Causes,
    /// The stage, or the last of several.
    name: String,
    /// What is counted.
    unit: String,
    counts: Counts,
}

/// Returns the sentences about stages, in their order, by the name of the stage; of passes over images, which are
/// judged together, the last one's.
pub fn of_stages<'s>(stages: impl Iterator<Item = (&'s Description, &'s Report)>) -> Vec<(String, String)> {
    let outcomes = outcomes(stages);
    let told = outcomes
        .iter()
        .flat_map(|outcome| advice(outcome).into_iter().map(|sentence| (outcome.name.clone(), sentence)));
    told.collect()
}

fn outcomes<'s>(stages: impl Iterator<Item = (&'s Description, &'s Report)>) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = Vec::new();
    for (stage, report) in stages {
        let name = stage.name.clone();
        let of = match () {
            () if name.starts_with(PASSES) => Causes::Images,
            () if stage.inputs.contains(&format!("{name}.{FILE_UNIT}")) => Causes::Source,
            () => Causes::Judgement,
        };
        for (unit, counts) in report.units.iter().filter(|(unit, _)| *unit != FILE_UNIT) {
            let before = outcomes
                .iter_mut()
                .find(|known| of == Causes::Images && known.of == of && known.unit == *unit);
            match before {
                Some(before) => before.add_pass(&name, counts),
                None => outcomes.push(Outcome {
                    of,
                    name: name.clone(),
                    unit: unit.clone(),
                    counts: counts.clone(),
                }),
            }
        }
    }
    outcomes
}

impl Outcome {
    /// Adds what a later pass made of the images that the passes before it left.
    fn add_pass(&mut self, name: &str, counts: &Counts) {
        name.clone_into(&mut self.name);
        self.counts.kept += counts.kept;
        self.counts.dropped.clone_from(&counts.dropped);
        for (reason, count) in &counts.failed {
            *self.counts.failed.entry(reason.clone()).or_default() += count;
        }
    }
}

/// Returns a sentence for every striking share, the largest first.
fn advice(outcome: &Outcome) -> Vec<String> {
    let Outcome { of, name, unit, counts } = outcome;
    if counts.read < RECORDS_MIN {
        return Vec::new();
    }
    let mut by_reason: BTreeMap<&str, u64> = BTreeMap::new();
    for (reason, count) in counts.dropped.iter().chain(&counts.failed) {
        *by_reason.entry(reason).or_default() += count;
    }
    let mut told: Vec<(u64, String)> = Vec::new();
    for cause in CAUSES.iter().filter(|cause| cause.of == *of) {
        let mut of_cause: Vec<(&str, u64)> = by_reason
            .iter()
            .filter(|(reason, _)| cause.has(reason))
            .map(|(reason, count)| (*reason, *count))
            .collect();
        of_cause.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let count: u64 = of_cause.iter().map(|(_, count)| count).sum();
        let share = count as f64 / counts.read as f64;
        if share >= cause.share_min {
            let reasons: Vec<&str> = of_cause.iter().map(|(reason, _)| *reason).collect();
            let (count_shown, read, meaning) = (grouped(count), counted(counts.read, unit), cause.meaning);
            told.push((
                count,
                format!(
                    "{name}: {count_shown} of {read} ({:.0} %) are {}: {meaning}.",
                    share * 100.0,
                    reasons.join(", ")
                ),
            ));
        }
    }
    told.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    told.into_iter().map(|(_, sentence)| sentence).collect()
}

impl Cause {
    fn has(&self, reason: &str) -> bool {
        self.reasons.iter().any(|known| match known.strip_suffix('*') {
            Some(beginning) => reason.starts_with(beginning),
            None => *known == reason,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(of: Causes, read: u64, reasons: &[(&str, u64)]) -> Outcome {
        let failed: BTreeMap<String, u64> =
            reasons.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect();
        let kept = read - failed.values().sum::<u64>();
        let counts = Counts { read, kept, failed, ..Counts::default() };
        Outcome { of, name: "it".to_owned(), unit: "records".to_owned(), counts }
    }

    #[test]
    fn a_striking_share_has_its_sentence() {
        for (of, reasons, words) in [
            (Causes::Images, &[("dns_failed", 100)][..], &["resolver, not the list"][..]),
            (Causes::Images, &[("dns_failed", 99)], &[]),
            (Causes::Images, &[("connect", 300)], &["firewall"]),
            (Causes::Images, &[("connect", 299)], &[]),
            (Causes::Images, &[("http_404", 200), ("http_410", 50), ("dns", 50)], &["link rot"]),
            (Causes::Images, &[("timeout", 60), ("body_truncated", 40)], &["fetch.concurrency"]),
            (Causes::Images, &[("http_403", 60), ("http_429", 40)], &["fetch.user_agent"]),
            (Causes::Images, &[("http_500", 60), ("http_503", 40)], &["servers fail"]),
            (Causes::Images, &[("tls", 100)], &["clock"]),
            (Causes::Images, &[("address_refused", 100)], &["fetch.allow"]),
            (Causes::Images, &[("robots_tag", 100)], &["respected"]),
            (Causes::Images, &[("not_an_image", 100)], &["no images"]),
            (Causes::Images, &[("no_text", 900)], &[]),
            (Causes::Images, &[("dns_failed", 200), ("http_404", 500)], &["link rot", "resolver"]),
            (Causes::Source, &[("no_text", 300)], &["scripts"]),
            (Causes::Source, &[("no_text", 299)], &[]),
            (Causes::Source, &[("no_url", 300)], &["columns"]),
            (Causes::Source, &[("json", 100)], &["rows cannot be read"]),
            (Causes::Source, &[("line_too_long", 100)], &["line ends"]),
            (Causes::Source, &[("charset", 100)], &["charsets"]),
            (Causes::Source, &[("file_broken", 60), ("gzip_broken", 40)], &["damaged"]),
            (Causes::Source, &[("http_broken", 100)], &["archived answers"]),
            (Causes::Source, &[("mime", 900)], &[]),
            (Causes::Judgement, &[("language", 800)], &["allowed"]),
            (Causes::Judgement, &[("language", 799)], &[]),
            (Causes::Judgement, &[("duplicate", 800)], &["copies"]),
        ] {
            let told = advice(&outcome(of, 1_000, reasons));
            assert_eq!(told.len(), words.len(), "{reasons:?}: {told:?}");
            for (sentence, words) in std::iter::zip(&told, words) {
                assert!(sentence.contains(words), "{reasons:?}: {sentence}");
            }
        }
        assert_eq!(
            advice(&outcome(Causes::Images, 99, &[("dns_failed", 99)])),
            Vec::<String>::new(),
            "too few"
        );
    }

    #[test]
    fn passes_over_images_are_judged_together_and_sources_by_what_they_read() {
        let stage = |name: &str, inputs: &[&str]| Description {
            name: name.to_owned(),
            inputs: inputs.iter().map(|input| (*input).to_owned()).collect(),
            settings: serde_json::Value::Null,
            version: 1,
        };
        let report = |unit: &str, of: Causes, read, reasons: &[(&str, u64)]| {
            let mut report = Report::default();
            report.count(unit, |counts| *counts = outcome(of, read, reasons).counts);
            report
        };
        let mut first = report("images", Causes::Images, 1_000, &[("http_404", 250)]);
        first.count("images", |counts| {
            counts.dropped.insert("retry".to_owned(), 200);
            counts.kept -= 200;
        });
        let stages = [
            (stage("texts.files", &[]), report(FILE_UNIT, Causes::Source, 500, &[("file_broken", 400)])),
            (stage("texts", &["texts.files"]), report("documents", Causes::Source, 500, &[("no_text", 400)])),
            (
                stage("text.rules", &["texts"]),
                report("documents", Causes::Judgement, 500, &[("no_text", 400)]),
            ),
            (stage("images.pass0", &["images.list"]), first),
            (
                stage("images.pass1", &["images.pass0"]),
                report("images", Causes::Images, 200, &[("http_404", 60), ("dns_failed", 130)]),
            ),
        ];
        let told = of_stages(stages.iter().map(|(stage, report)| (stage, report)));
        let names: Vec<&str> = told.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["texts", "images.pass1", "images.pass1"], "{told:?}");
        assert!(told[1].1.contains("310 of 1,000 images (31 %) are http_404"), "{}", told[1].1);
        assert!(told[2].1.contains("130 of 1,000 images (13 %) are dns_failed"), "{}", told[2].1);
    }

    #[test]
    fn a_sentence_tells_counts_share_and_reasons() {
        let told = advice(&outcome(Causes::Images, 2_000, &[("http_404", 1_000), ("dns", 300)]));
        assert!(
            told[0].starts_with("it: 1,300 of 2,000 records (65 %) are http_404, dns: the images are gone"),
            "{told:?}"
        );
        // What was dropped counts as well.
        let mut outcome = outcome(Causes::Source, 100, &[]);
        outcome.counts.dropped.insert("no_text".to_owned(), 30);
        assert_eq!(advice(&outcome).len(), 1);
    }
}
