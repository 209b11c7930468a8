//! Invisible characters: which ones a text loses nothing by.
//!
//! Pages hyphenate with U+00AD and allow breaks with U+200B, so that the same word has many
//! spellings. Extraction and content keys leave such characters out by this one rule.
//! Marks of direction stay: they order what is shown.

/// Returns true if a character shows something or changes how its neighbours are shown.
///
/// `before` is the character that precedes it. Joiners (U+200C, U+200D) count behind letters of
/// scripts that join and behind emoji; elsewhere they change nothing. All of ASCII is shown.
pub fn is_shown(before: Option<char>, character: char) -> bool {
    match character {
        '\0'..='\x7f' => true,
        // Behind these it is half of a letter that was decoded wrongly, which can be repaired.
        '\u{ad}' => matches!(before, Some('Ã' | 'Ð' | 'Ø' | 'Ù')),
        '\u{180e}' | '\u{200b}' | '\u{feff}' => false,
        // Word joiner, invisible operators, and controls that Unicode deprecates.
        '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}' => false,
        '\u{200c}' | '\u{200d}' => before.is_some_and(joins),
        character => !is_noncharacter(character),
    }
}

/// Returns true if a joiner behind the character changes what is shown.
fn joins(character: char) -> bool {
    match character {
        // Hebrew, Arabic, Syriac, Thaana, N'Ko, the scripts of India, Tibetan, Myanmar.
        '\u{590}'..='\u{10ff}' => !matches!(character, '\u{e00}'..='\u{eff}' | '\u{10a0}'..='\u{10ff}'),
        // Philippine scripts, Khmer, Mongolian, Limbu to Vedic extensions.
        '\u{1700}'..='\u{1cff}' => true,
        // Symbols that are emoji, and how they are varied.
        '\u{2190}'..='\u{2bff}' | '\u{fe00}'..='\u{fe0f}' => true,
        '\u{a800}'..='\u{abff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' => true,
        '\u{10a00}'..='\u{11fff}' | '\u{1e900}'..='\u{1e95f}' | '\u{1f000}'..='\u{1faff}' => true,
        '\u{e0020}'..='\u{e007f}' => true,
        _ => false,
    }
}

fn is_noncharacter(character: char) -> bool {
    let code = u32::from(character);
    code & 0xfffe == 0xfffe || (0xfdd0..=0xfdef).contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let mut before = None;
        text.chars().filter(|c| is_shown(before.replace(*c), *c)).collect()
    }

    #[test]
    fn what_hyphenates_and_breaks_words_is_left_out() {
        assert_eq!(shown("re\u{ad}con\u{200b}struc\u{2060}tion\u{feff}"), "reconstruction");
        assert_eq!(shown("x\u{2062}y\u{fffe}z\u{1ffff}"), "xyz");
        assert_eq!(shown("fi\u{200c}x \u{200d}on \u{200c}日\u{200d}本"), "fix on 日本");
    }

    #[test]
    fn joiners_stay_where_they_carry_meaning() {
        for text in
            ["می\u{200c}خواهم", "क्\u{200d}ष", "ක්\u{200d}ෂ", "👨\u{200d}👩\u{200d}👧", "❤\u{fe0f}\u{200d}🔥"]
        {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn halves_of_letters_that_were_decoded_wrongly_stay() {
        for text in ["AquÃ\u{ad}", "itâ\u{80}\u{99}s", "Ð\u{ad}"] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn what_shows_nothing_itself_but_orders_or_varies_stays() {
        for text in [
            "\u{200f}2024\u{202b}a\u{202c}\u{2067}b\u{2069}",
            "☂\u{fe0f}",
            "a\u{301}",
            "a\u{a0}\u{85}b",
            "🏴\u{e0067}\u{e007f}",
        ] {
            assert_eq!(shown(text), text);
        }
    }
}
