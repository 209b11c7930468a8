//! A mistake in the text of a configuration: where it is, what stands there, and what may.

use std::ops::Range;

use toml::de::Error;
use toml_edit::{Document, Item, TableLike, Value};

/// Largest distance at which a key is suggested for a misspelt one.
const SUGGESTION_DISTANCE_MAX: usize = 4;
/// Characters of a value that an error shows.
const SHOWN_CHARS_MAX: usize = 60;
/// A name that no section, key or choice has: what is expected in its place is told by the error.
const NOBODY: &str = "?";

/// Keys that have another name than they had.
const MOVED: [(&str, &str); 1] = [("features.weights", "model.tower.weights now, and its path file.path")];

/// Keys whose values may hold passwords; also of all below them.
const SECRET: [&str; 2] = ["fetch.proxy", "fetch.headers"];

/// Returns true for keys whose values are not shown.
pub(super) fn is_secret(path: &str) -> bool {
    let is_below = |key: &str| {
        path.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    SECRET.into_iter().any(is_below)
}

/// A mistake in a configuration.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The key's path, as `text.rules[0].words`; empty if the text is not TOML.
    pub(super) path: String,
    /// Where it is in the text, from 1.
    pub(super) line: usize,
    /// The path, what is wrong with it and what to do.
    pub(super) message: String,
}

/// Explains why a text is not a configuration. `retry` reads other texts in its place: what may stand
/// somewhere is asked of it.
pub(super) fn fault(text: &str, error: &Error, retry: &dyn Fn(&str) -> Option<Error>) -> Fault {
    let span = error.span().unwrap_or(0..0);
    let line = line_at(text, span.start);
    let Some(places) = Places::of(text) else {
        return Fault { path: String::new(), line, message: syntax(text, &span, error.message()) };
    };
    // What is missing from the whole has no place.
    let path = if span.is_empty() { String::new() } else { places.at(&span) };
    let (path, what) = Explained { text, span, path, retry }.message(error.message());
    let separator = if what.starts_with("is ") { " " } else { ": " };
    Fault { line, message: format!("{path}{separator}{what}"), path }
}

/// Explains why a text is not TOML.
fn syntax(text: &str, span: &Range<usize>, message: &str) -> String {
    let mut section = text.get(..span.start).unwrap_or(text).lines().map(str::trim);
    let section = section.rfind(|line| line.starts_with('[') && line.ends_with(']'));
    let line = text.lines().nth(line_at(text, span.start) - 1).unwrap_or_default().trim();
    if message == "duplicate key" {
        let inner = |header: &str| header.trim_matches(['[', ']']).trim().to_owned();
        let key = match line.starts_with('[') {
            true => inner(line),
            false => {
                joined(&section.map(inner).unwrap_or_default(), text.get(span.clone()).unwrap_or_default())
            }
        };
        return format!("{key}: this key is there for a second time; remove one of the two");
    }
    let key = line.split('=').next().unwrap_or_default().trim();
    let path = joined(section.map(|header| header.trim_matches(['[', ']'])).unwrap_or_default(), key);
    let shown = if is_secret(&path) { key.to_owned() } else { shortened(line) };
    format!("{}: {shown:?} is not valid TOML: {message}", section.unwrap_or("top level"))
}

/// Returns the line of a place in the text, from 1.
fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// Returns the first line of a value, and no more than fits into an error.
fn shortened(value: &str) -> String {
    let line = value.lines().next().unwrap_or_default();
    match line.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None if line.len() < value.trim_end().len() => format!("{line} ..."),
        None => line.to_owned(),
    }
}

/// A mistake with what is around it.
struct Explained<'t> {
    text: &'t str,
    span: Range<usize>,
    path: String,
    retry: &'t dyn Fn(&str) -> Option<Error>,
}

