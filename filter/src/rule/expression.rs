//! A rule that a user writes: an expression of the Common Expression Language over a text or a pair.

use std::sync::Arc;

use cel::{Context, Env, ParseErrors, Program, Value};
use corpus::PageUrl;
use corpus::record::{Pair, PairNumber};
use serde::{Deserialize, Serialize};

use super::files::Loaded;
use super::{About, Finding};
use crate::text::Text;

/// Bytes of an expression at most.
const EXPRESSION_BYTES_MAX: usize = 4 << 10;
/// What an expression over a text can name.
pub(super) const OF_TEXT: [&str; 10] =
    ["text", "url", "host", "source", "date", "language", "chars", "words", "lines", "mean_word_chars"];
/// What an expression over a pair can name beside its numbers.
const OF_PAIR: [&str; 6] = ["caption", "url", "host", "source", "chars", "words"];

/// Returns all that an expression over a pair can name.
pub(super) fn names_of_pair() -> Vec<&'static str> {
    OF_PAIR.into_iter().chain(PairNumber::ALL.iter().map(|number| number.name())).collect()
}

/// Keeps the records of which an expression says `true`; its name is the reason of a drop.
///
/// An example over texts: `words >= 100 && !url.contains("/tag/") && source in ["crawl"]`. Strings: `text`, `url`,
/// `host`, `source`, `date` and `language` (ISO 639-3, once the rule `language` came before; all empty
/// where there is none). Numbers: `chars`, `words` (Unicode's), `lines`, `mean_word_chars`. Over pairs:
/// `caption`, `url`, `host`, `source`; `chars` and `words` of the caption, and every number of [`PairNumber`] (`width`,
/// `height`, `similarity`, `nsfw`, `watermark`, `aesthetic`), -1 where the source does not state it.
/// An expression that fails on a record, or says something else than true or false, drops it.
/// The language: <https://github.com/google/cel-spec>.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expression {
    /// The reason recorded for dropped records.
    pub name: String,
    /// The expression. Records for which it is true are kept.
    pub keep: String,
}

impl Expression {
    /// Evaluates the expression; the value is 1 for true.
    pub fn judge<'r>(&'r self, about: &About<'_>, text: &Text<'_>, loaded: &Loaded) -> Finding<'r> {
        self.evaluate(loaded, |name| of_text(name, about, text))
    }

    /// As [`Self::judge`], of a pair; `caption` is the view of its caption.
    pub fn judge_pair<'r>(&'r self, pair: &Pair, caption: &Text<'_>, loaded: &Loaded) -> Finding<'r> {
        self.evaluate(loaded, |name| of_pair(name, pair, caption))
    }

    fn evaluate(&self, loaded: &Loaded, variable: impl Fn(&str) -> Value) -> Finding<'_> {
        let keeps = loaded.program().is_some_and(|program| {
            let mut context = Context::default();
            for name in program.references().variables() {
                context.add_variable_from_value(name, variable(name));
            }
            matches!(program.execute(&context), Ok(Value::Bool(true)))
        });
        Finding::new(&self.name, f64::from(u8::from(keeps)), keeps)
    }

    /// Reads the expression, which may name these variables.
    pub(super) fn load(&self, variables: &[&str]) -> Result<Loaded, String> {
        Ok(Loaded::Program(Arc::new(self.program(variables)?)))
    }

    fn program(&self, variables: &[&str]) -> Result<Program, String> {
        if self.keep.len() > EXPRESSION_BYTES_MAX {
            return Err(format!("expression.keep is longer than {EXPRESSION_BYTES_MAX} bytes"));
        }
        let program = Env::stdlib()
            .compile(&self.keep)
            .map_err(|errors| format!("expression.keep {:?}: {}", self.keep, first(&errors)))?;
        let references = program.references();
        if let Some(unknown) = references.variables().into_iter().find(|name| !variables.contains(name)) {
            let known = variables.join(", ");
            return Err(format!("expression.keep names {unknown:?}; there are {known}"));
        }
        Ok(program)
    }

    pub(super) fn validate(&self, variables: &[&str]) -> Result<(), String> {
        let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if self.name.is_empty() || !self.name.chars().all(is_word) {
            return Err(format!("expression.name is {:?}, must be of a-z, 0-9 and _", self.name));
        }
        self.program(variables).map(drop)
    }
}

