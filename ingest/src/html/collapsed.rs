//! Collapsed text: pieces of inline text joined, their white space made single.

/// A text that is being joined from pieces.
#[derive(Debug, Default)]
pub(super) struct Collapsed {
    text: String,
    wants_space: bool,
}

impl Collapsed {
    /// Adds a piece; white space at its ends counts, so that `<b>a</b>b` is one word.
    pub(super) fn push(&mut self, piece: &str) {
        let mut words = piece.split(char::is_whitespace).peekable();
        while let Some(word) = words.next() {
            if !word.is_empty() {
                if self.wants_space && !self.text.is_empty() && !self.text.ends_with('\n') {
                    self.text.push(' ');
                }
                self.wants_space = false;
                self.text.push_str(word);
            }
            // Between two words, empty ones too, there was white space.
            self.wants_space |= words.peek().is_some();
        }
    }

    /// Adds a piece as it is.
    pub(super) fn push_raw(&mut self, piece: &str) {
        self.text.push_str(piece);
    }

    /// Adds white space.
    pub(super) fn space(&mut self) {
        self.wants_space = true;
    }

    /// Adds a line end in place of any white space.
    pub(super) fn new_line(&mut self) {
        self.wants_space = false;
        self.text.push('\n');
    }

    /// Returns what is there.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the text and begins a new one.
    pub(super) fn take(&mut self) -> String {
        self.wants_space = false;
        std::mem::take(&mut self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_becomes_single_wherever_it_stands() {
        let mut text = Collapsed::default();
        for piece in [" a", "b", "\u{a0} ", "c \n", " d", "", "e"] {
            text.push(piece);
        }
        text.space();
        text.new_line();
        text.push(" f");
        assert_eq!(text.take(), "ab c de\nf");
        assert_eq!(text.as_str(), "");
    }
}
