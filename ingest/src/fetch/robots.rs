//! `X-Robots-Tag`: what a server asks not to be done with an answer.

/// Returns the first refused directive that applies to us.
///
/// A header holds directives separated by commas, or by semicolons as some servers write them; `none` stands for
/// `noindex` and `nofollow`. One may be addressed to an agent by name
/// (`googlebot: noindex`), and then holds for that agent alone, as do those after it.
pub fn refused_by<'h>(
    headers: impl Iterator<Item = &'h str>,
    agent: &str,
    refused: &[String],
) -> Option<String> {
    for header in headers {
        let mut ours = true;
        for directive in header.split([',', ';']) {
            let directive = match directive.split_once(':') {
                Some((name, directive)) => {
                    let name = name.trim();
                    ours = name == "*" || name.eq_ignore_ascii_case(agent);
                    directive
                }
                None => directive,
            };
            let directive = directive.trim();
            let is_none = directive.eq_ignore_ascii_case("none");
            let is_meant = |tag: &String| {
                tag.eq_ignore_ascii_case(directive)
                    || is_none && matches!(tag.as_str(), "noindex" | "nofollow")
            };
            if ours && refused.iter().any(is_meant) {
                return Some(directive.to_ascii_lowercase());
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_for_all_or_for_us_are_respected() {
        let refused = ["noai".to_owned(), "noindex".to_owned()];
        let judge = |header: &'static str| refused_by([header].into_iter(), "kosmos", &refused);
        assert_eq!(judge("NoAI"), Some("noai".into()));
        assert_eq!(judge("nofollow, noai"), Some("noai".into()));
        assert_eq!(judge("kosmos: noindex"), Some("noindex".into()));
        assert_eq!(judge("otherbot: noindex, noai"), None);
        assert_eq!(judge("unavailable_after: 25 Jun 2030 15:00:00 PST"), None);
        assert_eq!(judge("all"), None);
        assert_eq!(judge("none"), Some("none".into()));
        assert_eq!(judge("nofollow; noai"), Some("noai".into()));
    }
}
