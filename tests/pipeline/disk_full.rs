//! A disk that fills up at any moment: the run says so, and goes on where it stopped once there is room.

use std::process::Command;
use std::time::Instant;

use crate::support::{Workspace, small_run, times};

/// Times that the disk fills up; `KOSMOS_TEST_FULL_DISKS` asks for more.
const FILLS_DEFAULT: u32 = 3;

/// Runs the command in a small file system that no other process sees, and fills that up after so many milliseconds,
/// one time after the other, until none is left. Prints `ended CODE` behind what each run said.
const FILL: &str = r#"
mount -t tmpfs -o size=320m none disk || exit 99
binary=$1; moments=$2; shift 2
for moment in $moments; do
    "$binary" "$@" >> said 2>&1 & run=$!
    sleep "$moment"
    cat /dev/zero > disk/ballast 2> /dev/null
    wait $run
    echo "ended $?" >> said
    rm disk/ballast
done
"$binary" "$@" >> said 2>&1
echo "ended $?" >> said
cp -r disk/out filled
"#;

#[test]
fn a_run_on_a_disk_that_fills_up_says_so_and_has_the_same_parts_once_there_is_room() {
    let fills = times("KOSMOS_TEST_FULL_DISKS", FILLS_DEFAULT);
    let workspace = Workspace::new();
    let begun = Instant::now();
    let _ = workspace.kosmos(&small_run(&["--dir", "whole", "--workers", "2"])).success();
    let whole = begun.elapsed().as_secs_f64();
    // Every run goes on where the one before stopped, so that later moments are those of later stages.
    let moments: Vec<String> = (0..fills)
        .map(|fill| format!("{:.3}", whole / f64::from(fills) * (0.3 + f64::from(fill % 3))))
        .collect();
    std::fs::create_dir(workspace.path("disk")).unwrap();
    let mut unshare = Command::new("unshare");
    unshare.args(["-rm", "bash", "-c", FILL, "bash", env!("CARGO_BIN_EXE_kosmos"), &moments.join(" ")]);
    unshare.args(small_run(&["--dir", "disk/out", "--workers", "2"])).current_dir(workspace.path(""));
    match unshare.output() {
        Ok(output) if output.status.success() => {}
        other => return eprintln!("skipped: no file system can be mounted here: {other:?}"),
    }
    let said = std::fs::read_to_string(workspace.path("said")).unwrap();
    assert!(said.ends_with("ended 0\n") && !said.contains("panicked"), "{said}");
    assert!(said.contains("ended 1\n"), "the disk was never full: {said}");
    for run in said.split_inclusive("ended 1\n").filter(|run| run.ends_with("ended 1\n")) {
        assert!(run.contains("No space left on device") || run.contains(" bytes free where "), "{run}");
    }
    assert_eq!(workspace.parts("filled"), workspace.parts("whole"));
    let _ = workspace.kosmos(&["verify", "filled"]).success();
}
