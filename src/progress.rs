//! Progress: a bar per stage on a terminal, log lines elsewhere.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use corpus::{Dataset, Error, Observer};
use indicatif::{ProgressBar, ProgressStyle};
use pipeline::Watch;
use pipeline::number::{counted, duration, grouped};

use crate::print::{escaped_line, note, say};

/// Time between two log lines where there is no terminal.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// Items of a stage that are shown one by one; of later ones so many together.
const ITEMS_SHOWN_EACH: u64 = 1_024;
const ITEMS_SHOWN_TOGETHER: u64 = 64;

/// Shows what the engine does with one stage after the other.
pub(crate) struct Display {
    is_terminal: bool,
    stage: Mutex<Option<Running>>,
    /// Items that tasks went through; of an archive all its records, also those it does not count.
    items: AtomicU64,
}

struct Running {
    name: String,
    bar: ProgressBar,
    task_count: u64,
    done_count: u64,
    skipped_count: u64,
    /// Items of a stage whose one task knows them.
    expected: Option<u64>,
    /// What a task said last.
    words: String,
    started: Instant,
    logged: Instant,
    /// When a task was done; before any is, when the stage began.
    last_done: Instant,
}

impl Display {
    /// Begins without a stage.
    pub(crate) fn new() -> Self {
        Self {
            is_terminal: std::io::stderr().is_terminal(),
            stage: Mutex::new(None),
            items: AtomicU64::new(0),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Running>> {
        self.stage.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn log_line(&self, running: &Running) -> String {
        let records = self.items.load(Ordering::Relaxed);
        let elapsed = running.started.elapsed();
        let rate = records as f64 / elapsed.as_secs_f64().max(0.001);
        if !running.words.is_empty() {
            return format!("{}: {}", running.name, running.words);
        }
        let remaining =
            running.remaining().map_or_else(String::new, |left| format!(", {} left", duration(left)));
        format!(
            "{}: {} of {} tasks, {} items, {} items/s{remaining}",
            running.name,
            running.done_count,
            running.task_count,
            grouped(records),
            grouped(rate as u64),
        )
    }
}

impl Running {
    /// Estimates the remaining time from the tasks that this run completed.
    fn remaining(&self) -> Option<Duration> {
        let completed = self.done_count.checked_sub(self.skipped_count).filter(|&count| count > 0)?;
        let left = self.task_count - self.done_count;
        let took = self.last_done.saturating_duration_since(self.started);
        Some(took.mul_f64(left as f64 / completed as f64).saturating_sub(self.last_done.elapsed()))
    }
}

impl Observer for Display {
    fn begun(&self, stage: &str, task_count: u32, done_count: u32) {
        let bar = if self.is_terminal { ProgressBar::new(task_count.into()) } else { ProgressBar::hidden() };
        let style =
            ProgressStyle::with_template("{prefix:<20} {bar:30} {pos}/{len} tasks  {msg}  {eta} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_prefix(stage.to_owned());
        bar.set_position(done_count.into());
        self.items.store(0, Ordering::Relaxed);
        let now = Instant::now();
        let running = Running {
            name: stage.to_owned(),
            bar,
            task_count: task_count.into(),
            done_count: done_count.into(),
            skipped_count: done_count.into(),
            expected: None,
            words: String::new(),
            started: now,
            logged: now,
            last_done: now,
        };
        if done_count > 0 {
            note!("{stage}: continues, {done_count} of {task_count} tasks were committed before");
        }
        *self.lock() = Some(running);
    }

    fn advanced(&self, records: u64) {
        let before = self.items.fetch_add(records, Ordering::Relaxed);
        let total = before + records;
        // Showing every one of millions would take longer than they do.
        if before > ITEMS_SHOWN_EACH && before / ITEMS_SHOWN_TOGETHER == total / ITEMS_SHOWN_TOGETHER {
            return;
        }
        // Waiting for another thread's line would slow the work for nothing.
        let Ok(mut guard) = self.stage.try_lock() else {
            return;
        };
        let Some(running) = guard.as_mut() else {
            return;
        };
        if self.is_terminal {
            let rate = total as f64 / running.started.elapsed().as_secs_f64().max(0.001);
            let words = match running.words.as_str() {
                "" => format!("{} items  {}/s", grouped(total), grouped(rate as u64)),
                words => words.to_owned(),
            };
            if running.expected.is_some() {
                running.bar.set_position(total);
            }
            running.bar.set_message(words);
        } else if running.logged.elapsed() >= LOG_EVERY {
            running.logged = Instant::now();
            note!("{}", self.log_line(running));
        }
    }

    fn expected(&self, records: u64) {
        if let Some(running) = self.lock().as_mut().filter(|running| running.task_count == 1) {
            running.expected = Some(records);
            running.bar.set_length(records);
            let style = ProgressStyle::with_template("{prefix:<20} {bar:30} {pos}/{len}  {msg}");
            running.bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        }
    }

    fn noted(&self, words: &str) {
        if let Some(running) = self.lock().as_mut() {
            running.words = escaped_line(words).into_owned();
        }
    }

    fn task_done(&self) {
        if let Some(running) = self.lock().as_mut() {
            running.done_count += 1;
            running.last_done = Instant::now();
            if running.expected.is_none() {
                running.bar.set_position(running.done_count);
            }
        }
    }

    fn warned(&self, stage: &str, line: &str) {
        note!("{stage}: {line}");
    }

    fn retried(&self, stage: &str, task: u32, error: &Error) {
        note!("{stage}: task {task} is tried again: {error}");
    }
}

impl Watch for Display {
    fn sealed(&self, dataset: &Dataset, took: Option<Duration>) -> std::io::Result<()> {
        if let Some(running) = self.lock().take() {
            running.bar.finish_and_clear();
        }
        say!("{}", describe(dataset, took))
    }

    fn note(&self, line: &str) {
        note!("{line}");
    }
}

/// Returns a stage's line: what it read, kept, dropped and failed, or that it was skipped and why.
fn describe(dataset: &Dataset, took: Option<Duration>) -> String {
    let manifest = dataset.manifest();
    let units: Vec<String> = manifest
        .report
        .units
        .iter()
        .map(|(unit, counts)| {
            format!(
                "{}: {} kept, {} dropped, {} failed",
                counted(counts.read, unit),
                grouped(counts.kept),
                grouped(counts.dropped_total()),
                grouped(counts.failed_total())
            )
        })
        .collect();
    // Of a stage that counts what it found there may be none.
    let units = if units.is_empty() { "nothing".to_owned() } else { units.join("; ") };
    let how = took.map_or_else(|| "skipped, sealed before".to_owned(), duration);
    format!("{:<20} {units}  ({how})", manifest.stage)
}
