//! Types of columns, by how their texts are had.

use arrow::datatypes::DataType;

/// Returns true for columns of text as they are read.
pub(super) fn is_view(kind: &DataType) -> bool {
    matches!(kind, DataType::Utf8View | DataType::BinaryView)
}

/// Returns what lists of any kind hold; none of other types.
pub(super) fn item(kind: &DataType) -> Option<&DataType> {
    use DataType::{FixedSizeList, LargeList, LargeListView, List, ListView};
    match kind {
        List(item) | LargeList(item) | ListView(item) | LargeListView(item) | FixedSizeList(item, _) => {
            Some(item.data_type())
        }
        _ => None,
    }
}

/// Returns true for types of texts.
pub(super) fn is_text(kind: &DataType) -> bool {
    use DataType::{Binary, BinaryView, Dictionary, LargeBinary, LargeUtf8, Null, Utf8, Utf8View};
    match kind {
        Dictionary(_, value) => is_text(value),
        kind => matches!(kind, Utf8 | LargeUtf8 | Utf8View | Binary | LargeBinary | BinaryView | Null),
    }
}

/// Returns true for lists and objects.
pub(super) fn is_nested(kind: &DataType) -> bool {
    matches!(kind, DataType::Struct(_) | DataType::Map(..)) || item(kind).is_some()
}

/// Returns true for types whose text is not their conversion to text.
pub(super) fn is_shown(kind: &DataType) -> bool {
    use DataType::{
        Decimal32, Decimal64, Decimal128, Decimal256, FixedSizeBinary, Float16, Float32, Float64, Timestamp,
    };
    match kind {
        FixedSizeBinary(_) => true,
        // A time in a zone that has a name is no text to the library.
        Timestamp(_, zone) => zone.is_some(),
        Float16 | Float32 | Float64 => true,
        Decimal32(..) | Decimal64(..) | Decimal128(..) | Decimal256(..) => true,
        kind => is_nested(kind),
    }
}
