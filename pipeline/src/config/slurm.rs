//! `[slurm]`: how tasks become jobs of a Slurm cluster. Nothing of it changes a result.

use std::collections::BTreeMap;

use serde::Deserialize;

/// How jobs are submitted and retried.
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Slurm {
    /// Maximum number of elements in a stage's array; the cluster's MaxArraySize also applies. With more
    /// tasks, an element runs several.
    pub array_max: u32,
    /// Maximum number of elements that run at the same time. Default: no limit of our own; the cluster
    /// decides.
    pub running_max: Option<u32>,
    /// Maximum number of arrays to submit for a stage before giving up on its missing tasks.
    pub rounds_max: u32,
    /// Seconds between checks of the ledger.
    pub poll_secs: u32,
    /// What every job requests beyond what its stage needs.
    #[serde(flatten)]
    pub job: Job,
    /// Settings for one stage, or for all stages with a common prefix (`"images.*"`). They take precedence
    /// over the general ones.
    pub stages: BTreeMap<String, Job>,
}

/// What a job requests. If a key is absent, the stage decides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Job {
    /// The Slurm partition.
    pub partition: Option<String>,
    /// Time limit of a job in minutes. Default: the partition's.
    pub time_minutes: Option<u32>,
    /// Cores per task.
    pub cpus: Option<u32>,
    /// Memory per task in MiB.
    pub memory_mb: Option<u32>,
    /// GPUs per task.
    pub gpus: Option<u32>,
    /// Further options of `sbatch`: `["--account=lab", "--qos=low"]`.
    pub options: Vec<String>,
}

impl Default for Slurm {
    fn default() -> Self {
        Self {
            array_max: 1_000,
            running_max: None,
            rounds_max: 3,
            poll_secs: 10,
            job: Job::default(),
            stages: BTreeMap::new(),
        }
    }
}

impl Slurm {
    /// Checks the bounds; the error names the key.
    pub fn validate(&self) -> Result<(), String> {
        let bounded = [
            ("array_max", self.array_max, 4_000_000),
            ("running_max", self.running_max.unwrap_or(1), 4_000_000),
            ("rounds_max", self.rounds_max, 1_000),
            ("poll_secs", self.poll_secs, 3_600),
        ];
        for (key, value, max) in bounded {
            if !(1..=max).contains(&value) {
                return Err(format!("{key} is {value}, must be from 1 to {max}"));
            }
        }
        self.job.validate()?;
        self.stages
            .iter()
            .try_for_each(|(stage, job)| job.validate().map_err(|e| format!("stages.{stage:?}: {e}")))
    }

    /// Returns what the jobs of a stage ask for: its own entry, then those of longer beginnings, then what all do.
    pub fn job_of(&self, stage: &str) -> Job {
        let fits = |pattern: &str| match pattern.strip_suffix('*') {
            Some(beginning) => stage.starts_with(beginning),
            None => stage == pattern,
        };
        let mut entries: Vec<_> = self.stages.iter().filter(|(pattern, _)| fits(pattern)).collect();
        entries.sort_by_key(|(pattern, _)| std::cmp::Reverse((!pattern.ends_with('*'), pattern.len())));
        let jobs = entries.into_iter().map(|(_, job)| job).chain([&self.job]);
        jobs.fold(Job::default(), |job, behind| job.or(behind))
    }
}

impl Job {
    fn validate(&self) -> Result<(), String> {
        for (key, value) in
            [("time_minutes", self.time_minutes), ("cpus", self.cpus), ("memory_mb", self.memory_mb)]
        {
            if value == Some(0) {
                return Err(format!("{key} is 0, must be at least 1"));
            }
        }
        let texts = self.partition.iter().chain(&self.options);
        match texts.into_iter().find(|text| text.is_empty() || text.chars().any(char::is_control)) {
            Some(text) => Err(format!("{text:?} is no option of sbatch")),
            None => match self.options.iter().find(|option| !option.starts_with('-')) {
                Some(option) => Err(format!("options: {option:?} must begin with -, as in --account=lab")),
                None => Ok(()),
            },
        }
    }

    /// Fills what is absent from another job's wishes; options add up.
    fn or(self, behind: &Self) -> Self {
        let mut options = behind.options.clone();
        options.extend(self.options);
        Self {
            partition: self.partition.or_else(|| behind.partition.clone()),
            time_minutes: self.time_minutes.or(behind.time_minutes),
            cpus: self.cpus.or(behind.cpus),
            memory_mb: self.memory_mb.or(behind.memory_mb),
            gpus: self.gpus.or(behind.gpus),
            options,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn slurm(text: &str) -> Slurm {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn a_stage_has_its_own_wishes_before_those_of_its_family_and_of_all() {
        let config = slurm(
            "partition = \"cpu\"\noptions = [\"--account=lab\"]\n[stages.\"images.*\"]\ncpus = 4\nmemory_mb = 8000\n\
             [stages.\"images.pass0\"]\ncpus = 8\noptions = [\"--qos=low\"]\n[stages.train]\npartition = \"gpu\"\n",
        );
        let job = config.job_of("images.pass0");
        assert_eq!((job.partition.as_deref(), job.cpus, job.memory_mb), (Some("cpu"), Some(8), Some(8_000)));
        assert_eq!(job.options, ["--account=lab", "--qos=low"]);
        assert_eq!(config.job_of("images.list").cpus, Some(4));
        assert_eq!(config.job_of("train").partition.as_deref(), Some("gpu"));
        assert_eq!(config.job_of("text").cpus, None);
    }

    #[test]
    fn values_outside_their_bounds_are_refused_by_key() {
        let refusal = |text: &str| slurm(text).validate().unwrap_err();
        assert!(refusal("rounds_max = 0").starts_with("rounds_max is 0"));
        assert!(refusal("options = [\"account=lab\"]").contains("must begin with -"));
        assert!(refusal("partition = \"a\\n#SBATCH --uid=0\"").contains("no option of sbatch"));
        assert!(refusal("[stages.train]\ncpus = 0").contains("stages.\"train\": cpus is 0"));
    }
}
