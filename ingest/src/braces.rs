//! Braces and wildcards: one pattern stands for many file names, as in a shell.

/// Names one pattern may stand for.
pub const NAMES_MAX: usize = 1 << 20;

/// Expands `{00..29}` to numbers of that width and `{a,b}` to alternatives; braces do not nest.
///
/// The order is that of a shell: the last pair of braces varies fastest.
///
/// # Errors
/// When a brace is not closed, holds neither form, or the names are too many.
pub fn expand(pattern: &str) -> Result<Vec<String>, String> {
    let mut names = vec![String::new()];
    let mut rest = pattern;
    while let Some((literal, after)) = rest.split_once('{') {
        let Some((body, tail)) = after.split_once('}') else {
            return Err(format!("{pattern:?} has a brace that is not closed"));
        };
        let alternatives = alternatives(body)
            .ok_or_else(|| format!("{pattern:?}: {{{body}}} is neither a range nor a list"))?;
        if names.len().saturating_mul(alternatives.len()) > NAMES_MAX {
            return Err(format!("{pattern:?} stands for more than {NAMES_MAX} names"));
        }
        names = names
            .iter()
            .flat_map(|name| alternatives.iter().map(move |a| format!("{name}{literal}{a}")))
            .collect();
        rest = tail;
    }
    for name in &mut names {
        name.push_str(rest);
    }
    Ok(names)
}

fn alternatives(body: &str) -> Option<Vec<String>> {
    if body.contains(',') {
        return Some(body.split(',').map(str::to_owned).collect());
    }
    let (first, last) = body.split_once("..")?;
    let (low, high): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
    if high < low || high - low >= NAMES_MAX {
        return None;
    }
    // As in a shell, a leading zero asks for equal widths.
    let pads = [first, last].iter().any(|n| n.len() > 1 && n.starts_with('0'));
    let width = if pads { first.len().max(last.len()) } else { 0 };
    Some((low..=high).map(|number| format!("{number:0width$}")).collect())
}

/// Characters that stand for others in the name of a file: any number of them, or one.
const WILDCARDS: [char; 2] = ['*', '?'];

/// Returns true if a name has wildcards.
pub(crate) fn has_wildcards(name: &str) -> bool {
    name.contains(WILDCARDS)
}

/// Returns true if a pattern with wildcards stands for a name.
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut in_name) = (0, 0);
    // Behind the last star, and the first character that it does not stand for.
    let mut star = None;
    while in_name < name.len() {
        match pattern.get(at) {
            Some('*') => {
                at += 1;
                star = Some((at, in_name));
            }
            Some(wanted) if *wanted == '?' || *wanted == name[in_name] => {
                (at, in_name) = (at + 1, in_name + 1)
            }
            _ => match &mut star {
                // It stands for one more.
                Some((behind, begin)) => {
                    *begin += 1;
                    (at, in_name) = (*behind, *begin);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|wanted| *wanted == '*')
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ranges_keep_their_width_and_lists_their_order() {
        assert_eq!(expand("a").unwrap(), ["a"]);
        assert_eq!(expand("{08..10}.zst").unwrap(), ["08.zst", "09.zst", "10.zst"]);
        assert_eq!(expand("{8..10}").unwrap(), ["8", "9", "10"]);
        assert_eq!(expand("{b,a}-{0..1}x").unwrap(), ["b-0x", "b-1x", "a-0x", "a-1x"]);
        let parts = expand("part-{00000..00127}-c000").unwrap();
        assert_eq!((parts.len(), parts[127].as_str()), (128, "part-00127-c000"));
    }

    #[test]
    fn wildcards_stand_for_characters() {
        for (pattern, name) in [
            ("*.html", "a.html"),
            ("*", ""),
            ("a?c*", "abc"),
            ("*a*b*", "xaxxbx"),
            ("*ab", "aab"),
            ("?", "\u{e9}"),
            ("**", "x"),
        ] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("*.html", "a.htm"), ("?", ""), ("a*b", "ac"), ("a", "ab"), ("", "a"), ("*a?", "a")]
        {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
        let (stars, name) = ("*a".repeat(200), "a".repeat(20_000) + "b");
        assert!(!fits(&stars, &name));
        assert!(has_wildcards("a*") && has_wildcards("?") && !has_wildcards("a[b]{c}"));
    }

    #[test]
    fn nonsense_is_refused_and_never_explodes() {
        for pattern in ["{a", "{}", "{a}", "{3..1}", "{0..99999999999999999999}", "{0..99999999}"] {
            assert!(expand(pattern).is_err(), "{pattern}");
        }
        assert!(expand("{0..9999}{0..9999}").is_err());
    }
}
