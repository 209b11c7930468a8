//! Features: what the forests know of a block, as numbers.
//!
//! Counts are given as they are and shares from 0 to 1: trees need no scaling. The order of
//! the numbers is part of the forests, which are trained with it.

use std::collections::HashMap;

use super::facts::Facts;
use super::outline::{Block, FAR, Outline, Scope, ScopeId, TOP, Totals};
use super::signal::SIGNAL_COUNT;
use super::wording::Wording;

/// Scopes outwards of which the totals are told.
const LEVELS: usize = 6;
/// Blocks before and after which are told of.
const NEIGHBOURS: usize = 2;

/// Stands for a number of something that is not there.
const ABSENT: f32 = -1.0;
/// Shares of a page's prose for which it is told how far outwards they are together.
const PROSE_SHARES: [f32; 3] = [0.3, 0.6, 0.9];
/// Words of the title that are compared.
const TITLE_WORDS_MAX: usize = 64;

/// Rows of features, all of the same width.
#[derive(Debug, Default)]
pub(super) struct Rows {
    values: Vec<f32>,
    count: usize,
}

impl Rows {
    /// Takes the values of so many rows, one after the other.
    pub(super) fn new(values: Vec<f32>, count: usize) -> Self {
        Self { values, count }
    }

    /// Returns the number of features of each.
    pub(super) fn width(&self) -> usize {
        self.values.len() / self.count.max(1)
    }

    /// Returns them in order.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.values.chunks_exact(self.width().max(1))
    }
}

/// What is computed once for a page.
pub(super) struct Features<'p> {
    outline: &'p Outline,
    facts: &'p Facts,
    wordings: Vec<Wording>,
    /// By block, characters before it and other blocks of the same text.
    before: Vec<u32>,
    repeats: Vec<u32>,
    /// Index of the first heading of level 1.
    headline: Option<usize>,
    longest: u32,
    titles: Vec<String>,
    distances: Vec<Distances>,
}

/// How many scopes outwards from one things are; [`ABSENT`] where they are not.
#[derive(Debug, Clone, Copy)]
struct Distances {
    /// The scope whose own paragraphs weigh most.
    heaviest: f32,
    /// A member of the row of like things that holds the most.
    series: f32,
    /// Scopes that hold a share of the page's prose.
    shares: [f32; PROSE_SHARES.len()],
}

impl<'p> Features<'p> {
    pub(super) fn new(outline: &'p Outline, facts: &'p Facts) -> Self {
        let mut sum = 0;
        let mut repeats: HashMap<&str, u32> = HashMap::new();
        let mut before = Vec::with_capacity(outline.blocks.len());
        for block in &outline.blocks {
            before.push(sum);
            sum += block.chars;
            *repeats.entry(&block.text).or_default() += 1;
        }
        Self {
            outline,
            facts,
            wordings: outline.blocks.iter().map(|block| Wording::of(&block.text)).collect(),
            before,
            repeats: outline.blocks.iter().map(|b| repeats.get(&*b.text).copied().unwrap_or(1)).collect(),
            headline: outline.blocks.iter().position(|block| block.level == 1),
            longest: outline.blocks.iter().map(|block| block.chars).max().unwrap_or(0),
            titles: words_of(&facts.title),
            distances: distances(outline),
        }
    }

    /// Returns the features of all blocks.
    pub(super) fn rows(&self) -> Rows {
        let mut rows = Rows::default();
        for (index, block) in self.outline.blocks.iter().enumerate() {
            self.own(index, block, &mut rows.values);
            self.place(index, block, &mut rows.values);
            self.around(block, &mut rows.values);
            self.neighbours(index, block, &mut rows.values);
            self.page(&mut rows.values);
            rows.count += 1;
        }
        rows
    }

    /// Returns the weight of each block: its words.
    pub(super) fn weights(&self) -> Vec<f32> {
        self.wordings.iter().map(|wording| wording.words.max(1) as f32).collect()
    }

    fn own(&self, index: usize, block: &Block, row: &mut Vec<f32>) {
        let wording = &self.wordings[index];
        let words = wording.words.max(1) as f32;
        let chars = block.chars.max(1) as f32;
        row.extend([
            block.chars as f32,
            wording.words as f32,
            block.link_chars as f32 / chars,
            block.links as f32,
            block.bold_chars as f32 / chars,
            chars / words,
            wording.capitalised as f32 / words,
            wording.digits as f32 / chars,
            wording.commas as f32,
            wording.stops as f32,
            wording.stops as f32 / words,
            wording.questions as f32,
            wording.currencies as f32,
            wording.separators as f32 / words,
            wording.lines as f32,
            wording.legal as f32,
            wording.actions as f32 / words,
            wording.byline as f32 / words,
            wording.others as f32 / words,
            wording.credits as f32 / words,
            wording.brackets as f32,
            wording.label as f32,
            f32::from(wording.begin),
            f32::from(wording.end),
            flag(wording.has_year),
            flag(wording.has_copyright),
            flag(wording.has_at),
            block.kind as u8 as f32,
            f32::from(block.level),
            self.repeats[index] as f32,
            self.title_share(block),
        ]);
        row.extend((0..SIGNAL_COUNT).map(|number| flag(block.inline.holds(number))));
    }

