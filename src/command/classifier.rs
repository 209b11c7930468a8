//! `kosmos classifier`: trains a fastText classifier of texts, good ones and bad ones.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use clap::builder::TypedValueParser;
use filter::fasttext::train::Trainer;
use pipeline::classifier::{self, GOOD_LABEL, Measured, Texts};
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

/// Trains, writes the model, and says how many texts it had not seen it is right about.
pub(crate) fn classifier(arguments: &ClassifierArgs) -> anyhow::Result<ExitCode> {
    let read = |paths| {
        let texts = Texts { paths, field: &arguments.field, texts_max: arguments.texts_max };
        texts.read()
    };
    let (good, bad) = (read(&arguments.good)?, read(&arguments.bad)?);
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
    let (trained, measured) = classifier::train(&trainer, &good, &bad)?;
    classifier::save(&trained, &arguments.out)?;
    say!("{}", sentence(&measured))?;
    say!(
        "{} holds the model; a rule with it: {{ classifier = {{ model = \"{0}\", label = \"{GOOD_LABEL}\", \
         probability_min = 0.5 }} }}",
        arguments.out.display()
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Says how often the model is right about texts that it has not seen.
fn sentence(measured: &Measured) -> String {
    let percent = |part: u32, of: u32| 100.0 * f64::from(part) / f64::from(of.max(1));
    format!(
        "of {} texts it has not seen {:.1} % are told right; good ones: precision {:.1} %, recall {:.1} %",
        grouped(measured.texts.into()),
        percent(measured.right, measured.texts),
        percent(measured.found, measured.called),
        percent(measured.found, measured.good)
    )
}
