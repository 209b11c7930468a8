//! File handles: how many files and connections this process may have open at once.

/// Raises the limit as far as the machine lets a user do it; returns the limit that holds then.
pub fn raise() -> u64 {
    let Some(mut limits) = limits() else {
        return limit();
    };
    limits.rlim_cur = limits.rlim_max;
    // SAFETY: the struct is whole and on this stack. A refusal leaves the limit as it was.
    unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limits) };
    limit()
}

/// Returns the limit.
pub fn limit() -> u64 {
    /// What every system grants.
    const LEAST: u64 = 256;
    limits().map_or(LEAST, |limits| limits.rlim_cur)
}

fn limits() -> Option<libc::rlimit> {
    let mut limits = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the struct is whole and on this stack.
    let answer = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limits) };
    (answer == 0).then_some(limits)
}

/// Returns true if and only if an operation failed since this process or the machine has no handle or no
/// memory for one left: a fault of our own, which says nothing about what was to be opened.
pub fn are_exhausted(error: &std::io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_raised_and_never_lowered() {
        let before = limit();
        let raised = raise();
        assert!(raised >= before && raised == limit());
        assert_eq!(raise(), raised);
    }

    #[test]
    fn a_want_of_handles_is_told_from_other_errors() {
        let error = std::io::Error::from_raw_os_error;
        assert!([libc::EMFILE, libc::ENFILE].map(error).iter().all(are_exhausted));
        assert!(![libc::ECONNREFUSED, libc::ENOENT, libc::EACCES].map(error).iter().any(are_exhausted));
    }
}
