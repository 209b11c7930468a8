//! A rule that a user writes: an expression of the Common Expression Language over a text.

use std::sync::Arc;

use cel::{Context, Env, Program, Value};
use corpus::PageUrl;
use serde::{Deserialize, Serialize};

use super::files::Loaded;
use super::{About, Finding};
use crate::text::Text;

/// Bytes of an expression at most.
const EXPRESSION_BYTES_MAX: usize = 4 << 10;
/// What an expression can name.
const VARIABLES: [&str; 10] =
    ["text", "url", "host", "source", "date", "language", "chars", "words", "lines", "mean_word_chars"];

/// Keeps the texts of which an expression says `true`; its name is the reason of a drop.
///
/// An example: `words >= 100 && !url.contains("/tag/") && source in ["crawl"]`. Strings: `text`, `url`,
/// `host`, `source`, `date` and `language` (ISO 639-3, once the rule `language` came before; all empty
/// where there is none). Numbers: `chars`, `words` (Unicode's), `lines`, `mean_word_chars`.
/// An expression that fails on a text, or says something else than true or false, drops it.
/// The language: <https://github.com/google/cel-spec>.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expression {
    /// The reason under which texts are dropped.
    pub name: String,
    /// The expression.
    pub keep: String,
}

impl Expression {
    /// Evaluates the expression; the value is 1 for true.
    pub fn judge<'r>(&'r self, about: &About<'_>, text: &Text<'_>, loaded: &Loaded) -> Finding<'r> {
        let keeps = loaded.program().is_some_and(|program| evaluate(program, about, text));
        Finding::new(&self.name, f64::from(u8::from(keeps)), keeps)
    }

    /// Reads the expression.
    pub(super) fn load(&self) -> Result<Loaded, String> {
        Ok(Loaded::Program(Arc::new(self.program()?)))
    }

    fn program(&self) -> Result<Program, String> {
        if self.keep.len() > EXPRESSION_BYTES_MAX {
            return Err(format!("expression.keep is longer than {EXPRESSION_BYTES_MAX} bytes"));
        }
        let program = Env::stdlib()
            .compile(&self.keep)
            .map_err(|error| format!("expression.keep {:?}: {error}", self.keep))?;
        let references = program.references();
        if let Some(unknown) = references.variables().into_iter().find(|name| !VARIABLES.contains(name)) {
            let known = VARIABLES.join(", ");
            return Err(format!("expression.keep names {unknown:?}; there are {known}"));
        }
        Ok(program)
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if self.name.is_empty() || !self.name.chars().all(is_word) {
            return Err(format!("expression.name is {:?}, must be of a-z, 0-9 and _", self.name));
        }
        self.program().map(drop)
    }
}

fn evaluate(program: &Program, about: &About<'_>, text: &Text<'_>) -> bool {
    let mut context = Context::default();
    for name in program.references().variables() {
        context.add_variable_from_value(name, variable(name, about, text));
    }
    matches!(program.execute(&context), Ok(Value::Bool(true)))
}

fn variable(name: &str, about: &About<'_>, text: &Text<'_>) -> Value {
    let string = |text: &str| Value::String(Arc::new(text.to_owned()));
    let count = |count: usize| Value::Int(i64::try_from(count).unwrap_or(i64::MAX));
    let url = about.url.unwrap_or_default();
    match name {
        "text" => string(text.as_str()),
        "url" => string(url),
        "host" => string(PageUrl::of(url).as_ref().map(PageUrl::host).unwrap_or_default()),
        "source" => string(about.source),
        "date" => string(about.date.unwrap_or_default()),
        "language" => string(&text.known_language().map(|code| code.to_string()).unwrap_or_default()),
        "chars" => count(text.as_str().chars().count()),
        "words" => count(text.word_count() as usize),
        "lines" => count(text.as_str().lines().count()),
        _ => {
            let words = text.as_str().split_whitespace();
            let (all, chars) =
                words.fold((0, 0), |(all, chars), word| (all + 1, chars + word.chars().count()));
            Value::Float(chars as f64 / f64::from(all.max(1)))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn rule(keep: &str) -> Expression {
        Expression { name: "mine".to_owned(), keep: keep.to_owned() }
    }

    #[test]
    fn what_the_expression_says_is_kept() {
        let about = About { source: "crawl", url: Some("https://a.example/tag/1"), date: None };
        let text = Text::new("one two three\nfour");
        let judge = |keep: &str| {
            let rule = rule(keep);
            rule.judge(&about, &text, &rule.load().unwrap()).passed
        };
        assert!(judge("words >= 4 && lines == 2 && source in ['crawl', 'pile']"));
        assert!(judge("host == 'a.example' && text.contains('two') && date == ''"));
        assert!(!judge("!url.contains('/tag/')"));
        assert!(judge("mean_word_chars < 4.0 && text.matches('^one')"));
        assert!(!judge("words"));
        assert!(!judge("words / 0 == 1"));
    }

    #[test]
    fn mistakes_are_named() {
        let error = |keep: &str| rule(keep).validate().unwrap_err();
        assert!(error("wrds > 3").contains("\"wrds\""), "{}", error("wrds > 3"));
        assert!(error("words >").contains("expression.keep"), "{}", error("words >"));
        let named = Expression { name: "My rule".to_owned(), keep: "true".to_owned() };
        assert!(named.validate().unwrap_err().contains("expression.name"));
    }
}
