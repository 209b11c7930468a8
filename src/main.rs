//! `kosmos`, without libtorch.

use std::process::ExitCode;

fn main() -> ExitCode {
    kosmos::run()
}
