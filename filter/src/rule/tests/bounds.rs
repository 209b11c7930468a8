//! Every rule's finding below, at and above each of its bounds, and every default.

use std::path::PathBuf;

use corpus::record::{Pair, PairNumber, SegmentKind};
use serde_json::{Value, json};

use crate::config::{
    DecontaminateConfig, ExactConfig, ImageDuplicatesConfig, NearConfig, RepeatsConfig, TextConfig,
};
use crate::rule::fineweb::Line;
use crate::rule::*;
use crate::subject::tests::{page, pair};

/// Which side of a bound passes. A value that is the bound always does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Least,
    Most,
}

use Side::{Least, Most};

/// The least steps from a bound to either side.
fn around(bound: f64, is_count: bool) -> [f64; 2] {
    match is_count {
        true => [bound - 1.0, bound + 1.0],
        false => [bound.next_down(), bound.next_up()],
    }
}

/// Checks the value of a finding to the digit, and that it passes just where it should.
fn check<'r>(name: &str, side: Side, is_count: bool, value: f64, judge: impl Fn(f64) -> Finding<'r>) {
    let at = judge(value);
    assert_eq!((at.rule, at.value), (name, value));
    let [below, above] = around(value, is_count);
    let expected = match side {
        Least => [true, true, false],
        Most => [false, true, true],
    };
    let passed = [below, value, above].map(|bound| judge(bound).passed);
    assert_eq!(passed, expected, "{name} with a bound below, at and above {value}");
}

/// Finds the finding of a name.
fn named<'r>(findings: impl IntoIterator<Item = Finding<'r>>, name: &str) -> Finding<'r> {
    findings.into_iter().find(|finding| finding.rule == name).unwrap()
}