    /// Returns the share of a short block's words that the title has.
    fn title_share(&self, block: &Block) -> f32 {
        if block.chars > 200 || self.titles.is_empty() {
            return 0.0;
        }
        let words = words_of(&block.text);
        let known = words.iter().filter(|word| self.titles.contains(word)).count();
        known as f32 / words.len().max(1) as f32
    }

    fn place(&self, index: usize, block: &Block, row: &mut Vec<f32>) {
        let count = self.outline.blocks.len().max(1) as f32;
        let chars = self.page_totals().chars.max(1) as f32;
        let since_headline = self.headline.map_or(-1_000.0, |headline| index as f32 - headline as f32);
        row.extend([
            index as f32,
            index as f32 / count,
            self.before[index] as f32,
            self.before[index] as f32 / chars,
            (count - 1.0) - index as f32,
            since_headline.clamp(-1_000.0, 1_000.0),
            block.chars as f32 / self.longest.max(1) as f32,
        ]);
    }

    fn around(&self, block: &Block, row: &mut Vec<f32>) {
        let page = self.page_totals();
        let scope = &self.outline.scopes[block.scope as usize];
        row.push(f32::from(scope.depth));
        row.extend(scope.near.iter().map(|far| f32::from(*far)));
        let mut scopes = self.outline.around(block.scope);
        for _ in 0..LEVELS {
            match scopes.next() {
                Some(scope) => level(scope, page, row),
                None => row.extend([ABSENT; LEVEL_WIDTH]),
            }
        }
        let top = self.outline.heaviest;
        let distances = self.distances[block.scope as usize];
        row.push(distances.heaviest);
        let weight = |id: ScopeId| self.outline.scopes[id as usize].weight;
        let heaviest = weight(top).max(1.0);
        row.push(weight(block.scope) / heaviest);
        row.push(weight(scope.parent) / heaviest);
        row.push(heaviest / page.prose.max(1) as f32);
        self.series(distances.series, page, row);
        row.extend(distances.shares);
        let mut found = [f32::from(FAR); 10];
        for (far, scope) in self.outline.around(block.scope).take(usize::from(FAR)).enumerate() {
            use super::tag::Role::{Article, Button, Cell, Custom, Figure, Form, Item, Nav, Quote, Side};
            let roles = [Item, Cell, Form, Nav, Figure, Quote, Article, Side, Button, Custom];
            for (place, role) in found.iter_mut().zip(roles) {
                if scope.role == role && *place == f32::from(FAR) {
                    *place = far as f32;
                }
            }
        }
        row.extend(found);
    }

    /// Tells of the row of like things that holds the most, and how far it is from the block.
    fn series(&self, far: f32, page: Totals, row: &mut Vec<f32>) {
        let Some(first) = self.outline.series.map(|id| &self.outline.scopes[id as usize]) else {
            return row.extend([ABSENT; 7]);
        };
        row.extend([
            far,
            first.twins as f32,
            first.twin_chars as f32 / first.twins.max(1) as f32,
            first.twin_chars as f32 / page.chars.max(1) as f32,
            first.twin_prose as f32 / page.prose.max(1) as f32,
            first.totals.link_chars as f32 / first.totals.chars.max(1) as f32,
            f32::from(first.depth),
        ]);
    }

    fn neighbours(&self, index: usize, block: &Block, row: &mut Vec<f32>) {
        for step in 1..=NEIGHBOURS {
            for other in [index.checked_sub(step), Some(index + step)] {
                match other
                    .and_then(|other| Some((self.outline.blocks.get(other)?, self.wordings.get(other)?)))
                {
                    Some((other, wording)) => row.extend([
                        other.chars as f32,
                        other.link_chars as f32 / other.chars.max(1) as f32,
                        wording.stops as f32,
                        other.kind as u8 as f32,
                        self.apart(block.scope, other.scope),
                    ]),
                    None => row.extend([ABSENT; 5]),
                }
            }
        }
    }

