//! The wording of a block: what its characters and words are like.

/// Words of what surrounds content, in the small letters of English, sorted.
#[rustfmt::skip]
static LEGAL: List = List::new(&[
    "accept", "consent", "cookie", "cookies", "copyright", "disclaimer", "gdpr", "legal", "license",
    "policy", "preferences", "privacy", "reserved", "rights", "settings", "terms",
]);
#[rustfmt::skip]
static ACTIONS: List = List::new(&[
    "account", "add", "app", "apply", "back", "bag", "book", "browse", "buy", "cart", "checkout", "clear",
    "click", "close", "compare", "contact", "copy", "create", "discover", "download", "edit", "email",
    "enter", "facebook", "filter", "follow", "get", "here", "home", "instagram", "join", "like", "linkedin",
    "load", "log", "login", "menu", "more", "newsletter", "next", "open", "pinterest", "previous", "print",
    "register", "reply", "report", "save", "search", "select", "share", "shop", "show", "sign", "skip",
    "sort", "submit", "subscribe", "tweet", "twitter", "view",
]);
#[rustfmt::skip]
static BYLINE: List = List::new(&[
    "ago", "am", "author", "by", "category", "comment", "comments", "date", "day", "days", "edited",
    "filed", "hours", "last", "likes", "min", "minutes", "modified", "photo", "pm", "posted", "posts",
    "published", "read", "replies", "tags", "updated", "views", "written",
]);
#[rustfmt::skip]
static OTHERS: List = List::new(&[
    "advertisement", "also", "articles", "featured", "interested", "latest", "might", "news", "popular",
    "posts", "products", "recent", "recommended", "related", "similar", "sponsored", "stories", "topics",
    "trending", "viewed",
]);
#[rustfmt::skip]
static CREDITS: List = List::new(&[
    "afp", "ap", "bild", "caption", "courtesy", "credit", "credits", "dpa", "epa", "figure", "file", "foto",
    "fotos", "getty", "illustration", "image", "images", "istock", "photo", "photograph", "photographer", "photos",
    "pictured", "reuters", "screenshot", "shutterstock", "video",
]);
/// Bytes of the longest word in the lists.
const LISTED_BYTES_MAX: usize = 13;

/// A sorted list of words in small letters.
struct List {
    words: &'static [&'static str],
    /// By first letter, the lengths of its words as bits: most words are told from it by these.
    lengths: [u16; 26],
}

impl List {
    const fn new(words: &'static [&'static str]) -> Self {
        let mut lengths = [0; 26];
        let mut index = 0;
        while index < words.len() {
            let word = words[index].as_bytes();
            lengths[(word[0] - b'a') as usize] |= 1 << word.len();
            index += 1;
        }
        Self { words, lengths }
    }

    /// Returns true if and only if it holds a word of at most 15 bytes.
    fn holds(&self, word: &[u8]) -> bool {
        let letter = word.first().map_or(0, |first| first.wrapping_sub(b'a'));
        let lengths = self.lengths.get(usize::from(letter)).copied().unwrap_or(0);
        lengths >> word.len() & 1 == 1
            && self.words.binary_search_by(|known| known.as_bytes().cmp(word)).is_ok()
    }
}

/// Characters in which a label such as "Read more:" is looked for.
const LABEL_CHARS_MAX: usize = 30;

/// Counts over a block's text.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wording {
    pub(super) words: u32,
    /// Words that begin with a capital.
    pub(super) capitalised: u32,
    pub(super) digits: u32,
    pub(super) commas: u32,
    /// Full stops, question and exclamation marks, in any script.
    pub(super) stops: u32,
    pub(super) questions: u32,
    pub(super) currencies: u32,
    /// Bars, bullets, arrows and other marks that stand between links.
    pub(super) separators: u32,
    pub(super) lines: u32,
    /// Words of the lists: of law, of actions, of bylines, of other pages.
    pub(super) legal: u32,
    pub(super) actions: u32,
    pub(super) byline: u32,
    pub(super) others: u32,
    pub(super) credits: u32,
    pub(super) brackets: u32,
    /// Letters before a colon near the beginning; 0 where there is none.
    pub(super) label: u32,
    /// What the text begins with: 0 a capital, 1 a small letter, 2 a digit, 3 a bracket or quotation mark, 4 anything else.
    pub(super) begin: u8,
    /// What the text ends with: 0 a word, 1 a full stop, 2 a colon, 3 anything else.
    pub(super) end: u8,
    /// Four digits that may be a year.
    pub(super) has_year: bool,
    pub(super) has_copyright: bool,
    pub(super) has_at: bool,
}

