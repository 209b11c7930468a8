//! `kosmos tokenizer`: tokenizers outside of a run.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use pipeline::cores;
use pipeline::number::grouped;
use pipeline::tokenizer::{Numbering, Tokenizer, TrainingConfig, encode_lines, open, train_on};
use pipeline::written::whole;

use crate::cli::{local, workers};
use crate::print::{Stdout, note, say};

#[derive(Debug, Subcommand)]
pub(crate) enum TokenizerCommand {
    /// Check a tokenizer, copy it, and print the settings of a run that uses it
    Import(ImportArgs),
    /// Train a small SentencePiece model
    Train(TrainArgs),
    /// Print the token ids of each line as a JSON array
    Encode(EncodeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// A SentencePiece .model file or a Hugging Face tokenizer.json
    #[arg(value_parser = local())]
    pub(crate) path: PathBuf,
    /// The file to write
    #[arg(value_parser = local())]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// The .model file to write
    #[arg(value_parser = local())]
    pub(crate) out: PathBuf,
    /// Texts: .txt files, or JSON, CSV, TSV or Parquet, compressed or not, or folders of those
    #[arg(required = true, value_parser = local())]
    pub(crate) paths: Vec<PathBuf>,
    /// The field with the text, except in .txt files
    #[arg(long, default_value = "text")]
    pub(crate) field: String,
    /// Number of pieces, including <unk>, <s> and </s>
    #[arg(long, value_name = "COUNT", default_value_t = 8_000)]
    pub(crate) vocabulary_size: u32,
    /// Maximum bytes of text to train on
    #[arg(long, value_name = "BYTES", default_value_t = 16 << 20)]
    pub(crate) input_bytes_max: u64,
}

#[derive(Debug, Args)]
pub(crate) struct EncodeArgs {
    /// The file whose lines are encoded; - is standard input
    #[arg(default_value = "-", value_parser = local())]
    pub(crate) file: PathBuf,
    /// A SentencePiece .model file or a Hugging Face tokenizer.json
    #[arg(long, value_name = "PATH", value_parser = local())]
    pub(crate) tokenizer: PathBuf,
    /// Number the ids as fairseq and the network do, not as the file does
    #[arg(long)]
    pub(crate) fairseq: bool,
    /// Number of threads [default: number of cores]
    #[arg(long, value_parser = workers())]
    pub(crate) workers: Option<usize>,
}

pub(crate) fn tokenizer(command: &TokenizerCommand) -> anyhow::Result<ExitCode> {
    match command {
        TokenizerCommand::Import(arguments) => import(arguments)?,
        TokenizerCommand::Train(arguments) => train(arguments)?,
        TokenizerCommand::Encode(arguments) => encode(arguments)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn import(arguments: &ImportArgs) -> anyhow::Result<()> {
    let (tokenizer, bytes) = open(&arguments.path)?;
    whole(&arguments.out, |out| out.write_all(&bytes))?;
    describe(&tokenizer, &arguments.out)
}

fn train(arguments: &TrainArgs) -> anyhow::Result<()> {
    let (vocabulary_size, input_bytes_max) = (arguments.vocabulary_size, arguments.input_bytes_max);
    let config = TrainingConfig { vocabulary_size, input_bytes_max };
    let model = train_on(&arguments.paths, &arguments.field, &config)?;
    whole(&arguments.out, |out| out.write_all(&model))?;
    let (tokenizer, _) = open(&arguments.out)?;
    if tokenizer.piece_count() < vocabulary_size {
        note!(
            "warning: the texts have {} pieces, {} were asked for: give more text, or raise --input-bytes-max",
            grouped(tokenizer.piece_count().into()),
            grouped(vocabulary_size.into())
        );
    }
    describe(&tokenizer, &arguments.out)
}

fn encode(arguments: &EncodeArgs) -> anyhow::Result<()> {
    let (tokenizer, _) = open(&arguments.tokenizer)?;
    let input: Box<dyn Read + Send> = match arguments.file.to_str() {
        Some("-") => Box::new(io::stdin()),
        _ => {
            let file = File::open(&arguments.file);
            Box::new(file.with_context(|| format!("cannot open {}", arguments.file.display()))?)
        }
    };
    let numbering = if arguments.fairseq { Numbering::Fairseq } else { Numbering::File };
    let mut out = Stdout::new();
    let workers = arguments.workers.unwrap_or_else(cores);
    let faulty = encode_lines(&tokenizer, numbering, input, workers, |lines| -> anyhow::Result<()> {
        Ok(out.write_plain(lines)?)
    })?;
    out.flush()?;
    if faulty > 0 {
        note!("warning: lines that are not UTF-8: {}; their faulty bytes became U+FFFD", grouped(faulty));
    }
    Ok(())
}

fn describe(tokenizer: &Tokenizer, path: &Path) -> anyhow::Result<()> {
    let tokens = tokenizer.vocabulary().size();
    say!(
        "{}: {}; {} pieces, {} tokens with the special ones",
        path.display(),
        tokenizer.kind(),
        grouped(tokenizer.piece_count().into()),
        grouped(tokens.into())
    )?;
    say!("settings of a run with it:")?;
    say!("  tokenizer.path = {:?}", path.display().to_string())?;
    say!("  model.decoder.vocabulary_size = {tokens}")?;
    Ok(())
}