impl Explained<'_> {
    /// Returns the full key and what is wrong with it, from a message in serde's words.
    fn message(self, message: &str) -> (String, String) {
        let mut quoted = message.split('`').skip(1).step_by(2);
        if message.starts_with("unknown field") {
            if let Some((_, now)) = MOVED.iter().find(|(before, _)| *before == self.path) {
                return (self.path, format!("is called {now}"));
            }
            let unknown = quoted.next().unwrap_or_default();
            let known: Vec<&str> = quoted.collect();
            let section = self.path.rsplit_once('.').map_or("the top level", |(section, _)| section);
            let takes = if known.is_empty() { "no keys".to_owned() } else { known.join(", ") };
            let message =
                format!("there is no such key{}; [{section}] takes {takes}", meant(unknown, &known));
            return (self.path, message.replace("[the top level]", "the top level"));
        }
        if message.starts_with("missing field") {
            let path = joined(&self.path, quoted.next().unwrap_or_default());
            return (path, "this key is missing, and it has no default".to_owned());
        }
        if let Some((unknown, known)) = choice(message) {
            // A choice with settings is a key.
            let is_key = self.text.get(self.span.clone()) == Some(unknown);
            let parent = self.path.rsplit_once('.').map_or("", |(parent, _)| parent).to_owned();
            let path = if is_key { parent } else { self.path };
            return (path, format!("is {unknown:?}, must be {}{}", one_of(&known), meant(unknown, &known)));
        }
        if message.contains("more than 1 element") {
            let message = "takes one key alone, which says of what kind it is; leave the others out";
            return (self.path, message.to_owned());
        }
        let stands = self.stands();
        let expected = message.rsplit_once("expected ").map_or(message, |(_, expected)| expected);
        let must_be = if stands.starts_with("[[") {
            "must not be a list: write it with single brackets".to_owned()
        } else if expected == "newtype variant" || expected == "struct variant" {
            format!("needs settings: {}", self.settings_of(&stands))
        } else if message.starts_with("wanted") {
            self.choices().map_or(message.to_owned(), |known| format!("must be {known}"))
        } else if expected.starts_with("struct ") {
            self.keys()
                .map_or("must be a table".to_owned(), |keys| format!("must be a table of the keys {keys}"))
        } else if message.contains("expected ") {
            format!("must be {}", in_words(expected))
        } else {
            message.to_owned()
        };
        (self.path, format!("is {stands}, {must_be}"))
    }

    /// Returns what stands in the text.
    fn stands(&self) -> String {
        if is_secret(&self.path) {
            return "(not shown)".to_owned();
        }
        shortened(self.text.get(self.span.clone()).unwrap_or_default())
    }

    /// Reads the text with something else in the place of the value; returns the mistake that is then there.
    fn with(&self, value: &str) -> Option<Error> {
        let (before, after) = (self.text.get(..self.span.start)?, self.text.get(self.span.end..)?);
        let error = (self.retry)(&format!("{before}{value}{after}"))?;
        let is_there =
            |span: Range<usize>| span.start >= self.span.start && span.end <= self.span.start + value.len();
        error.span().is_some_and(is_there).then_some(error)
    }

    /// Returns how a choice that has settings is written: `{ jpeg = { quality = ... } }`.
    fn settings_of(&self, stands: &str) -> String {
        let name = stands.trim_matches(['"', '\'']);
        let missing = self.with(&format!("{{ {name} = {{}} }}"));
        let field = missing.as_ref().map(Error::message).and_then(|message| {
            let field = message.strip_prefix("missing field `")?;
            Some(format!(" {} = ... ", field.trim_end_matches('`')))
        });
        format!("write {{ {name} = {{{}}} }}", field.unwrap_or_default())
    }

    /// Returns the choices that may stand here.
    fn choices(&self) -> Option<String> {
        let error = self.with(&format!("{NOBODY:?}"))?;
        choice(error.message()).map(|(_, known)| one_of(&known))
    }

    /// Returns the keys of the table that may stand here.
    fn keys(&self) -> Option<String> {
        let error = self.with(&format!("{{ {NOBODY:?} = 0 }}"))?;
        let known: Vec<&str> = error.message().split('`').skip(3).step_by(2).collect();
        (!known.is_empty()).then(|| known.join(", "))
    }
}

/// Returns the unknown choice of a message, and the known ones.
fn choice(message: &str) -> Option<(&str, Vec<&str>)> {
    let mut quoted = message.strip_prefix("unknown variant")?.split('`').skip(1).step_by(2);
    Some((quoted.next()?, quoted.collect()))
}

fn one_of(known: &[&str]) -> String {
    let known: Vec<_> = known.iter().map(|name| format!("{name:?}")).collect();
    match known.as_slice() {
        [one] => one.clone(),
        [all @ .., last] => format!("{} or {last}", all.join(", ")),
        [] => "nothing".to_owned(),
    }
}

/// Returns the name that was probably meant, as a question.
fn meant(unknown: &str, known: &[&str]) -> String {
    let nearest = nearest(unknown, known.iter().copied(), SUGGESTION_DISTANCE_MAX);
    nearest.map_or(String::new(), |name| format!("; did you mean `{name}`?"))
}

/// Returns the known name nearest to an unknown one, if it is within so many edits.
pub(crate) fn nearest<'n>(
    unknown: &str,
    known: impl Iterator<Item = &'n str>,
    distance_max: usize,
) -> Option<&'n str> {
    let distances = known.map(|name| (strsim::damerau_levenshtein(unknown, name), name));
    distances.min().filter(|(distance, _)| *distance <= distance_max).map(|(_, name)| name)
}

