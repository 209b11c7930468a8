//! Pairs: captions and image URLs of all five sources, with what is planted among them.

use std::collections::BTreeMap;

use rand::RngExt;
use rand::seq::SliceRandom;

use crate::config::Config;
use crate::drawing::{Drawing, PAIR_SIDE};
use crate::fault::{Fault, ROUTES, Route, SHARES, slow_count};
use crate::random::{Stream, assign, share, stream};
use crate::truth::Truth;

/// Reported sides of LAION-2B rows that its rule keeps.
const LAION_SIDES: std::ops::Range<u32> = 200..1025;
/// Reported smaller sides of LAION-2B rows that its rule drops.
const SMALL_SIDES: std::ops::Range<u32> = 64..200;

const COPIES_PER_MILLE: u32 = 15;
const RECAPTIONED_PER_MILLE: u32 = 10;
const PERSONS_PER_MILLE: u32 = 10;
const SMALL_PER_MILLE: u32 = 10;
/// Null or empty captions, and as many null or empty URLs, in every source.
const BLANK_PER_MILLE: u32 = 1;

/// Where pairs come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    Laion2b,
    Laion400m,
    Coyo,
    Cc3m,
    Cc12m,
}

impl Source {
    /// Every source there is.
    pub(crate) const ALL: [Self; 5] = [Self::Laion2b, Self::Laion400m, Self::Coyo, Self::Cc3m, Self::Cc12m];

    /// Names the source as the truth does.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Laion2b => "laion2b-en",
            Self::Laion400m => "laion400m",
            Self::Coyo => "coyo700m",
            Self::Cc3m => "cc3m",
            Self::Cc12m => "cc12m",
        }
    }

    /// Gives the source of the `index`-th of many shuffled pairs: 20, 10, 40, 15 and
    /// 15 percent.
    fn of(index: usize) -> Self {
        match index % 20 {
            0..4 => Self::Laion2b,
            4..6 => Self::Laion400m,
            6..14 => Self::Coyo,
            14..17 => Self::Cc3m,
            _ => Self::Cc12m,
        }
    }
}

/// One row of a source's metadata.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    /// The image's URL; null in Parquet and empty in TSV when there is none.
    pub(crate) url: Option<String>,
    /// The caption; null or empty when there is none.
    pub(crate) caption: Option<String>,
    /// Reported width in pixels. LAION's rows report sides that web images have, not
    /// those of the drawing served; COYO's report the drawing's own.
    pub(crate) width: u32,
    /// Reported height in pixels.
    pub(crate) height: u32,
}

/// The rows of all sources, in file order.
pub(crate) type Rows = BTreeMap<Source, Vec<Row>>;

/// A pair before it has a source.
struct Item {
    url: String,
    caption: String,
    outcome: &'static str,
}

/// Makes every source's rows and counts what is expected of them.
pub(crate) fn build(config: &Config, truth: &mut Truth) -> Rows {
    let mut planter = Planter {
        config,
        truth,
        stream: stream(config.seed, "pairs", 0),
        rows: Rows::new(),
        // Drawings below this index belong to pairs that can be had.
        next_index: config.images,
    };
    let mut items = planter.good_items();
    items.extend(planter.fault_items());
    items.shuffle(&mut planter.stream);
    let good = planter.add_items(items);
    planter.add_copies(&good);
    planter.add_persons();
    planter.add_small();
    planter.add_blanks();
    for outcome in planter.truth.image_urls.values() {
        match outcome.as_str() {
            "kept" => planter.truth.images.keep(),
            reason => planter.truth.images.fail(reason),
        }
    }
    let Planter { mut rows, mut stream, .. } = planter;
    for rows in rows.values_mut() {
        rows.shuffle(&mut stream);
    }
    rows
}

struct Planter<'a> {
    config: &'a Config,
    truth: &'a mut Truth,
    stream: Stream,
    rows: Rows,
    next_index: u32,
}

