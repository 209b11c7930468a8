//! All keys that a configuration may have, told by the types that read them.

use schemars::SchemaGenerator;
use serde_json::{Map, Value};

use super::Config;

/// A key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its path, as `text.rules[].words.words_min`. What users name is in capitals: `sources.NAME.code`.
    pub path: String,
    /// What may stand there.
    pub value: String,
    /// What its absence means.
    pub default: Default,
    /// What it is for.
    pub meaning: String,
}

impl Key {
    /// Returns true if a path, with names where this one has capitals, leads to the key.
    pub fn is_at(&self, path: &str) -> bool {
        // Names in quotes may hold dots.
        let quoted = path.split('"').nth(1).map(|name| path.replace(&format!("\"{name}\""), "quoted"));
        let steps = quoted.as_deref().unwrap_or(path).split('.');
        let mut steps = steps.map(Some).chain(std::iter::repeat(None));
        let mut own = self.path.split('.');
        own.all(|own| steps.next().flatten().is_some_and(|step| step == own || own == "NAME"))
            && steps.next().flatten().is_none()
    }
}

/// What the absence of a key means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Default {
    /// A mistake.
    Required,
    /// Nothing: what it is for is left out, or its section says what is done.
    None,
    /// This value, as TOML.
    Value(String),
}

impl std::fmt::Display for Default {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Required => f.write_str("required"),
            Self::None => f.write_str("none"),
            Self::Value(value) => f.write_str(value),
        }
    }
}

/// Returns all keys, sorted by section.
pub fn keys() -> Vec<Key> {
    let schema = SchemaGenerator::default().into_root_schema_for::<Config>();
    let definitions = schema.get("$defs").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut walk = Walk { definitions: &definitions, keys: Vec::new(), within: Vec::new() };
    if let Some(root) = schema.as_object() {
        walk.properties("", root, None);
    }
    walk.keys
}

/// A walk through a schema.
struct Walk<'s> {
    definitions: &'s Map<String, Value>,
    keys: Vec<Key>,
    /// Types that are being walked through: none is walked through within itself.
    within: Vec<&'s str>,
}

/// A schema without references and without null.
struct Plain<'s> {
    schema: &'s Map<String, Value>,
    name: Option<&'s str>,
    is_optional: bool,
}

impl<'s> Walk<'s> {
    /// Takes the fields of a table; `defaults` is what the table is where it is absent.
    fn properties(&mut self, path: &str, table: &'s Map<String, Value>, defaults: Option<&Value>) {
        let required: Vec<&str> = list(table, "required").iter().filter_map(Value::as_str).collect();
        for (name, field) in table.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let default = field.get("default").or_else(|| defaults?.get(name));
            self.key(&path, field, default, required.contains(&name.as_str()));
        }
        if let Some(values) = table.get("additionalProperties").filter(|values| values.is_object()) {
            self.key(&format!("{path}.NAME"), values, None, true);
        }
    }

    /// Takes a key, and the keys below it.
    fn key(&mut self, path: &str, field: &'s Value, default: Option<&Value>, is_required: bool) {
        let Some(plain) = self.plain(field) else { return };
        let described = |schema: &Map<String, Value>| Some(schema.get("description")?.as_str()?.to_owned());
        let meaning = field.as_object().and_then(described).or_else(|| described(plain.schema));
        let default = match default.filter(|value| !value.is_null()).map(toml) {
            Some(value) => Default::Value(value),
            None if is_required && !plain.is_optional => Default::Required,
            None => Default::None,
        };
        let (value, meaning) = (self.value(plain.schema), in_one_line(&meaning.unwrap_or_default()));
        self.keys.push(Key { path: path.to_owned(), value, default, meaning });
        self.below(path, &plain, field.get("default"));
    }

    /// Takes the keys below one.
    fn below(&mut self, path: &str, plain: &Plain<'s>, defaults: Option<&Value>) {
        if plain.name.is_some_and(|name| self.within.contains(&name)) {
            return;
        }
        self.within.extend(plain.name);
        self.properties(path, plain.schema, defaults);
        for choice in choices(plain.schema) {
            // A choice with settings is a table of one key.
            if let Some(choice) = choice.as_object().filter(|choice| choice.contains_key("properties")) {
                self.choice(path, choice);
            }
        }
        if let Some(items) = plain.schema.get("items").filter(|items| items.is_object())
            && let Some(items) = self.plain(items)
        {
            self.below(&format!("{path}[]"), &items, None);
        }
        if plain.name.is_some() {
            self.within.pop();
        }
    }

    /// Takes a choice with settings: what it means stands at the choice.
    fn choice(&mut self, path: &str, choice: &'s Map<String, Value>) {
        let meaning = choice.get("description").and_then(Value::as_str);
        for (name, settings) in choice.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let known = self.keys.len();
            self.key(&format!("{path}.{name}"), settings, None, false);
            if let (Some(key), Some(meaning)) = (self.keys.get_mut(known), meaning) {
                key.meaning = in_one_line(meaning);
            }
        }
    }

    /// Follows references, and leaves null out.
    fn plain(&self, schema: &'s Value) -> Option<Plain<'s>> {
        let mut plain = Plain { schema: schema.as_object()?, name: None, is_optional: false };
        loop {
            let reference = plain.schema.get("$ref").and_then(Value::as_str);
            if let Some(name) = reference.and_then(|reference| reference.strip_prefix("#/$defs/")) {
                let (name, definition) = self.definitions.get_key_value(name)?;
                plain = Plain { schema: definition.as_object()?, name: Some(name), ..plain };
            } else if let [one, other] = list(plain.schema, "anyOf")
                && other.get("type").is_some_and(|name| name == "null")
            {
                plain = Plain { schema: one.as_object()?, is_optional: true, ..plain };
            } else {
                plain.is_optional |= list(plain.schema, "type").iter().any(|name| name == "null");
                return Some(plain);
            }
        }
    }

    /// Says what may stand in the place of a key.
    fn value(&self, schema: &'s Map<String, Value>) -> String {
        let names = list(schema, "enum").iter().chain(schema.get("const")).map(Value::to_string);
        let words: Vec<String> = names.chain(choices(schema).flat_map(|choice| self.words(choice))).collect();
        if !words.is_empty() {
            return words.join(" or ");
        }
        let name = match schema.get("type") {
            Some(Value::Array(names)) => names.iter().find_map(|name| name.as_str().filter(|n| *n != "null")),
            name => name.and_then(Value::as_str),
        };
        match name {
            Some("integer") => "whole number".to_owned(),
            Some("boolean") => "true or false".to_owned(),
            Some("string") => "text".to_owned(),
            Some("array") => match schema.get("items").and_then(|items| self.plain(items)) {
                Some(items) => format!("list: {}", self.value(items.schema)),
                None => "list".to_owned(),
            },
            Some("object") => "table".to_owned(),
            Some(other) => other.to_owned(),
            None => "any".to_owned(),
        }
    }

    /// Returns the words of a choice: its names, or what else may stand there.
    fn words(&self, choice: &'s Value) -> Vec<String> {
        let Some(plain) = self.plain(choice) else { return Vec::new() };
        match plain.schema.get("properties").and_then(Value::as_object) {
            Some(settings) => settings.keys().map(|name| format!("{{ {name} = ... }}")).collect(),
            None => vec![self.value(plain.schema)],
        }
    }
}

