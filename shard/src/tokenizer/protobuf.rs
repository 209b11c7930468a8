//! The protobuf wire format, as far as a `.model` file needs it.
//!
//! Source: <https://protobuf.dev/programming-guides/encoding/>.

use crate::tokenizer::TokenizerError;

/// Bytes of a varint at most: ten groups of seven bits hold 64.
const VARINT_BYTES_MAX: usize = 10;

/// Number of a field at most.
const NUMBER_MAX: u64 = (1 << 29) - 1;

/// The value of a field; values borrow from the message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'b> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'b [u8]),
    Fixed32(u32),
}

/// Reads the fields of one message in their order.
#[derive(Debug)]
pub(crate) struct Fields<'b> {
    message: &'static str,
    bytes: &'b [u8],
    offset: usize,
}

impl<'b> Fields<'b> {
    pub(crate) fn new(message: &'static str, bytes: &'b [u8]) -> Self {
        Self { message, bytes, offset: 0 }
    }

    fn damaged(&self, detail: &'static str) -> TokenizerError {
        TokenizerError::Protobuf { message: self.message, offset: self.offset, detail }
    }

    fn take(&mut self, length: usize) -> Result<&'b [u8], TokenizerError> {
        let end = self.offset.checked_add(length);
        let taken = end.and_then(|end| self.bytes.get(self.offset..end));
        let taken = taken.ok_or_else(|| self.damaged("it ends early"))?;
        self.offset += length;
        Ok(taken)
    }

    fn varint(&mut self) -> Result<u64, TokenizerError> {
        let mut value = 0_u64;
        for group in 0..VARINT_BYTES_MAX {
            let byte = self.take(1)?.first().copied().unwrap_or(0);
            value |= u64::from(byte & 0x7F) << (7 * group);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(self.damaged("a number is too long"))
    }

    fn field(&mut self) -> Result<(u64, Value<'b>), TokenizerError> {
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => {
                let length = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
                Value::Bytes(self.take(length)?)
            }
            5 => Value::Fixed32(u32::from_le_bytes(self.array()?)),
            _ => return Err(self.damaged("a field has an unknown wire type")),
        };
        match tag >> 3 {
            number @ 1..=NUMBER_MAX => Ok((number, value)),
            _ => Err(self.damaged("a field has an impossible number")),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], TokenizerError> {
        let taken = self.take(N)?;
        taken.try_into().map_err(|_| self.damaged("it ends early"))
    }
}

impl<'b> Iterator for Fields<'b> {
    type Item = Result<(u64, Value<'b>), TokenizerError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.offset >= self.bytes.len() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.offset = self.bytes.len();
        }
        Some(field)
    }
}

/// Writes the fields of one message.
#[derive(Debug, Default)]
pub(crate) struct Message(Vec<u8>);

impl Message {
    pub(crate) fn varint(&mut self, number: u64, value: u64) {
        self.number(number << 3);
        self.number(value);
    }

    pub(crate) fn float(&mut self, number: u64, value: f32) {
        self.number(number << 3 | 5);
        self.0.extend(value.to_le_bytes());
    }

    pub(crate) fn bytes(&mut self, number: u64, value: &[u8]) {
        self.number(number << 3 | 2);
        self.number(value.len() as u64);
        self.0.extend(value);
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_back(number in 1_u64..1 << 29, value: u64, score: f32, bytes: Vec<u8>) {
            let mut message = Message::default();
            message.varint(number, value);
            message.float(number, score);
            message.bytes(number, &bytes);
            let written = message.into_bytes();
            let fields: Vec<_> = Fields::new("test", &written).collect::<Result<_, _>>().unwrap();
            prop_assert_eq!(fields, vec![
                (number, Value::Varint(value)),
                (number, Value::Fixed32(score.to_bits())),
                (number, Value::Bytes(&bytes)),
            ]);
        }

        #[test]
        fn any_bytes_end_in_fields_or_an_error(bytes: Vec<u8>) {
            let fields = Fields::new("test", &bytes).collect::<Vec<_>>();
            prop_assert!(fields.len() <= bytes.len());
            prop_assert!(fields.iter().rev().skip(1).all(Result::is_ok));
        }
    }
}
