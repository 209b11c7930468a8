//! A classifier of texts of one's own: its texts are read and sampled, some held out, and it is measured by these.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use corpus::mirror::Mirrors;
use filter::fasttext::train::{Example, Trained, Trainer};
use filter::fasttext::{Model, Scratch};
use filter::rule::classifier::CLASSIFIER_BYTES_MAX;
use ingest::{Client, fetch, for_each_text};

use crate::{Error, Result, written};

/// The label of texts to keep, as a rule names it.
pub const GOOD_LABEL: &str = "__label__good";
const GOOD: &str = "good";
const BAD: &str = "bad";
/// Every so many texts one is held out, to tell how well the model does.
const HELD_OUT_EVERY: usize = 10;

/// Which texts a class has.
#[derive(Debug)]
pub struct Texts<'a> {
    /// JSON, CSV, TSV or Parquet, compressed or not, or folders of them.
    pub paths: &'a [PathBuf],
    /// The field with the text.
    pub field: &'a str,
    /// Maximum number of texts; where there are more, they are spread evenly over all.
    pub texts_max: usize,
}

impl Texts<'_> {
    /// Reads the texts, cut as the rule cuts them.
    ///
    /// # Errors
    /// When a file cannot be read, or there are too few texts to hold one out.
    pub fn read(&self) -> Result<Vec<String>> {
        let client = Arc::new(Client::new(&fetch::Config::default(), Mirrors::default())?);
        let mut count = 0_usize;
        self.for_each(&client, &mut |_| count += 1)?;
        let step = count.div_ceil(self.texts_max).max(1);
        let (mut texts, mut place) = (Vec::new(), 0_usize);
        self.for_each(&client, &mut |text| {
            if place.is_multiple_of(step) {
                texts.push(text[..text.floor_char_boundary(CLASSIFIER_BYTES_MAX)].to_owned());
            }
            place += 1;
        })?;
        if texts.len() < HELD_OUT_EVERY {
            let names: Vec<_> = self.paths.iter().map(|path| path.display().to_string()).collect();
            return Err(Error::Usage(format!(
                "{} have {} texts in the field {:?}, at least {HELD_OUT_EVERY} are needed",
                names.join(", "),
                texts.len(),
                self.field
            )));
        }
        Ok(texts)
    }

    fn for_each(&self, client: &Arc<Client>, take: &mut dyn FnMut(&str)) -> Result<()> {
        self.paths.iter().try_for_each(|path| for_each_text_of(client, path, self.field, &mut *take))
    }
}

/// Calls `take` with the texts of a file or folder; one that cannot be used is a mistake of the user's.
pub(crate) fn for_each_text_of(
    client: &Arc<Client>,
    path: &Path,
    field: &str,
    take: impl FnMut(&str),
) -> Result<()> {
    let unnamed = || Error::Usage(format!("the name of {} is not UTF-8", path.display()));
    let name = path.to_str().ok_or_else(unnamed)?;
    let field = field.to_owned();
    for_each_text(client, name, std::slice::from_ref(&field), take).map_err(|error| match error {
        corpus::Error::Settings { detail, .. } => Error::Usage(detail),
        error => error.into(),
    })
}

/// How often a model is right about texts that it has not seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Measured {
    /// Texts that were held out.
    pub texts: u32,
    /// Those that are good.
    pub good: u32,
    /// Those that the model calls good.
    pub called: u32,
    /// Those that are good, and called so.
    pub found: u32,
    /// Those that the model is right about.
    pub right: u32,
}

/// Trains a model on most texts of both classes, and measures it by the others.
///
/// # Errors
/// When the settings do not fit the texts.
pub fn train(trainer: &Trainer, good: &[String], bad: &[String]) -> Result<(Trained, Measured)> {
    let (mut examples, mut held_out) = (Vec::new(), Vec::new());
    for (label, texts) in [(GOOD, good), (BAD, bad)] {
        for (place, text) in texts.iter().enumerate() {
            let is_held_out = place % HELD_OUT_EVERY == HELD_OUT_EVERY - 1;
            let example = Example { label, text };
            if is_held_out { held_out.push(example) } else { examples.push(example) }
        }
    }
    let trained =
        trainer.train(&examples).map_err(Error::because(|| "cannot train a classifier".to_owned()))?;
    let measured = measure(&trained.model, &held_out);
    Ok((trained, measured))
}

/// Writes a model's file, which is there whole or not at all.
///
/// # Errors
/// When it cannot be written.
pub fn save(trained: &Trained, path: &Path) -> Result<()> {
    written::whole(path, |out| trained.write(out))
}

fn measure(model: &Model, held_out: &[Example<'_>]) -> Measured {
    let mut measured = Measured { texts: held_out.len() as u32, ..Measured::default() };
    let mut scratch = Scratch::default();
    for example in held_out {
        let best = model.predict(example.text, 1, 0.0, &mut scratch);
        let is_called = best.first().is_some_and(|best| best.label == GOOD_LABEL);
        let is_good = example.label == GOOD;
        measured.called += u32::from(is_called);
        measured.good += u32::from(is_good);
        measured.found += u32::from(is_called && is_good);
        measured.right += u32::from(is_called == is_good);
    }
    measured
}
