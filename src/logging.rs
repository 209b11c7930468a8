//! Log lines on standard error; what users read as results goes to standard output.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Our own crates: what is retried, slept, reused and spilled is told by them.
const OURS: [&str; 10] =
    ["kosmos", "pipeline", "corpus", "ingest", "images", "filter", "shard", "train", "torch", "model"];

/// Starts logging; `RUST_LOG` wins over the number of `-v`.
pub(crate) fn start(verbose: u8) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(directives(verbose)));
    let is_terminal = std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(is_terminal);
    log.with_writer(std::io::stderr).init();
}

/// Returns what is logged: with `-v` what our own crates do, with `-vv` all they do and what libraries tell.
fn directives(verbose: u8) -> String {
    let (ours, others) = match verbose {
        0 => return "warn".to_owned(),
        1 => ("debug", "warn"),
        _ => ("trace", "debug"),
    };
    let of_ours = OURS.map(|name| format!("{name}={ours}"));
    format!("{others},{}", of_ours.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_crates_tell_more_than_libraries() {
        assert_eq!(directives(0), "warn");
        assert!(directives(1).starts_with("warn,kosmos=debug,") && directives(2).ends_with(",model=trace"));
    }
}