/// Returns the choices of a schema.
fn choices(schema: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    list(schema, "oneOf").iter().chain(list(schema, "anyOf"))
}

fn list<'s>(schema: &'s Map<String, Value>, name: &str) -> &'s [Value] {
    schema.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Writes a value as TOML, on one line.
fn toml(value: &Value) -> String {
    match value {
        Value::Array(values) => format!("[{}]", values.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(_, value)| !value.is_null());
            let fields: Vec<_> =
                fields.map(|(name, value)| format!("{} = {}", bare(name), toml(value))).collect();
            if fields.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", fields.join(", ")) }
        }
        value => value.to_string(),
    }
}

/// Returns a name as TOML has it.
fn bare(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if name.chars().all(is_bare) { name.to_owned() } else { Value::from(name).to_string() }
}

/// Returns the first paragraph of a doc comment on one line, without links.
pub fn in_one_line(comment: &str) -> String {
    let paragraph = comment.split("\n\n").next().unwrap_or_default();
    let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut pieces = line.split("`](");
    let first = pieces.next().unwrap_or_default().to_owned();
    let without_link = |piece: &str| piece.split_once(')').map_or(String::new(), |(_, rest)| rest.to_owned());
    let line = pieces.fold(first, |line, piece| format!("{line}`{}", without_link(piece)));
    line.replace("[`", "`").replace("`]", "`")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use toml::Value as Toml;

    use super::super::builtin;
    use super::*;

    /// Takes the paths of all keys below a value.
    fn paths(path: &str, value: &Toml, found: &mut Vec<String>) {
        match value {
            Toml::Table(table) => {
                for (name, value) in table {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{}", bare(name)) };
                    found.push(path.clone());
                    paths(&path, value, found);
                }
            }
            Toml::Array(values) => values.iter().for_each(|value| paths(&format!("{path}[]"), value, found)),
            _ => {}
        }
    }

    #[test]
    fn every_key_of_the_built_in_configurations_is_told() {
        let (keys, mut found) = (keys(), Vec::new());
        for name in builtin::names() {
            paths("", &toml::from_str(builtin::find(name).unwrap()).unwrap(), &mut found);
        }
        let is_told = |path: &&String| keys.iter().any(|key| key.is_at(path));
        let untold: Vec<&String> = found.iter().filter(|path| !is_told(path)).collect();
        assert!(found.len() > 200 && untold.is_empty(), "{untold:?}");
    }

    #[test]
    fn keys_say_what_stands_there_and_what_their_absence_means() {
        let keys = keys();
        let told = |path: &str| {
            let key = keys.iter().find(|key| key.path == path).unwrap();
            format!("{} | {} | {}", key.value, key.default, key.meaning.split(['.', ':']).next().unwrap())
        };
        assert_eq!(told("name"), "text | required | The run's name, and its folder unless `--dir` is given");
        assert_eq!(
            told("fetch.redirects_max"),
            "whole number | 5 | Maximum number of redirects to follow per URL"
        );
        assert_eq!(told("fetch.proxy").split(" | ").nth(1), Some("none"));
        assert!(
            told("images.mode").starts_with("\"keep_ratio\" or \"center_crop\""),
            "{}",
            told("images.mode")
        );
        assert!(told("fetch.tokens").contains("{ \"huggingface.co\" = \"HF_TOKEN\" }"));
        assert!(told("text.near.partitions").ends_with("of the key space, 1 to 4,096"));
        assert!(keys.iter().all(|key| !key.path.contains("..")));
        assert_eq!(in_one_line("[`X`](super::X) and\n[`Y`].\n\nMore."), "`X` and `Y`.");
    }
}
