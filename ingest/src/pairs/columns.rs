//! Columns of metadata: under which names a layout has what a pair is made of.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use corpus::record::{PairLayout, PairNumber};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::json;

use super::PairDraft;
use crate::rows::{Cells, ColumnKind, Wanted, strict};

/// Column names of a list of your own. Where a name is absent, the first of the usual ones that
/// the file has is taken; one that is given must be there. Keys are those of the fields, and the names of
/// [`PairNumber`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Columns {
    /// The image's URL.
    pub url: Option<String>,
    /// The caption; pairs of a list without one have an empty caption.
    pub caption: Option<String>,
    /// What is stated in numbers, in the order of [`PairNumber::ALL`].
    pub numbers: [Option<String>; PairNumber::ALL.len()],
    /// The row's own id.
    pub id: Option<String>,
    /// SHA-256 of the image's bytes, hexadecimal: an image of another is failed.
    pub sha256: Option<String>,
    /// MD5 of the image's bytes, hexadecimal: an image of another is failed.
    pub md5: Option<String>,
}

/// All keys of [`Columns`].
static KEYS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let numbers = PairNumber::ALL.iter().map(|number| number.name());
    ["url", "caption"].into_iter().chain(numbers).chain(["id", "sha256", "md5"]).collect()
});

impl Columns {
    /// Returns the place of a key's name.
    fn name_mut(&mut self, key: &str) -> Option<&mut Option<String>> {
        match key {
            "url" => Some(&mut self.url),
            "caption" => Some(&mut self.caption),
            "id" => Some(&mut self.id),
            "sha256" => Some(&mut self.sha256),
            "md5" => Some(&mut self.md5),
            _ => {
                let number = PairNumber::ALL.iter().position(|number| number.name() == key)?;
                self.numbers.get_mut(number)
            }
        }
    }
}

impl Serialize for Columns {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(KEYS.len()))?;
        let mut columns = self.clone();
        for key in KEYS.iter() {
            map.serialize_entry(key, &columns.name_mut(key))?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Columns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ByKey;
        impl<'de> Visitor<'de> for ByKey {
            type Value = Columns;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("names of columns")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Columns, A::Error> {
                let mut columns = Columns::default();
                while let Some(key) = map.next_key::<String>()? {
                    let name = columns.name_mut(&key).ok_or_else(|| A::Error::unknown_field(&key, &KEYS))?;
                    *name = map.next_value()?;
                }
                Ok(columns)
            }
        }
        deserializer.deserialize_map(ByKey)
    }
}

impl JsonSchema for Columns {
    fn schema_name() -> Cow<'static, str> {
        "Columns".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let described = |key: &&'static str| {
            let meaning = match *key {
                "url" => "The column of image URLs.".to_owned(),
                "caption" => "The column of captions; without one all captions are empty.".to_owned(),
                "id" => "The column of the rows' own ids.".to_owned(),
                "sha256" | "md5" => {
                    format!("The column of the image's {key}, in hexadecimal; other bytes are failed.")
                }
                number => format!("The column of `{number}`."),
            };
            ((*key).to_owned(), json!({"type": ["string", "null"], "description": meaning}))
        };
        let properties: serde_json::Map<_, _> = KEYS.iter().map(described).collect();
        json_schema!({"type": "object", "properties": properties})
    }
}

/// The columns of a layout that are read, in the order of [`Self::draft`].
#[derive(Debug, Clone)]
pub(super) struct ColumnNames {
    wanted: Vec<Wanted>,
    extra: Vec<String>,
}

/// Where what stands in the cells of [`ColumnNames`]; numbers follow, then the further columns.
#[derive(Debug, Clone, Copy)]
enum Place {
    Url,
    Caption,
    NsfwWord,
    Key,
    Sha256,
    Md5,
    Numbers,
}

/// The names that one layout has; empty where it has no such column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) url: &'static [&'static str],
    pub(super) caption: &'static [&'static str],
    /// Of LAION-400M, whose judgement is a word.
    pub(super) nsfw_word: &'static [&'static str],
    pub(super) key: &'static [&'static str],
    /// Whose names of numbers.
    pub(super) layout: PairLayout,
}