/// A bound of a rule: the finding's name, its side, whether it is a count, its value, and what sets it.
type Bound<R> = (&'static str, Side, bool, f64, fn(&mut R, f64));

/// Checks bounds of a rule over texts.
fn check_all<R: Default>(cases: &[Bound<R>], judge: impl Fn(&R) -> Vec<Finding<'static>>) {
    for (name, side, is_count, value, set) in cases {
        check(name, *side, *is_count, *value, |bound| {
            let mut rule = R::default();
            set(&mut rule, bound);
            named(judge(&rule), name)
        });
    }
    let findings = judge(&R::default());
    let checked = |finding: &Finding<'_>| cases.iter().any(|case| case.0 == finding.rule);
    assert!(findings.iter().all(checked), "{findings:?}");
}

#[test]
fn gopher_quality_keeps_what_is_at_a_bound() {
    let text = "- the wall and\nthe tree…\nof 12 # b";
    // Ten tokens, of which eight are words of 23 characters and seven have a letter.
    let tokens: Vec<&str> = text.split_whitespace().collect();
    check_all::<GopherQuality>(
        &[
            ("gopher_words_min", Least, true, 8.0, |rule, bound| rule.words_min = bound as u64),
            ("gopher_words_max", Most, true, 8.0, |rule, bound| rule.words_max = bound as u64),
            ("gopher_mean_chars", Least, false, 23.0 / 8.0, |rule, bound| rule.mean_chars_min = bound),
            ("gopher_hashes", Most, false, 0.1, |rule, bound| rule.mark_ratio_max = bound),
            ("gopher_ellipses", Most, false, 0.1, |rule, bound| rule.mark_ratio_max = bound),
            ("gopher_bullet_lines", Most, false, 1.0 / 3.0, |rule, bound| rule.bullet_lines_max = bound),
            ("gopher_ellipsis_lines", Most, false, 1.0 / 3.0, |rule, bound| rule.ellipsis_lines_max = bound),
            ("gopher_letters", Least, false, 0.7, |rule, bound| rule.letters_min = bound),
            ("gopher_stop_words", Least, true, 3.0, |rule, bound| rule.stop_words_min = bound as u64),
        ],
        |rule| rule.judge_tokens(text, &tokens).to_vec(),
    );
    check("gopher_mean_chars", Most, false, 23.0 / 8.0, |bound| {
        let rule = GopherQuality { mean_chars_min: 0.0, mean_chars_max: bound, ..GopherQuality::default() };
        named(rule.judge_tokens(text, &tokens), "gopher_mean_chars")
    });
}

#[test]
fn every_stop_word_counts_once() {
    let words = ["the", "be", "to", "of", "and", "that", "have", "with"];
    let count =
        |tokens: &[&str]| named(GopherQuality::default().judge_tokens("", tokens), "gopher_stop_words").value;
    for word in words {
        assert_eq!(count(&[word, "house", word]), 1.0, "{word}");
    }
    assert_eq!(count(&words), 8.0);
    assert_eq!(count(&["theb", "a", "The", "thus", "", "withe"]), 0.0);
}

#[test]
fn gopher_repetition_keeps_what_is_at_a_bound() {
    // Three paragraphs of which one was there before; 12 tokens, "a b" three times, ten-grams once.
    let text = "a b c d e f g h i j\n\na b\n\na b";
    let tokens: Vec<&str> = text.split_whitespace().collect();
    let chars = text.chars().count() as f64;
    check_all::<GopherRepetition>(
        &[
            ("gopher_paragraphs", Most, false, 1.0 / 3.0, |rule, bound| rule.paragraphs_max = bound),
            ("gopher_paragraph_chars", Most, false, 3.0 / chars, |rule, bound| {
                rule.paragraph_chars_max = bound
            }),
            ("gopher_lines", Most, false, 1.0 / 3.0, |rule, bound| rule.lines_max = bound),
            ("gopher_line_chars", Most, false, 3.0 / chars, |rule, bound| rule.line_chars_max = bound),
            ("gopher_top_2_gram", Most, false, 9.0 / chars, |rule, bound| rule.top_max[0] = bound),
            ("gopher_top_3_gram", Most, false, 5.0 / chars, |rule, bound| rule.top_max[1] = bound),
            ("gopher_top_4_gram", Most, false, 7.0 / chars, |rule, bound| rule.top_max[2] = bound),
            ("gopher_repeated_5_grams", Most, false, 0.0, |rule, bound| rule.repeated_max[0] = bound),
            ("gopher_repeated_6_grams", Most, false, 0.0, |rule, bound| rule.repeated_max[1] = bound),
            ("gopher_repeated_7_grams", Most, false, 0.0, |rule, bound| rule.repeated_max[2] = bound),
            ("gopher_repeated_8_grams", Most, false, 0.0, |rule, bound| rule.repeated_max[3] = bound),
            ("gopher_repeated_9_grams", Most, false, 0.0, |rule, bound| rule.repeated_max[4] = bound),
            ("gopher_repeated_10_grams", Most, false, 0.0, |rule, bound| rule.repeated_max[5] = bound),
        ],
        |rule| rule.judge_runs(text, &tokens, 1),
    );
}

#[test]
fn repeated_runs_of_each_length_have_a_bound_of_their_own() {
    let text = "a b c d e f g h i j a b c d e f g h i j";
    let tokens: Vec<&str> = text.split_whitespace().collect();
    for (place, length) in (5..=10).enumerate() {
        let name = format!("gopher_repeated_{length}_grams");
        let value = named(GopherRepetition::default().judge_runs(text, &tokens, 1), &name).value;
        // Letters without the spaces between them; of five, two runs follow each other.
        let chars = if length == 5 { 10.0 } else { f64::from(length) };
        check(&name, Most, false, value, |bound| {
            let mut rule = GopherRepetition::default();
            rule.repeated_max[place] = bound;
            named(rule.judge_runs(text, &tokens, 1), &name)
        });
        assert_eq!(value, chars / 39.0, "{name}");
    }
}

#[test]
fn fineweb_keeps_what_is_at_a_bound() {
    // Four lines of 9, 9, 31 and 30 characters, of which one was before and two end; with three line ends.
    let text = "One here.\nOne here.\nThis one is one too long to be \nThis one is not too long to be";
    let chars = (9 + 9 + 31 + 30) as f64;
    check_all::<Fineweb>(
        &[
            ("fineweb_ended_lines", Least, false, 0.5, |rule, bound| rule.ended_lines_min = bound),
            ("fineweb_short_lines", Most, false, 0.75, |rule, bound| rule.short_lines_max = bound),
            ("fineweb_repeated_chars", Most, false, 9.0 / chars, |rule, bound| {
                rule.repeated_chars_max = bound
            }),
            ("fineweb_line_ends", Most, false, 0.25, |rule, bound| rule.line_ends_max = bound),
        ],
        |rule| rule.judge_counted(text, 12, Line::SPACED).to_vec(),
    );
    check("fineweb_short_lines", Most, false, 1.0, |bound| {
        let rule = Fineweb { short_line_chars: 31, short_lines_max: bound, ..Fineweb::default() };
        named(rule.judge_counted(text, 12, Line::SPACED), "fineweb_short_lines")
    });
}

#[test]
fn c4_keeps_lines_and_texts_that_are_at_a_bound() {
    let text = "One two three.\nFour five six. Seven eight nine.";
    check("c4_sentences", Least, true, 3.0, |bound| {
        named(
            C4 { sentences_min: bound as u64, ..C4::default() }.clean(&Text::new(text)).findings,
            "c4_sentences",
        )
    });
    let left = |rule: C4, text: &str| rule.clean(&Text::new(text)).text;
    let words = |least| C4 { line_words_min: least, ..C4::default() };
    assert_eq!([2, 3, 4].map(|least| left(words(least), "One two three.").is_empty()), [false, false, true]);
    let chars = |most| C4 { word_chars_max: most, ..C4::default() };
    let long = "One two abcdefghij!";
    assert_eq!([10, 11, 12].map(|most| left(chars(most), long).is_empty()), [true, false, false]);
    // Characters, not bytes.
    assert!(!left(chars(11), "One two éééééééééé!").is_empty());
    for switch in [
        C4 { drops_javascript: false, ..C4::default() },
        C4 { drops_policies: false, ..C4::default() },
        C4 { needs_end: false, ..C4::default() },
        C4 { cuts_citations: false, ..C4::default() },
    ] {
        let text = "Enable JavaScript here now.\nRead the privacy policy now.\nA line without end\nA line[1] that ends.";
        let lines = left(switch.clone(), text).lines().count();
        assert_eq!(lines, if switch.cuts_citations { 2 } else { 1 }, "{switch:?}");
    }
    assert_eq!(
        left(C4 { cuts_citations: false, ..C4::default() }, "A line[1] that ends."),
        "A line[1] that ends."
    );
    let bracket = "If this { then that is a sentence.";
    let passed = |rule: C4| named(rule.clean(&Text::new(bracket)).findings, "c4_bracket").passed;
    assert!(!passed(C4::default()) && passed(C4 { drops_brackets: false, ..C4::default() }));
}

#[test]
fn every_mark_that_ends_a_sentence_and_every_phrase_on_policies_is_known_to_c4() {
    let is_kept = |line: &str| !C4::default().clean(&Text::new(line)).text.is_empty();
    for end in [".", "?", "!", "\"", "'"] {
        assert!(is_kept(&format!("One two three{end}")), "{end}");
    }
    for end in ["...", ",", ":", ""] {
        assert!(!is_kept(&format!("One two three{end}")), "{end}");
    }
    for phrase in
        ["terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies"]
    {
        assert!(!is_kept(&format!("This is about {}.", phrase.to_uppercase())), "{phrase}");
    }
}

#[test]
fn megatron_keeps_what_is_at_a_bound() {
    let judge = |rule: &Megatron, text: &str| rule.clean(&Text::new(text)).0;
    check("megatron_tokens", Least, true, 4.0, |bound| {
        let rule = Megatron { tokens_min: bound as u64, ..Megatron::default() };
        named(judge(&rule, "one two three four"), "megatron_tokens")
    });
    // A text of 256 characters or more is not a notice; characters, not bytes.
    for (start, is_kept) in [("JavaScript", true), ("Javascripté", true), ("python", true)] {
        let text = format!("{start}{}", "x".repeat(256 - start.chars().count()));
        let notice = |text: &str| named(judge(&Megatron::default(), text), "megatron_javascript");
        assert_eq!(notice(&text).passed, is_kept, "256 characters with {start}");
        assert_eq!(notice(&format!("{text}x")).passed, is_kept, "257 characters with {start}");
        assert_eq!(notice(&text[..text.len() - 1]).passed, start == "python", "255 characters with {start}");
    }
    let short = format!("JAVASCRIPT{}", "é".repeat(200));
    assert!(!named(judge(&Megatron::default(), &short), "megatron_javascript").passed);
    let kept = Megatron { collapses: false, ..Megatron::default() }.clean(&Text::new("a  b")).1;
    assert_eq!(kept, None);
}

#[test]
fn counts_and_ratios_of_words_are_kept_at_their_bounds() {
    let text = Text::new("#one two three four");
    for (name, side) in [("words_min", Least), ("words_max", Most)] {
        check(name, side, true, 4.0, |bound| {
            let (words_min, words_max) = match side {
                Least => (bound as u64, u64::MAX),
                Most => (0, bound as u64),
            };
            named(Words { words_min, words_max }.judge(&text), name)
        });
    }
    check("symbols", Most, false, 0.25, |bound| Symbols { ratio_max: bound }.judge(&text));
}

#[test]
fn confidence_and_probability_are_kept_at_their_bounds() {
    let english = Text::new("The small boat was pulled across the lake by a group of children.");
    let language = |confidence_min: f64| Language { confidence_min, ..Language::default() };
    let confidence = language(0.0).judge(&english, &Loaded::Nothing).value;
    check("language", Least, false, confidence, |bound| language(bound).judge(&english, &Loaded::Nothing));

    let model = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/fasttext/softmax.bin");
    let classifier = |probability_min| Classifier {
        model: model.clone(),
        label: "__label__en".to_owned(),
        probability_min,
    };
    let loaded = classifier(0.0).load().unwrap();
    let probability = classifier(0.0).judge(&english, &loaded).value;
    check("classifier", Least, false, probability, |bound| classifier(bound).judge(&english, &loaded));
}

#[test]
fn pairs_and_pages_are_kept_at_their_bounds() {
    let stated = Pair {
        width: Some(300),
        height: Some(200),
        similarity: Some(0.25),
        nsfw: Some(0.5),
        watermark: Some(0.75),
        aesthetic: Some(5.5),
        ..pair("coyo", "a small bird")
    };
    let scores = [
        (PairNumber::Similarity, "similarity", 0.25_f32),
        (PairNumber::Nsfw, "nsfw", 0.5),
        (PairNumber::Watermark, "watermark", 0.75),
        (PairNumber::Aesthetic, "aesthetic", 5.5),
    ];
    for (of, name, value) in scores {
        let score = |min, max| Score { of, min, max, sources: Vec::new(), unknown_passes: false };
        let bounds = [value.next_down(), value, value.next_up()];
        let findings = bounds.map(|bound| [score(Some(bound), None), score(None, Some(bound))]);
        let findings = findings.map(|both| both.map(|rule| rule.judge(&stated)));
        assert!(findings.iter().flatten().all(|found| (found.rule, found.value) == (name, value.into())));
        let passed = findings.map(|both| both.map(|found| found.passed));
        assert_eq!(passed, [[true, false], [true, true], [false, true]], "{name}");
        assert!(!score(Some(0.0), None).judge(&pair("coyo", "unknown")).passed, "{name}");
    }
    check("aspect", Most, false, 1.5, |ratio_max| Aspect { ratio_max }.judge(&stated));
    check("side_min", Least, true, 200.0, |bound| {
        SideMin { sources: vec!["coyo".to_owned()], side_pixels_min: bound as u32 }.judge(&stated)
    });
    let picture = (SegmentKind::Image, "https://a.example/1.png");
    let page = page(&[(SegmentKind::Text, "a bird"), picture, picture]);
    check("images", Least, true, 2.0, |bound| Images { images_min: bound as u64 }.judge(&page));
}

#[test]
fn a_text_is_repaired_from_the_score_on() {
    // Two characters that are one of UTF-8 decoded twice each: a score of 2.
    let text = "cafÃ© cafÃ©";
    let repaired = |score_min| Repair { score_min }.repair(&Text::new(text)).1.is_some();
    assert_eq!([1, 2, 3].map(repaired), [true, true, false]);
}

/// What a configuration that says nothing means; a change here changes the corpora of all who rely on it.
#[test]
fn defaults_are_what_is_documented() {
    let text = |rule: &str| -> Value {
        let read: TextRule = serde_json::from_value(json!({ rule: {} })).unwrap();
        serde_json::to_value(read).unwrap()[rule].clone()
    };
    let cases = [
        ("words", json!({"words_min": 20, "words_max": 100_000})),
        ("symbols", json!({"ratio_max": 0.1})),
        ("language", json!({"allowed": ["eng"], "confidence_min": 0.0})),
        ("url_lists", json!({"domains": [], "urls": [], "words": []})),
        (
            "gopher_quality",
            json!({
                "words": "spaces", "unspaced": "judge", "words_min": 50, "words_max": 100_000, "mean_chars_min": 3.0, "mean_chars_max": 10.0,
                "mark_ratio_max": 0.1, "bullet_lines_max": 0.9, "ellipsis_lines_max": 0.3, "letters_min": 0.8,
                "stop_words_min": 2,
            }),
        ),
        (
            "gopher_repetition",
            json!({
                "words": "spaces", "unspaced": "judge", "paragraphs_max": 0.3, "paragraph_chars_max": 0.2, "lines_max": 0.3, "line_chars_max": 0.2,
                "top_max": [0.2, 0.18, 0.16], "repeated_max": [0.15, 0.14, 0.13, 0.12, 0.11, 0.10],
            }),
        ),
        (
            "fineweb",
            json!({
                "words": "spaces", "unspaced": "judge", "ended_lines_min": 0.12, "short_line_chars": 30, "short_lines_max": 0.67,
                "repeated_chars_max": 0.01, "line_ends_max": 0.3,
            }),
        ),
        (
            "c4",
            json!({
                "unspaced": "judge", "needs_end": true, "line_words_min": 3, "word_chars_max": 1_000, "sentences_min": 5,
                "drops_javascript": true, "drops_policies": true, "drops_brackets": true, "cuts_citations": true,
            }),
        ),
        ("megatron", json!({"tokens_min": 128, "javascript_chars_max": 256, "collapses": true})),
        ("repair", json!({"score_min": 1})),
        ("personal", json!({"email": "email@example.com", "ip": "192.0.2.1", "phone": ""})),
    ];
    for (rule, expected) in cases {
        assert_eq!(text(rule), expected, "{rule}");
    }
    let images: PageRule = serde_json::from_value(json!({"images": {}})).unwrap();
    assert_eq!(serde_json::to_value(images).unwrap(), json!({"images": {"images_min": 1}}));
    let pair = |rule: Value| serde_json::to_value(serde_json::from_value::<PairRule>(rule).unwrap()).unwrap();
    assert_eq!(
        pair(json!({"side_min": {"sources": ["a"]}})),
        json!({"side_min": {"sources": ["a"], "side_pixels_min": 200}})
    );
    assert_eq!(
        pair(json!({"score": {"of": "nsfw", "max": 0.5}})),
        json!({"score": {"of": "nsfw", "max": 0.5, "sources": [], "unknown_passes": true}})
    );
    assert_eq!(pair(json!({"caption_words": {}}))["caption_words"]["words_min"], json!(20));
}

#[test]
fn defaults_of_finding_duplicates_are_what_is_documented() {
    assert_eq!(
        serde_json::to_value(ExactConfig::default()).unwrap(),
        json!({"partitions": 4, "memory_mb": 1_024, "normalise": true})
    );
    assert_eq!(
        serde_json::to_value(NearConfig::default()).unwrap(),
        json!({
            "preset": "fineweb", "bands": null, "rows": null, "unit": null, "shingle": null, "scheme": "fast",
            "partitions": 16, "memory_mb": 1_024, "jaccard_min": null, "selfcheck": 0,
        })
    );
    let shape = |preset: &str| -> Value {
        let near: NearConfig = serde_json::from_value(json!({"preset": preset})).unwrap();
        serde_json::to_value(near.shape()).unwrap()
    };
    assert_eq!(shape("fineweb"), json!({"bands": 14, "rows": 8, "unit": "words", "shingle": 5}));
    assert_eq!(shape("megatron"), json!({"bands": 10, "rows": 10, "unit": "characters", "shingle": 5}));
    for unit in ["lines", "sentences", "words"] {
        let repeats: RepeatsConfig = serde_json::from_value(json!({ "unit": unit })).unwrap();
        let expected = json!({
            "unit": unit, "run": null, "keep": "first", "any_digit": false, "words_left_min": 50,
            "partitions": 16, "memory_mb": 1_024,
        });
        assert_eq!(serde_json::to_value(&repeats).unwrap(), expected);
        assert_eq!(
            repeats.run(),
            [1, 3, 50][["lines", "sentences", "words"].iter().position(|u| *u == unit).unwrap()]
        );
    }
    assert_eq!(
        serde_json::to_value(DecontaminateConfig::default()).unwrap(),
        json!({
            "sets": {}, "action": "cut", "words": 13, "words_min": 8, "common": 10, "margin_chars": 200,
            "piece_chars": 200, "pieces_max": 10,
        })
    );
    assert_eq!(
        serde_json::to_value(ImageDuplicatesConfig::default()).unwrap(),
        json!({"hamming_max": 4, "memory_mb": 1_024, "evaluation": {}})
    );
    assert_eq!(TextConfig::default().validation_share, 0.001);
    assert_eq!(TextConfig::default().near, None);
}
