//! `kosmos-torch`: the same commands, with libtorch.

use std::process::ExitCode;

fn main() -> ExitCode {
    torch::provide();
    kosmos::run()
}