    /// Returns how many scopes outwards from one the other is within, too.
    fn apart(&self, one: ScopeId, other: ScopeId) -> f32 {
        let other = self.outline.scopes[other as usize].blocks;
        let mut far = 0;
        for scope in self.outline.around(one).take(usize::from(FAR)) {
            if scope.blocks.0 <= other.0 && other.1 <= scope.blocks.1 {
                break;
            }
            far += 1;
        }
        far as f32
    }

    /// Writes what the page is like as a whole.
    pub(super) fn page(&self, row: &mut Vec<f32>) {
        let page = self.page_totals();
        let facts = self.facts;
        row.extend([
            page.chars as f32,
            page.prose as f32,
            page.link_chars as f32 / page.chars.max(1) as f32,
            page.paragraphs as f32,
            self.outline.blocks.len() as f32,
            self.longest as f32,
            facts.paragraphs as f32,
            facts.articles as f32,
            facts.codes as f32,
            facts.inputs as f32,
            facts.elements as f32,
        ]);
        for marks in [&facts.typed, &facts.linked, &facts.generated] {
            row.extend(marks.iter().map(|mark| flag(*mark)));
        }
    }

    fn page_totals(&self) -> Totals {
        self.outline.scopes[TOP as usize].totals
    }
}

/// Measures all scopes at once, each from its parent: walking outwards from every block would
/// cost the depth of the page for each.
fn distances(outline: &Outline) -> Vec<Distances> {
    let series = outline.series.map(|id| &outline.scopes[id as usize]);
    let series = series.map(|first| (first.parent, first.signature));
    let prose = outline.scopes.first().map_or(0, |scope| scope.totals.prose) as f32;
    let mut distances: Vec<Distances> = Vec::with_capacity(outline.scopes.len());
    for (id, scope) in (0..).zip(&outline.scopes) {
        // The outermost scope is its own parent, and the first: nothing is further outwards.
        let parent = distances.get(scope.parent as usize).copied();
        let far = |is_here: bool, of: fn(&Distances, usize) -> f32, number: usize| match parent {
            _ if is_here => 0.0,
            Some(parent) if of(&parent, number) != ABSENT => of(&parent, number) + 1.0,
            _ => ABSENT,
        };
        distances.push(Distances {
            heaviest: far(id == outline.heaviest, |parent, _| parent.heaviest, 0),
            series: far(series == Some((scope.parent, scope.signature)), |parent, _| parent.series, 0),
            shares: std::array::from_fn(|number| {
                let is_here = scope.totals.prose as f32 >= prose * PROSE_SHARES[number];
                far(is_here, |parent, number| parent.shares[number], number)
            }),
        });
    }
    distances
}

/// Numbers that are told of each scope.
const LEVEL_WIDTH: usize = 11;

fn level(scope: &Scope, page: Totals, row: &mut Vec<f32>) {
    let totals = scope.totals;
    let blocks = (scope.blocks.1 - scope.blocks.0).max(1) as f32;
    row.extend([
        totals.chars as f32,
        totals.link_chars as f32 / totals.chars.max(1) as f32,
        totals.prose as f32 / page.prose.max(1) as f32,
        blocks,
        totals.chars as f32 / blocks,
        totals.paragraphs as f32,
        scope.children as f32,
        scope.twins as f32,
        scope.role as u8 as f32,
        scope.twin_chars as f32 / page.chars.max(1) as f32,
        scope.twin_prose as f32 / page.prose.max(1) as f32,
    ]);
}

fn flag(is_set: bool) -> f32 {
    if is_set { 1.0 } else { 0.0 }
}

fn words_of(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.take(TITLE_WORDS_MAX).map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::super::parser;
    use super::*;

    #[test]
    fn distances_are_what_walking_outwards_finds() {
        let prose = "Some words that are no link and long enough to be counted as prose by all of this.";
        let html = format!(
            "<div><section><ul><li>a<li>b<li>c</ul><p>{prose}<p>{prose}</section><div><p>{prose}</div></div><p>d"
        );
        let outline = Outline::of(&parser::parse(&html));
        let first = outline.series.map(|id| &outline.scopes[id as usize]).map(|s| (s.parent, s.signature));
        assert!(first.is_some());
        for (id, found) in (0..).zip(distances(&outline)) {
            let far = |found: Option<usize>| found.map_or(ABSENT, |far| far as f32);
            let heaviest = outline.ids_around(id).position(|id| id == outline.heaviest);
            assert_eq!(found.heaviest, far(heaviest));
            let series = outline.around(id).position(|scope| Some((scope.parent, scope.signature)) == first);
            assert_eq!(found.series, far(series));
            let wanted = outline.scopes[0].totals.prose as f32 * PROSE_SHARES[1];
            let shares = outline.around(id).position(|scope| scope.totals.prose as f32 >= wanted);
            assert_eq!(found.shares[1], far(shares));
        }
    }
}
