//! What a column is, for readers.

use arrow::datatypes::DataType;

/// A type of columns, described.
#[derive(Debug, Clone)]
pub struct Described {
    /// The Arrow type.
    pub data_type: DataType,
    /// Whether a value may be missing.
    pub is_optional: bool,
    /// Of a struct, what it is.
    pub meaning: &'static str,
    /// Of a struct, or a list of them: name, meaning and type of each field.
    pub fields: Vec<(&'static str, &'static str, Described)>,
}

impl Described {
    /// Returns the type in a word or two, as `datasets` names it: `list<string>`.
    pub fn type_name(&self) -> String {
        type_name(&self.data_type)
    }
}

fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 => "string".to_owned(),
        DataType::Boolean => "bool".to_owned(),
        DataType::List(item) => format!("list<{}>", type_name(item.data_type())),
        DataType::Struct(_) => "struct".to_owned(),
        other => other.to_string().to_lowercase(),
    }
}