/// The usual names in lists of URLs.
const USUAL: Known = Known {
    url: &["url", "URL", "image_url", "image"],
    caption: &["caption", "text", "TEXT", "top_caption", "alt"],
    nsfw_word: &["NSFW"],
    key: &["id", "key", "uid", "SAMPLE_ID"],
    layout: PairLayout::Own,
};

impl ColumnNames {
    /// Returns the columns of a layout of known names, and further ones.
    pub(super) fn of_known(known: Known, extra: &[String]) -> Self {
        Self::new(known, &Columns::default(), extra, true)
    }

    /// Returns the columns of a list of one's own.
    pub(super) fn of_own(columns: &Columns, extra: &[String]) -> Self {
        Self::new(USUAL, columns, extra, false)
    }

    fn new(known: Known, own: &Columns, extra: &[String], needs_caption: bool) -> Self {
        let column = |kind, own: &Option<String>, known: &[&str], needed: bool| match own {
            Some(name) => Wanted::required(kind, vec![name.clone()]),
            None => {
                let names = known.iter().map(|name| (*name).to_owned()).collect();
                if needed { Wanted::required(kind, names) } else { Wanted::optional(kind, names) }
            }
        };
        use ColumnKind::{Beside, Id, Number, Text, Texts};
        // In the order of `Place`.
        let mut wanted = vec![
            column(Text, &own.url, known.url, true),
            column(Texts, &own.caption, known.caption, needs_caption),
            column(Beside, &None, known.nsfw_word, false),
            column(Id, &own.id, known.key, false),
            column(Beside, &own.sha256, &[], false),
            column(Beside, &own.md5, &[], false),
        ];
        let numbers = PairNumber::ALL.iter().zip(&own.numbers);
        wanted.extend(numbers.map(|(number, own)| column(Number, own, number.columns(known.layout), false)));
        wanted.extend(extra.iter().map(|name| Wanted::required(ColumnKind::Json, vec![name.clone()])));
        Self { wanted, extra: extra.to_vec() }
    }

    /// Returns the columns to read.
    pub(super) fn wanted(&self) -> &[Wanted] {
        &self.wanted
    }

    /// Makes a draft of the cells of [`Self::wanted`].
    pub(super) fn draft(&self, mut cells: Cells) -> PairDraft {
        let numbers = Place::Numbers as usize;
        let further = numbers + PairNumber::ALL.len();
        let extra = self.extra.iter().enumerate();
        let extra: BTreeMap<String, String> =
            extra.filter_map(|(index, name)| Some((name.clone(), cells.json(further + index)?))).collect();
        let stated = std::array::from_fn(|number| cells.number(numbers + number));
        let mut text = |place: Place| cells.text(place as usize);
        PairDraft {
            url: text(Place::Url).unwrap_or_default(),
            caption: text(Place::Caption).unwrap_or_default(),
            key: text(Place::Key),
            stated,
            extra: (!extra.is_empty()).then(|| strict::object(&extra)),
            ..PairDraft::default()
        }
        .with_nsfw_word(text(Place::NsfwWord).as_deref())
        .with_digests(text(Place::Sha256).as_deref(), text(Place::Md5).as_deref())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_they_are_read_and_a_misspelt_key_is_told() {
        let columns: Columns = toml::from_str("url = \"u\"\nsimilarity = \"clip\"").unwrap();
        let json = serde_json::to_value(&columns).unwrap();
        assert_eq!(
            (&json["url"], &json["similarity"], &json["md5"]),
            (&"u".into(), &"clip".into(), &().into())
        );
        assert_eq!(json.as_object().unwrap().len(), 11);
        assert_eq!(serde_json::from_value::<Columns>(json).unwrap(), columns);
        let error = toml::from_str::<Columns>("similarty = \"clip\"").unwrap_err().to_string();
        assert!(error.contains("unknown field `similarty`") && error.contains("`similarity`"), "{error}");
    }
}
