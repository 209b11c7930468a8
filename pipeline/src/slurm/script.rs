//! The batch script of a stage's array.

use std::fmt::Write as _;
use std::path::Path;

use corpus::stage::Resources;

use crate::config::Job;

/// What a script is made of.
pub(crate) struct Script<'a> {
    /// The job's name, by which a driver finds it again.
    pub(crate) name: &'a str,
    /// The elements, as `sbatch --array` takes them.
    pub(crate) array: &'a str,
    /// Number of all elements.
    pub(crate) elements: u32,
    /// Elements that run at a time at most.
    pub(crate) running_max: Option<u32>,
    /// The stage.
    pub(crate) stage: &'a str,
    /// What a task of it needs.
    pub(crate) resources: Resources,
    /// What the configuration asks for.
    pub(crate) job: &'a Job,
    /// This program.
    pub(crate) program: &'a Path,
    /// The run, as words of a shell.
    pub(crate) run: &'a str,
    /// The folder of the jobs' logs.
    pub(crate) logs: &'a Path,
}

impl Script<'_> {
    /// Returns the text.
    pub(crate) fn text(&self) -> String {
        let Self { job, resources, .. } = self;
        let mut text = "#!/bin/bash\n".to_owned();
        let mut option = |option: String| {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "#SBATCH {option}");
        };
        option(format!("--job-name={}", self.name));
        let at_a_time = self.running_max.map_or_else(String::new, |count| format!("%{count}"));
        option(format!("--array={}{at_a_time}", self.array));
        option(format!("--ntasks={}", resources.ranks));
        option(format!("--cpus-per-task={}", job.cpus.unwrap_or(resources.cpus)));
        option(format!("--mem={}M", job.memory_mb.unwrap_or(resources.memory_mb)));
        match job.gpus.unwrap_or(resources.gpus) {
            0 => {}
            gpus => option(format!("--gpus-per-task={gpus}")),
        }
        if let Some(minutes) = job.time_minutes {
            option(format!("--time={minutes}"));
        }
        if let Some(partition) = &job.partition {
            option(format!("--partition={partition}"));
        }
        option(format!("--output={}", quoted_option(&self.logs.join("%x-%A-%a.log"))));
        option("--open-mode=append".to_owned());
        option("--requeue".to_owned());
        job.options.iter().cloned().for_each(option);
        let launch = if resources.ranks > 1 { "exec srun" } else { "exec" };
        let (program, run) = (quoted(self.program), self.run);
        let (stage, elements) = (self.stage, self.elements);
        let _ = writeln!(
            text,
            "{launch} {program} task {run} {stage} --share \"$SLURM_ARRAY_TASK_ID/{elements}\""
        );
        text
    }
}

/// Returns a path as one word of a shell.
pub(crate) fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

/// Returns a path as one word of an `#SBATCH` line, which knows double quotes alone.
fn quoted_option(path: &Path) -> String {
    format!("\"{}\"", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_asks_for_what_the_stage_and_the_configuration_say() {
        let job = Job { gpus: Some(1), options: vec!["--account=lab".to_owned()], ..Job::default() };
        let script = Script {
            name: "kosmos-train-0123456789abcdef",
            array: "0-3,7",
            elements: 8,
            running_max: Some(2),
            stage: "train",
            resources: Resources { memory_mb: 4_096, ..Resources::default() },
            job: &job,
            program: Path::new("/opt/kosmos/bin/kosmos"),
            run: &quoted(Path::new("/data/it's here")),
            logs: Path::new("/data/it's here/logs/slurm"),
        };
        let text = script.text();
        let lines: Vec<&str> = text.lines().collect();
        for option in
            ["--array=0-3,7%2", "--mem=4096M", "--cpus-per-task=1", "--gpus-per-task=1", "--account=lab"]
        {
            assert!(lines.contains(&format!("#SBATCH {option}").as_str()), "{option} is not in {text}");
        }
        let last = r#"exec '/opt/kosmos/bin/kosmos' task '/data/it'\''s here' train --share "$SLURM_ARRAY_TASK_ID/8""#;
        assert_eq!(lines.last(), Some(&last));
    }
}