/// Returns where an expression is wrong and why, in one line; what else the parser stumbled over follows from it.
fn first(errors: &ParseErrors) -> String {
    let first = errors.errors.iter().min_by_key(|error| error.pos);
    first.map_or("is no expression".to_owned(), |error| {
        // The parser lists every token that it knows.
        let why = error.msg.split(" expecting ").next().unwrap_or_default().replace('\n', " ");
        format!("line {}, column {}: {why}", error.pos.0, error.pos.1)
    })
}

fn string(text: &str) -> Value {
    Value::String(Arc::new(text.to_owned()))
}

fn count(count: usize) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

fn host(url: &str) -> Value {
    string(PageUrl::of(url).as_ref().map(PageUrl::host).unwrap_or_default())
}

fn of_text(name: &str, about: &About<'_>, text: &Text<'_>) -> Value {
    match name {
        "text" => string(text.as_str()),
        "url" => string(about.url.unwrap_or_default()),
        "host" => host(about.url.unwrap_or_default()),
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

fn of_pair(name: &str, pair: &Pair, caption: &Text<'_>) -> Value {
    let number = |number: PairNumber| {
        let stated = pair.number(number).unwrap_or(-1.0);
        if number.is_integer() { Value::Int(stated as i64) } else { Value::Float(stated) }
    };
    match name {
        "caption" => string(&pair.caption),
        "url" => string(&pair.url),
        "host" => host(&pair.url),
        "source" => string(&pair.source),
        "chars" => count(pair.caption.chars().count()),
        "words" => count(caption.word_count() as usize),
        _ => {
            let named = PairNumber::ALL.iter().find(|number| number.name() == name);
            named.map_or(Value::Null, |named| number(*named))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::subject::tests::pair;

    fn rule(keep: &str) -> Expression {
        Expression { name: "mine".to_owned(), keep: keep.to_owned() }
    }

    #[test]
    fn what_the_expression_says_is_kept() {
        let about = About { source: "crawl", url: Some("https://a.example/tag/1"), date: None };
        let text = Text::new("one two three\nfour");
        let judge = |keep: &str| {
            let rule = rule(keep);
            rule.judge(&about, &text, &rule.load(&OF_TEXT).unwrap()).passed
        };
        assert!(judge("words >= 4 && lines == 2 && source in ['crawl', 'pile']"));
        assert!(judge("host == 'a.example' && text.contains('two') && date == ''"));
        assert!(!judge("!url.contains('/tag/')"));
        assert!(judge("mean_word_chars < 4.0 && text.matches('^one')"));
        assert!(!judge("words"));
        assert!(!judge("words / 0 == 1"));
    }

    #[test]
    fn pairs_have_variables_of_their_own() {
        let pair = Pair { similarity: Some(0.3), width: Some(640), ..pair("coyo", "a bird at sea") };
        let judge = |keep: &str| {
            let rule = rule(keep);
            rule.judge_pair(&pair, &Text::new(&pair.caption), &rule.load(&names_of_pair()).unwrap()).passed
        };
        assert!(judge("similarity > 0.25 && width >= 640 && words == 4 && source == 'coyo'"));
        assert!(judge("host == 'a.example' && caption.startsWith('a ') && nsfw < 0.5"));
        assert!(!judge("height > 0"));
        assert!(rule("lines > 1").load(&names_of_pair()).is_err());
    }

    #[test]
    fn mistakes_are_named() {
        let error = |keep: &str| rule(keep).validate(&OF_TEXT).unwrap_err();
        assert!(error("wrds > 3").contains("\"wrds\""), "{}", error("wrds > 3"));
        for wrong in ["words >", "words >> 3", "(words", "\"open", "", "true\n&&\n)"] {
            let told = error(wrong);
            assert!(told.starts_with(&format!("expression.keep {wrong:?}: line ")), "{told}");
            assert!(!told.contains('\n') && !told.contains("ERROR"), "{told}");
        }
        let named = Expression { name: "My rule".to_owned(), keep: "true".to_owned() };
        assert!(named.validate(&OF_TEXT).unwrap_err().contains("expression.name"));
    }
}