impl Planter<'_> {
    fn drawing(&self, index: u32) -> Drawing {
        pair_drawing(self.config.seed, index)
    }

    fn good_items(&mut self) -> Vec<Item> {
        let images = self.config.images;
        let routes = assign(images, &ROUTES, Route::Straight, &mut self.stream);
        let mut items = Vec::with_capacity(routes.len());
        for (index, route) in (0..images).zip(routes) {
            let drawing = self.drawing(index);
            items.push(Item {
                url: route.url(index, &drawing),
                caption: drawing.caption(&mut self.stream),
                outcome: "kept",
            });
        }
        items
    }

    fn fault_items(&mut self) -> Vec<Item> {
        let images = self.config.images;
        let slow = slow_count(images);
        let counts = SHARES
            .map(|(fault, per_mille)| (fault, share(images, per_mille)))
            .into_iter()
            .chain([(Fault::Stall, slow), (Fault::Drip, slow)]);
        let mut items = Vec::new();
        for (fault, count) in counts {
            for _ in 0..count {
                let (index, caption) = self.fresh();
                let (url, outcome) = (fault.url(index), fault.reason());
                items.push(Item { url, caption, outcome });
            }
        }
        items
    }

    /// Takes a drawing that no pair uses, and a caption of it.
    fn fresh(&mut self) -> (u32, String) {
        let index = self.next_index;
        self.next_index += 1;
        let caption = self.drawing(index).caption(&mut self.stream);
        (index, caption)
    }

    fn fresh_url(&mut self) -> (String, String) {
        let (index, caption) = self.fresh();
        (Route::Straight.url(index, &self.drawing(index)), caption)
    }

    /// Gives every item a source; returns the good rows.
    fn add_items(&mut self, items: Vec<Item>) -> Vec<(Source, String, String)> {
        let mut good = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            let source = Source::of(index);
            let caption = if source == Source::Cc3m { tokenised(&item.caption) } else { item.caption };
            self.push(source, item.url.clone(), caption.clone());
            self.truth.pairs_rules.keep();
            self.truth.pairs_exact.keep();
            self.truth.image_urls.insert(item.url.clone(), item.outcome.to_owned());
            if item.outcome == "kept" {
                good.push((source, item.url, caption));
            }
        }
        good
    }

    /// Repeats good pairs in another source, some of them with another caption.
    fn add_copies(&mut self, good: &[(Source, String, String)]) {
        let copies = share(self.config.images, COPIES_PER_MILLE) as usize;
        let recaptioned = share(self.config.images, RECAPTIONED_PER_MILLE) as usize;
        let mut order: Vec<usize> = (0..good.len()).collect();
        order.shuffle(&mut self.stream);
        let chosen = order.into_iter().filter_map(|index| good.get(index));
        for (place, (source, url, caption)) in chosen.take(copies + recaptioned).enumerate() {
            let other = self.other_source(*source);
            self.truth.pairs_rules.keep();
            if place < copies {
                self.push(other, url.clone(), caption.clone());
                self.truth.pairs_exact.drop("duplicate");
            } else {
                self.push(other, url.clone(), format!("look , {caption}"));
                self.truth.pairs_exact.keep();
            }
        }
    }

    fn other_source(&mut self, source: Source) -> Source {
        loop {
            let other = Source::of(self.stream.random_range(0..20));
            if other != source {
                return other;
            }
        }
    }

    fn add_persons(&mut self) {
        for _ in 0..share(self.config.images, PERSONS_PER_MILLE) {
            let (url, caption) = self.fresh_url();
            self.push(Source::Cc12m, url, format!("<PERSON> painted {caption}"));
            self.truth.pairs_rules.drop("person_tag");
        }
    }

    fn add_small(&mut self) {
        for index in 0..share(self.config.images, SMALL_PER_MILLE) {
            let (url, caption) = self.fresh_url();
            let small = self.stream.random_range(SMALL_SIDES);
            let large = self.stream.random_range(LAION_SIDES);
            let (width, height) = match index % 3 {
                0 => (small, large),
                1 => (large, small),
                _ => (small, small),
            };
            self.push_pair(Source::Laion2b, Row { url: Some(url), caption: Some(caption), width, height });
            self.truth.pairs_rules.drop("side_min");
        }
    }

    /// Adds rows without a URL and rows without a caption to every source.
    fn add_blanks(&mut self) {
        for source in Source::ALL {
            let counts = self.truth.pairs_read.entry(source.name().to_owned()).or_default();
            let blanks = share(self.config.images, BLANK_PER_MILLE);
            for _ in 0..blanks {
                counts.fail("no_url");
                counts.fail("no_caption");
            }
            for index in 0..blanks {
                let blank = (index % 2 == 0).then(String::new);
                let (url, caption) = self.fresh_url();
                let (width, height) = self.sides(source);
                let no_url = Row { url: blank.clone(), caption: Some(caption), width, height };
                let no_caption = Row { url: Some(url), caption: blank, width, height };
                self.rows.entry(source).or_default().extend([no_url, no_caption]);
            }
        }
    }

    fn sides(&mut self, source: Source) -> (u32, u32) {
        match source {
            Source::Laion2b | Source::Laion400m => {
                (self.stream.random_range(LAION_SIDES), self.stream.random_range(LAION_SIDES))
            }
            Source::Coyo | Source::Cc3m | Source::Cc12m => (PAIR_SIDE, PAIR_SIDE),
        }
    }

    /// Adds a row that its source reads as a pair, with sides that its rules keep.
    fn push(&mut self, source: Source, url: String, caption: String) {
        let (width, height) = self.sides(source);
        self.push_pair(source, Row { url: Some(url), caption: Some(caption), width, height });
    }

    fn push_pair(&mut self, source: Source, row: Row) {
        self.truth.pairs_read.entry(source.name().to_owned()).or_default().keep();
        self.rows.entry(source).or_default().push(row);
    }
}

/// Draws the lots of the pairs' image `index`.
pub(crate) fn pair_drawing(seed: u64, index: u32) -> Drawing {
    Drawing::new(seed, "image", index)
}

/// Writes a caption as Conceptual Captions does: every sign a word of its own.
fn tokenised(caption: &str) -> String {
    format!("{} .", caption.to_lowercase())
}
