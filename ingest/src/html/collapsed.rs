//! Collapsed text: pieces of inline text joined, their white space made single.

use corpus::invisible::is_shown;

/// White space between what is there and what comes next.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    #[default]
    None,
    Space,
    /// With a line end in it, which means nothing between characters of scripts without spaces.
    LineEnd,
}

/// A text that is being joined from pieces. Characters that show nothing are left out.
#[derive(Debug, Default)]
pub(super) struct Collapsed {
    text: String,
    gap: Gap,
}

impl Collapsed {
    /// Adds a piece; white space at its ends counts, so that `<b>a</b>b` is one word.
    ///
    /// Returns the number of characters without white space that it has.
    pub(super) fn push(&mut self, piece: &str) -> u32 {
        let mut chars = 0;
        let mut rest = piece;
        while !rest.is_empty() {
            let word = rest.trim_start();
            let space = &rest[..rest.len() - word.len()];
            if !space.is_empty() {
                let has_line_end = space.contains(['\n', '\r']);
                self.gap = self.gap.max(if has_line_end { Gap::LineEnd } else { Gap::Space });
            }
            let end = word.find(char::is_whitespace).unwrap_or(word.len());
            chars += self.word(&word[..end]);
            rest = &word[end..];
        }
        chars
    }

    fn word(&mut self, word: &str) -> u32 {
        let mut chars = 0;
        let is_plain = word.chars().all(|c| {
            chars += 1;
            is_text(None, c)
        });
        if is_plain {
            self.close_gap(word.chars().next());
            self.text.push_str(word);
            return chars;
        }
        chars = 0;
        for character in word.chars() {
            let before = if self.gap == Gap::None { self.text.chars().next_back() } else { None };
            if is_text(before, character) {
                self.close_gap(Some(character));
                self.text.push(character);
                chars += 1;
            }
        }
        chars
    }

    /// Writes the space that is due before a character.
    fn close_gap(&mut self, next: Option<char>) {
        let (Some(next), true) = (next, self.gap != Gap::None) else {
            return;
        };
        let before = self.text.chars().next_back();
        let is_wrapped = || self.gap == Gap::LineEnd && before.is_some_and(is_unspaced) && is_unspaced(next);
        if before.is_some_and(|before| before != '\n') && !is_wrapped() {
            self.text.push(' ');
        }
        self.gap = Gap::None;
    }

    /// Adds a piece with its white space, and returns its number of other characters.
    ///
    /// Spaces that do not break become others: code is indented by them.
    pub(super) fn push_raw(&mut self, piece: &str) -> u32 {
        let mut chars = 0;
        for character in piece.chars() {
            match character {
                '\u{a0}' => self.text.push(' '),
                '\r' => {}
                c if c.is_whitespace() => self.text.push(c),
                c if is_text(self.text.chars().next_back(), c) => {
                    self.text.push(c);
                    chars += 1;
                }
                _ => {}
            }
        }
        chars
    }

    /// Adds white space.
    pub(super) fn space(&mut self) {
        self.gap = self.gap.max(Gap::Space);
    }

    /// Adds a line end in place of any white space.
    pub(super) fn new_line(&mut self) {
        self.gap = Gap::None;
        self.text.push('\n');
    }

    /// Returns what is there.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the text and begins a new one.
    pub(super) fn take(&mut self) -> String {
        self.gap = Gap::None;
        std::mem::take(&mut self.text)
    }
}

/// Returns true if a character belongs to a text: it is shown, and no control.
fn is_text(before: Option<char>, character: char) -> bool {
    match character {
        ' '..='~' => true,
        '\0'..='\x7f' => false,
        character => is_shown(before, character),
    }
}

/// Returns true if the character is of a script that is written without spaces, or of its
/// punctuation: the wide ones but Hangul, as CSS transforms segment breaks (CSS Text 3, 4.1.3).
fn is_unspaced(character: char) -> bool {
    matches!(character,
        '\u{2e80}'..='\u{303f}' | '\u{3041}'..='\u{312f}' | '\u{31a0}'..='\u{4dbf}' | '\u{4e00}'..='\u{a4cf}'
        | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff01}'..='\u{ff9f}' | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1aff0}'..='\u{1b2ff}' | '\u{20000}'..='\u{3fffd}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collapsed(pieces: &[&str]) -> String {
        let mut text = Collapsed::default();
        pieces.iter().for_each(|piece| {
            text.push(piece);
        });
        text.take()
    }

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

    #[test]
    fn a_line_end_between_characters_of_scripts_without_spaces_is_none() {
        assert_eq!(collapsed(&["商人每\n  天", "\n", "经过，\nそこ"]), "商人每天经过，そこ");
        assert_eq!(collapsed(&["商人 每\u{3000}天"]), "商人 每 天");
        assert_eq!(collapsed(&["商人\nABC\n集市 다리\n위", "a\nb"]), "商人 ABC 集市 다리 위a b");
    }

    #[test]
    fn invisible_characters_are_left_out_and_not_counted() {
        let mut text = Collapsed::default();
        assert_eq!(text.push("re\u{ad}con \u{200b} \u{1}x می"), 8);
        assert_eq!(text.push("\u{200c}خ"), 2);
        assert_eq!(text.take(), "recon x می\u{200c}خ");
        assert_eq!(text.push_raw("  a\u{a0}\u{200b}b\r\n\t\u{2}"), 2);
        assert_eq!(text.take(), "  a b\n\t");
    }
}