impl Wording {
    /// Counts.
    pub(super) fn of(text: &str) -> Self {
        let mut wording = Self { lines: 1, ..Self::default() };
        for c in text.chars() {
            wording.count(c);
        }
        wording.begin = match text.chars().next() {
            Some(c) if c.is_uppercase() => 0,
            Some(c) if c.is_alphabetic() => 1,
            Some(c) if c.is_numeric() => 2,
            Some('(' | '[' | '"' | '“' | '„' | '«' | '‘' | '\'') => 3,
            _ => 4,
        };
        let mut head = text.chars().take(LABEL_CHARS_MAX);
        wording.label = head.position(|c| matches!(c, ':' | '：')).unwrap_or(0) as u32;
        wording.end = match text.chars().next_back() {
            Some(c) if is_stop(c) => 1,
            Some(':' | '：') => 2,
            Some(c) if c.is_alphanumeric() => 0,
            _ => 3,
        };
        for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
            wording.count_word(word);
        }
        wording
    }

    fn count(&mut self, c: char) {
        match c {
            '0'..='9' => self.digits += 1,
            ',' | '，' | '、' | ';' => self.commas += 1,
            '$' | '€' | '£' | '¥' | '₹' | '₽' => self.currencies += 1,
            '|' | '•' | '·' | '»' | '«' | '›' | '‹' | '→' | '←' | '/' | '▾' | '×' => {
                self.separators += 1
            }
            '\n' => self.lines += 1,
            '©' | '®' | '™' => self.has_copyright = true,
            '@' => self.has_at = true,
            '(' | '[' => self.brackets += 1,
            '?' | '？' => {
                self.questions += 1;
                self.stops += 1;
            }
            c if is_stop(c) => self.stops += 1,
            _ => {}
        }
    }

    fn count_word(&mut self, word: &str) {
        self.words += 1;
        self.capitalised += u32::from(word.starts_with(char::is_uppercase));
        let bytes = word.as_bytes();
        self.has_year |= bytes.len() == 4
            && matches!(bytes, [b'1', b'9', ..] | [b'2', b'0', ..])
            && bytes.iter().all(u8::is_ascii_digit);
        if bytes.len() > LISTED_BYTES_MAX || !word.is_ascii() {
            return;
        }
        let mut small = [0_u8; LISTED_BYTES_MAX];
        for (place, byte) in small.iter_mut().zip(bytes) {
            *place = byte.to_ascii_lowercase();
        }
        let small = &small[..bytes.len()];
        self.legal += u32::from(LEGAL.holds(small));
        self.actions += u32::from(ACTIONS.holds(small));
        self.byline += u32::from(BYLINE.holds(small));
        self.others += u32::from(OTHERS.holds(small));
        self.credits += u32::from(CREDITS.holds(small));
    }
}

fn is_stop(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '…' | '。' | '！' | '？' | '।' | '؟')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_for_searching() {
        let lists = [&LEGAL, &ACTIONS, &BYLINE, &OTHERS, &CREDITS];
        assert!(lists.iter().all(|list| list.words.is_sorted()));
        let words = || lists.iter().flat_map(|list| list.words.iter().map(move |word| (list, word)));
        assert_eq!(words().map(|(_, word)| word.len()).max(), Some(LISTED_BYTES_MAX));
        assert!(words().all(|(list, word)| list.holds(word.as_bytes())));
        assert!(!LEGAL.holds(b"privac") && !LEGAL.holds(b"2021"));
    }

    #[test]
    fn a_byline_and_a_sentence_are_told_apart_by_their_counts() {
        let byline = Wording::of("By Ann Lee | Posted 3 May 2021");
        assert_eq!((byline.words, byline.byline, byline.separators, byline.end), (7, 2, 1, 0));
        assert!(byline.has_year);
        let sentence = Wording::of("It rained, and the river rose.");
        assert_eq!((sentence.words, sentence.commas, sentence.stops, sentence.end), (6, 1, 1, 1));
    }
}
