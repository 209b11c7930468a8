//! Two processes on one task, one of them stopped or killed at a place of its commits.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::super::*;
use crate::failpoint::{self, Point};
use crate::observer::Unobserved;
use crate::record::DOCUMENTS;
use crate::{Declared, Id, random, verify};

/// Variable by which a process of this test binary becomes one of the two.
const ROLE: &str = "KOSMOS_RACE_ROLE";
/// Pairs of processes; the variable `KOSMOS_TEST_RACES` asks for more.
const RACES_DEFAULT: u64 = 60;
const RECORDS: u64 = 60;
const POINTS: [Point; 3] = [Point::BeforeParts, Point::BeforeEntry, Point::AfterEntry];
const SIGNALS: [libc::c_int; 2] = [libc::SIGSTOP, libc::SIGKILL];

/// Writes rows whose sizes, and ranges whose ends, differ from attempt to attempt: worse than any real stage.
struct Varying {
    seed: u64,
}

impl Stage for Varying {
    fn name(&self) -> String {
        "varying".to_owned()
    }
    fn settings(&self) -> Result<Value> {
        Ok(json!({}))
    }
    fn plan(&self, _: &Inputs) -> Result<u32> {
        Ok(1)
    }
    fn streams(&self) -> Vec<Declared> {
        vec![DOCUMENTS.into()]
    }
    fn run(&self, _: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        out.set_range_records_max(3 + self.seed % 9);
        for number in out.position()..RECORDS {
            let length = random::hash(self.seed, "length", &number.to_le_bytes()) % 500;
            let text = "x".repeat(length as usize + 1);
            out.read("documents");
            out.keep("documents");
            out.write(DOCUMENTS, super::document(Id::from_bits(number), text))?;
            out.advance(1)?;
        }
        Ok(())
    }
}

fn run(folder: &Path, seed: u64) -> Dataset {
    let store = Store::local(folder).unwrap();
    let (cancel, crashes) = (Cancel::default(), Crashes::default());
    let engine = Engine {
        store: &store,
        work: super::work(&store),
        workers: 1,
        cancel: &cancel,
        crashes: &crashes,
        observer: &Unobserved,
        executor: None,
        prober: None,
    };
    engine.run(&Varying { seed }, &Inputs::default()).unwrap()
}

fn spawn(folder: &Path, seed: u64) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "engine::tests::race::one_of_two_processes", "--nocapture"]);
    let role = format!("{seed} {}", folder.display());
    command.env(ROLE, role).stdout(Stdio::null()).spawn().unwrap()
}

/// Does nothing unless it is run as a child of the test below.
#[test]
fn one_of_two_processes() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    let (seed, folder) = role.split_once(' ').unwrap();
    let seed: u64 = seed.parse().unwrap();
    let point = POINTS[(seed / 2 % 3) as usize];
    failpoint::arm(point, (seed / 6 % 5) as u32, SIGNALS[(seed % 2) as usize]);
    run(Path::new(folder), seed);
}

/// Waits until the child ended or was stopped; returns true if a signal hit it.
fn wait_for_signal(child: &Child) -> bool {
    let mut status = 0;
    // SAFETY: the process is a child of this one, and the status is on this stack.
    unsafe { libc::waitpid(child.id() as libc::pid_t, &raw mut status, libc::WUNTRACED) };
    libc::WIFSTOPPED(status) || libc::WIFSIGNALED(status)
}

#[test]
fn whoever_loses_a_range_continues_behind_the_winner() {
    let races = std::env::var("KOSMOS_TEST_RACES").ok().and_then(|text| text.parse().ok());
    let mut hits = 0;
    for seed in 0..races.unwrap_or(RACES_DEFAULT) {
        let temp = tempfile::tempdir().unwrap();
        let mut first = spawn(temp.path(), seed);
        hits += u32::from(wait_for_signal(&first));
        // The other attempt cuts its ranges elsewhere, and its answers have other sizes.
        run(temp.path(), seed * 7 + 1);
        let is_stopped = SIGNALS[(seed % 2) as usize] == libc::SIGSTOP;
        if is_stopped {
            // SAFETY: a signal to a child that was not waited for to its end.
            unsafe { libc::kill(first.id() as libc::pid_t, libc::SIGCONT) };
        }
        let ended = first.wait();
        assert!(!is_stopped || ended.unwrap().success(), "seed {seed}");
        let dataset = run(temp.path(), 0);
        let ids: Vec<u64> = dataset.rows(DOCUMENTS).map(|row| row.unwrap().id.to_bits()).collect();
        assert_eq!(ids, (0..RECORDS).collect::<Vec<_>>(), "seed {seed}");
        let store = Store::local(temp.path()).unwrap();
        assert_eq!(verify::verify(&store, dataset.manifest()).unwrap(), [], "seed {seed}");
    }
    assert!(hits as u64 >= races.unwrap_or(RACES_DEFAULT) * 9 / 10, "only {hits} processes were hit");
}
