//! `kosmos classifier`: trains a fastText classifier of texts, good ones and bad ones.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use clap::builder::TypedValueParser;
use corpus::mirror::Mirrors;
use filter::fasttext::Model;
use filter::fasttext::train::{Example, Trainer};
use filter::rule::classifier::CLASSIFIER_BYTES_MAX;
use ingest::{Client, fetch, for_each_text};
use pipeline::Error::Usage;
use pipeline::number::grouped;

use crate::cli::local;
use crate::print::{note, say};

#[derive(Debug, Args)]
pub(crate) struct ClassifierArgs {
    /// The model to write
    #[arg(value_parser = local())]
    pub(crate) out: PathBuf,
    /// Good texts: JSON, CSV, TSV or Parquet, compressed or not, or folders of them (repeatable)
    #[arg(long, value_name = "PATH", required = true, value_parser = local())]
    pub(crate) good: Vec<PathBuf>,
    /// Bad texts (repeatable)
    #[arg(long, value_name = "PATH", required = true, value_parser = local())]
    pub(crate) bad: Vec<PathBuf>,
    /// The field with the text
    #[arg(long, default_value = "text")]
    pub(crate) field: String,
    /// Maximum texts per class; larger inputs are sampled evenly
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(10..).map(|count| count as usize))]
    pub(crate) texts_max: usize,
    /// Vector dimension
    #[arg(long, default_value_t = 32)]
    pub(crate) dimension: u32,
    /// Maximum words per n-gram
    #[arg(long, default_value_t = 2)]
    pub(crate) word_ngrams: u32,
    /// Hash buckets for n-grams
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) buckets: u32,
    /// Passes over the texts
    #[arg(long, default_value_t = 5)]
    pub(crate) epochs: u32,
    /// Initial learning rate
    #[arg(long, default_value_t = 0.1)]
    pub(crate) rate: f32,
    /// Seed of the initial weights and of the order
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

const GOOD: &str = "good";
const BAD: &str = "bad";
/// Every so many texts one is held out, to tell how well the model does.
const HELD_OUT_EVERY: usize = 10;

/// Trains, writes the model, and says how many texts it had not seen it is right about.
pub(crate) fn classifier(arguments: &ClassifierArgs) -> anyhow::Result<ExitCode> {
    let good = read(&arguments.good, arguments)?;
    let bad = read(&arguments.bad, arguments)?;
    let (mut examples, mut held_out) = (Vec::new(), Vec::new());
    for (label, texts) in [(GOOD, &good), (BAD, &bad)] {
        for (place, text) in texts.iter().enumerate() {
            let is_held_out = place % HELD_OUT_EVERY == HELD_OUT_EVERY - 1;
            let example = Example { label, text };
            if is_held_out { held_out.push(example) } else { examples.push(example) }
        }
    }
    let trainer = Trainer {
        dimension: arguments.dimension,
        buckets: if arguments.word_ngrams > 1 { arguments.buckets } else { 0 },
        word_ngrams: arguments.word_ngrams,
        epochs: arguments.epochs,
        rate: arguments.rate,
        seed: arguments.seed,
        ..Trainer::default()
    };
    note!("training on {} good and {} bad texts", grouped(good.len() as u64), grouped(bad.len() as u64));
    let trained = trainer.train(&examples)?;
    write(&arguments.out, |out| Ok(trained.write(out)?))?;
    say!("{}", measured(&trained.model, &held_out))?;
    say!(
        "{} holds the model; a rule with it: {{ classifier = {{ model = \"{0}\", label = \"__label__{GOOD}\", \
         probability_min = 0.5 }} }}",
        arguments.out.display()
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Reads the texts of files, cut as the rule cuts them, spread over the whole where there are too many.
fn read(paths: &[PathBuf], arguments: &ClassifierArgs) -> anyhow::Result<Vec<String>> {
    let client = Arc::new(Client::new(&fetch::Config::default(), Mirrors::default())?);
    let for_each = |take: &mut dyn FnMut(&str)| {
        paths.iter().try_for_each(|path| for_each_text_of(&client, path, &arguments.field, &mut *take))
    };
    let mut count = 0_usize;
    for_each(&mut |_| count += 1)?;
    let step = count.div_ceil(arguments.texts_max).max(1);
    let (mut texts, mut place) = (Vec::new(), 0_usize);
    for_each(&mut |text| {
        if place.is_multiple_of(step) {
            texts.push(text[..text.floor_char_boundary(CLASSIFIER_BYTES_MAX)].to_owned());
        }
        place += 1;
    })?;
    if texts.len() < HELD_OUT_EVERY {
        let names: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
        let message = format!(
            "{} have {} texts in the field {:?}, at least {HELD_OUT_EVERY} are needed",
            names.join(", "),
            texts.len(),
            arguments.field
        );
        return Err(Usage(message).into());
    }
    Ok(texts)
}

/// Calls `take` with the texts of a file or folder; one that cannot be used is a mistake of the arguments.
fn for_each_text_of(
    client: &Arc<Client>,
    path: &Path,
    field: &String,
    take: impl FnMut(&str),
) -> anyhow::Result<()> {
    let name = path.to_str().with_context(|| format!("the name of {} is not UTF-8", path.display()))?;
    for_each_text(client, name, std::slice::from_ref(field), take).map_err(|error| match error {
        corpus::Error::Settings { detail, .. } => Usage(detail).into(),
        error => error.into(),
    })
}

/// Writes a file that is there whole or not at all.
fn write(
    path: &PathBuf,
    content: impl FnOnce(&mut BufWriter<File>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let temporary = path.with_added_extension("partial");
    let failed = || format!("cannot write {}", path.display());
    let mut out = BufWriter::new(File::create(&temporary).with_context(failed)?);
    content(&mut out)?;
    out.flush().with_context(failed)?;
    std::fs::rename(&temporary, path).with_context(failed)
}

/// Says how often the model is right about texts that it has not seen.
fn measured(model: &Model, held_out: &[Example<'_>]) -> String {
    let (mut found, mut called, mut good, mut right) = (0_u32, 0_u32, 0_u32, 0_u32);
    for example in held_out {
        let best = model.predict(example.text, 1, 0.0, &mut filter::fasttext::Scratch::default());
        let is_called = best.first().is_some_and(|best| best.label == format!("__label__{GOOD}"));
        let is_good = example.label == GOOD;
        called += u32::from(is_called);
        good += u32::from(is_good);
        found += u32::from(is_called && is_good);
        right += u32::from(is_called == is_good);
    }
    let percent = |part: u32, of: u32| 100.0 * f64::from(part) / f64::from(of.max(1));
    format!(
        "of {} texts it has not seen {:.1} % are told right; good ones: precision {:.1} %, recall {:.1} %",
        grouped(held_out.len() as u64),
        percent(right, held_out.len() as u32),
        percent(found, called),
        percent(found, good)
    )
}
