//! The tables, described for readers.

use super::{
    BandKey, Contamination, ContentKey, CutRepeat, Document, Duplicate, EvaluationFiles, EvaluationItem,
    EvaluationNgram, Excision, ExportedText, Features, Fetched, Fingerprinted, Generated, Image,
    ImageDuplicate, Interleaved, Link, Match, Page, Pair, PassageKey, RareNgram, RecordLocation, Removed,
    Repeat, Representative, Sequence, SourceFile, Target, TrainStep, Verdicts, Wanted,
};
use crate::column::Described;
use crate::table::Record;

/// A table.
#[derive(Debug)]
pub struct Table {
    /// Its name and version, as manifests have it.
    pub name: &'static str,
    /// What a row is, and its columns.
    pub row: Described,
}

impl Table {
    fn of<R: Record>() -> Self {
        Self { name: R::TABLE, row: R::described() }
    }
}

/// Returns all tables, from those that sources become to those that training reads.
pub fn tables() -> Vec<Table> {
    vec![
        Table::of::<SourceFile>(),
        Table::of::<RecordLocation>(),
        Table::of::<Document>(),
        Table::of::<Page>(),
        Table::of::<Pair>(),
        Table::of::<Removed>(),
        Table::of::<Verdicts>(),
        Table::of::<Fingerprinted>(),
        Table::of::<ContentKey>(),
        Table::of::<Representative>(),
        Table::of::<Duplicate>(),
        Table::of::<BandKey>(),
        Table::of::<Link>(),
        Table::of::<PassageKey>(),
        Table::of::<Repeat>(),
        Table::of::<CutRepeat>(),
        Table::of::<EvaluationFiles>(),
        Table::of::<EvaluationItem>(),
        Table::of::<EvaluationNgram>(),
        Table::of::<RareNgram>(),
        Table::of::<Match>(),
        Table::of::<Contamination>(),
        Table::of::<Excision>(),
        Table::of::<Wanted>(),
        Table::of::<Target>(),
        Table::of::<Fetched>(),
        Table::of::<Image>(),
        Table::of::<ImageDuplicate>(),
        Table::of::<Interleaved>(),
        Table::of::<Features>(),
        Table::of::<Sequence>(),
        Table::of::<TrainStep>(),
        Table::of::<Generated>(),
        Table::of::<ExportedText>(),
    ]
}