/// Returns what serde expects in words that say what to write.
fn in_words(expected: &str) -> String {
    let whole = |from: &str, to: u64| format!("a whole number from {from} to {to}");
    let signed = |max: i64| whole(&(-max - 1).to_string(), max as u64);
    match expected {
        "u8" => whole("0", u8::MAX.into()),
        "u16" => whole("0", u16::MAX.into()),
        "u32" => whole("0", u32::MAX.into()),
        // TOML's own integers end here.
        "u64" | "usize" => whole("0", i64::MAX as u64),
        "i8" => signed(i8::MAX.into()),
        "i16" => signed(i16::MAX.into()),
        "i32" => signed(i32::MAX.into()),
        "i64" | "isize" => signed(i64::MAX),
        "a nonzero u32" => whole("1", u32::MAX.into()),
        "a nonzero u64" | "a nonzero usize" => whole("1", i64::MAX as u64),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a string" | "string" => "text in quotes".to_owned(),
        "path string" => "a path in quotes".to_owned(),
        "a sequence" => "a list in square brackets".to_owned(),
        "a map" => "a table of keys and values".to_owned(),
        other => other
            .strip_prefix("an array of length ")
            .map_or_else(|| other.to_owned(), |length| format!("a list of {length} values")),
    }
}

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// All keys of a text with their places.
pub(super) struct Places(Vec<Place>);

struct Place {
    path: String,
    key: Option<Range<usize>>,
    value: Option<Range<usize>>,
}

impl Places {
    /// Returns the places of a text, or `None` if it is not TOML.
    pub(super) fn of(text: &str) -> Option<Self> {
        let document = Document::parse(text).ok()?;
        let mut places = Self(Vec::new());
        places.add_table("", document.as_table());
        Some(places)
    }

    fn add_table(&mut self, path: &str, table: &dyn TableLike) {
        for (name, item) in table.iter() {
            let path = joined(path, name);
            let key = table.key(name).and_then(toml_edit::Key::span);
            self.0.push(Place { path: path.clone(), key, value: item.span() });
            match item {
                Item::ArrayOfTables(tables) => {
                    for (index, table) in tables.iter().enumerate() {
                        let path = format!("{path}[{index}]");
                        self.0.push(Place { path: path.clone(), key: None, value: table.span() });
                        self.add_table(&path, table);
                    }
                }
                Item::Value(Value::Array(values)) => self.add_values(&path, values),
                other => {
                    if let Some(table) = other.as_table_like() {
                        self.add_table(&path, table);
                    }
                }
            }
        }
    }

    fn add_values(&mut self, path: &str, values: &toml_edit::Array) {
        for (index, value) in values.iter().enumerate() {
            let path = format!("{path}[{index}]");
            self.0.push(Place { path: path.clone(), key: None, value: value.span() });
            match value {
                Value::InlineTable(table) => self.add_table(&path, table),
                Value::Array(values) => self.add_values(&path, values),
                _ => {}
            }
        }
    }

    /// Returns the path of the innermost key or value that holds a place; empty if none does.
    fn at(&self, span: &Range<usize>) -> String {
        let holds =
            |range: &Range<usize>| range.start <= span.start && span.end <= range.end && !range.is_empty();
        let ranges = |place: &Place| [place.key.clone(), place.value.clone()].into_iter().flatten();
        let size = |place: &Place| ranges(place).filter(holds).map(|range| range.len()).min();
        let holding = self
            .0
            .iter()
            .filter_map(|place| Some((size(place)?, std::cmp::Reverse(place.path.len()), place)));
        let innermost = holding.min_by_key(|(size, depth, _)| (*size, *depth));
        innermost.map_or(String::new(), |(.., place)| place.path.clone())
    }

    /// Returns how many steps of a path the text has, and the line of the last of them.
    pub(super) fn line_of(&self, text: &str, path: &str) -> (usize, Option<usize>) {
        let wanted = steps(path);
        let mut best = (0, None);
        for place in &self.0 {
            let of_place = steps(&place.path);
            if of_place.len() > best.0 && wanted.starts_with(&of_place) {
                let start = place.key.as_ref().or(place.value.as_ref()).map(|range| range.start);
                best = (of_place.len(), start.map(|start| line_at(text, start)).or(best.1));
            }
        }
        best
    }
}

/// Splits a path into its keys and indices: `text.rules[0]` has three steps.
pub(super) fn steps(path: &str) -> Vec<&str> {
    path.split(['.', '[']).map(|step| step.trim_end_matches(']')).filter(|step| !step.is_empty()).collect()
}
