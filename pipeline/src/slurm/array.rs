//! Arrays: which element of a job runs which tasks.
//!
//! Element e of E runs the tasks whose number leaves e when divided by E. The same tasks fall to the same element
//! however many are missing, so an element can be told by its number alone.

/// Returns the number of elements of a stage's array.
pub(crate) fn elements(task_count: u32, array_max: u32) -> u32 {
    task_count.clamp(1, array_max.max(1))
}

/// Returns the elements that have a missing task as `sbatch --array` takes them: `0-3,7,9-11`.
pub(crate) fn specification(missing: &[u32], elements: u32) -> String {
    let mut wanted: Vec<u32> = missing.iter().map(|task| task % elements.max(1)).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for element in wanted {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == element => *last = element,
            _ => runs.push((element, element)),
        }
    }
    let shown = |(first, last): (u32, u32)| {
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    };
    runs.into_iter().map(shown).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_missing_task_is_some_element_s() {
        assert_eq!((elements(12, 5), elements(3, 5), elements(0, 5)), (5, 3, 1));
        assert_eq!(specification(&(0..12).collect::<Vec<_>>(), 5), "0-4");
        assert_eq!(specification(&[11, 3, 8], 5), "1,3");
        assert_eq!(specification(&[0, 1, 2, 7, 9], 10), "0-2,7,9");
        assert_eq!(specification(&[], 10), "");
    }
}
