//! Signals: what an element says of itself by its tag, role, style and names.

use super::dom::Element;

/// What a name, role or tag hints at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Signal {
    Nav,
    Breadcrumb,
    Comment,
    Share,
    Related,
    Advert,
    Footer,
    Header,
    Side,
    Consent,
    Login,
    Byline,
    Caption,
    Content,
    Article,
    Main,
    Product,
    Forum,
    User,
    List,
    Card,
    Title,
    Summary,
    Panel,
    Hidden,
    Form,
    Reference,
    Note,
    Review,
    Widget,
    Button,
    Section,
}

/// Number of signals.
pub(super) const SIGNAL_COUNT: usize = 32;

/// A set of signals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Signals(u32);

impl Signals {
    /// Adds one.
    pub(super) fn add(&mut self, signal: Signal) {
        self.0 |= 1 << signal as u8;
    }

    /// Adds all of another set.
    pub(super) fn add_all(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Returns true if and only if the set holds the signal of this number.
    pub(super) fn holds(self, number: usize) -> bool {
        self.0 >> number & 1 == 1
    }
}

/// Words of `class`, `id` and `itemprop`, in the singular, with what they hint at.
#[rustfmt::skip]
const WORDS: [(&str, Signal); 277] = {
    use Signal::*;
    [
        ("about", Side), ("abstract", Summary), ("accordion", Panel), ("ad", Advert), ("addtoany", Share),
        ("adsense", Advert), ("adslot", Advert), ("advert", Advert), ("advertisement", Advert),
        ("advertising", Advert), ("affiliate", Advert), ("alert", Note), ("also", Related),
        ("answer", Forum), ("archive", List), ("article", Article), ("articlebody", Article),
        ("aside", Side), ("attribution", Byline), ("author", Byline), ("avatar", User), ("badge", Byline),
        ("banner", Header), ("bbp", Forum), ("bibliography", Reference), ("bio", User), ("blog", Content),
        ("body", Content), ("bottom", Footer), ("box", Widget), ("breadcrumb", Breadcrumb), ("btn", Button),
        ("button", Button), ("buy", Product), ("byline", Byline), ("caption", Caption), ("card", Card),
        ("carousel", Card), ("cart", Product), ("category", Byline), ("checkout", Product),
        ("citation", Reference), ("code", Reference), ("collapse", Panel), ("collapsed", Hidden),
        ("collection", List), ("colophon", Footer), ("column", Section), ("comment", Comment),
        ("commentlist", Comment), ("community", Forum), ("consent", Consent), ("contact", Footer),
        ("content", Content), ("contributor", Byline), ("cookie", Consent), ("copy", Content),
        ("copyright", Footer), ("credit", Byline), ("cta", Button), ("date", Byline), ("dateline", Byline),
        ("deck", Summary), ("dek", Summary), ("desc", Product), ("description", Product),
        ("detail", Product), ("dialog", Consent), ("disclaimer", Footer), ("discussion", Forum),
        ("disqus", Comment), ("doc", Content), ("docs", Content), ("download", Button), ("dropdown", Nav),
        ("editor", Content), ("entry", Content), ("event", Card), ("excerpt", Summary), ("facebook", Share),
        ("faq", Panel), ("feature", Product), ("featured", Related), ("feed", List), ("field", Form),
        ("figcaption", Caption), ("figure", Caption), ("filter", Form), ("follow", Share),
        ("footer", Footer), ("footnote", Reference), ("form", Form), ("forum", Forum), ("gallery", Caption),
        ("gdpr", Consent), ("grid", List), ("guide", Content), ("head", Header), ("header", Header),
        ("heading", Title), ("headline", Title), ("hero", Header), ("hidden", Hidden), ("hide", Hidden),
        ("image", Caption), ("index", Breadcrumb), ("info", Note), ("infobox", Note), ("input", Form),
        ("intro", Summary), ("invisible", Hidden), ("item", Card), ("job", Card), ("label", Form),
        ("language", Nav), ("latest", Related), ("layout", Section), ("lead", Summary), ("lede", Summary),
        ("legal", Footer), ("like", Share), ("link", Nav), ("list", List), ("listing", List),
        ("loading", Hidden), ("locale", Nav), ("login", Login), ("logo", Header), ("main", Main),
        ("markdown", Content), ("masthead", Header), ("media", Caption), ("member", User), ("menu", Nav),
        ("message", Forum), ("meta", Byline), ("metadata", Byline), ("mobile", Hidden), ("modal", Consent),
        ("more", Related), ("most", Related), ("nav", Nav), ("navbar", Nav), ("navbox", Nav),
        ("navigation", Nav), ("new", Related), ("news", Content), ("newsletter", Login), ("next", Nav),
        ("note", Note), ("notice", Note), ("offer", Product), ("option", Form), ("outbrain", Related),
        ("overlay", Consent), ("page", Content), ("pager", Nav), ("pagination", Nav), ("panel", Panel),
        ("partner", Advert), ("paywall", Login), ("permalink", Byline), ("photo", Caption),
        ("player", Caption), ("popover", Consent), ("popular", Related), ("popup", Consent),
        ("post", Content), ("posted", Byline), ("posting", Forum), ("prev", Nav), ("preview", Card),
        ("price", Product), ("print", Hidden), ("privacy", Consent), ("product", Product),
        ("profile", User), ("promo", Advert), ("promotion", Advert), ("prose", Content),
        ("published", Byline), ("pullquote", Reference), ("purchase", Product), ("question", Forum),
        ("quickview", Product), ("quote", Reference), ("rail", Side), ("rating", Review), ("read", Related),
        ("recent", Related), ("recipe", Article), ("recommend", Related), ("recommendation", Related),
        ("recommended", Related), ("ref", Reference), ("reference", Reference), ("reflist", Reference),
        ("register", Login), ("related", Related), ("reply", Comment), ("respond", Comment),
        ("result", List), ("review", Review), ("row", Section), ("rte", Content), ("screen", Hidden),
        ("search", Form), ("secondary", Side), ("section", Section), ("share", Share), ("sharing", Share),
        ("shipping", Product), ("shop", Product), ("sidebar", Side), ("sidenav", Nav), ("signature", User),
        ("signin", Login), ("signup", Login), ("similar", Related), ("skip", Hidden), ("slide", Card),
        ("slider", Card), ("slideshow", Caption), ("social", Share), ("sort", Form), ("source", Reference),
        ("spec", Product), ("specification", Product), ("sponsor", Advert), ("sponsored", Advert),
        ("sr", Hidden), ("standfirst", Summary), ("stat", Byline), ("story", Article), ("subhead", Title),
        ("subscribe", Login), ("subscription", Login), ("subtitle", Title), ("summary", Summary),
        ("tab", Panel), ("taboola", Related), ("tag", Byline), ("teaser", Card), ("testimonial", Review),
        ("text", Content), ("thread", Forum), ("thumbnail", Caption), ("tile", Card), ("time", Byline),
        ("timestamp", Byline), ("title", Title), ("toc", Breadcrumb), ("toggle", Panel), ("toolbar", Nav),
        ("tooltip", Hidden), ("top", Header), ("topbar", Header), ("topic", Forum), ("trending", Related),
        ("tweet", Share), ("twitter", Share), ("upsell", Related), ("user", User), ("username", User),
        ("variant", Product), ("video", Caption), ("view", Section), ("visually", Hidden), ("vote", Review),
        ("warning", Note), ("widget", Widget), ("wiki", Content), ("wishlist", Product),
        ("wrapper", Section), ("wysiwyg", Content), ("youtube", Caption), ("zone", Widget),
    ]
};
/// Values of `role` (WAI-ARIA).
const ROLES: [(&str, Signal); 18] = [
    ("alert", Signal::Note),
    ("alertdialog", Signal::Consent),
    ("article", Signal::Article),
    ("banner", Signal::Header),
    ("button", Signal::Button),
    ("complementary", Signal::Side),
    ("contentinfo", Signal::Footer),
    ("dialog", Signal::Consent),
    ("heading", Signal::Title),
    ("list", Signal::List),
    ("main", Signal::Main),
    ("menu", Signal::Nav),
    ("menubar", Signal::Nav),
    ("navigation", Signal::Nav),
    ("search", Signal::Form),
    ("tablist", Signal::Panel),
    ("tabpanel", Signal::Panel),
    ("toolbar", Signal::Nav),
];

/// Returns what an element says of itself, names excepted.
pub(super) fn of_element(element: &Element) -> Signals {
    let mut signals = Signals::default();
    let by_tag = match &*element.name.local {
        "nav" | "menu" => Some(Signal::Nav),
        "aside" => Some(Signal::Side),
        "footer" => Some(Signal::Footer),
        "header" => Some(Signal::Header),
        "article" => Some(Signal::Article),
        "main" => Some(Signal::Main),
        "section" => Some(Signal::Section),
        "form" | "fieldset" | "label" => Some(Signal::Form),
        "button" => Some(Signal::Button),
        "figure" | "figcaption" => Some(Signal::Caption),
        "dialog" => Some(Signal::Consent),
        "time" | "address" => Some(Signal::Byline),
        "noscript" => Some(Signal::Hidden),
        _ => None,
    };
    if let Some(signal) = by_tag {
        signals.add(signal);
    }
    for attribute in &element.attributes {
        let value = &*attribute.value;
        let signal = match &*attribute.name.local {
            "role" => ROLES.iter().find(|(role, _)| *role == value).map(|(_, signal)| *signal),
            "hidden" => Some(Signal::Hidden),
            "aria-hidden" if value == "true" => Some(Signal::Hidden),
            "style" if is_invisible(value) => Some(Signal::Hidden),
            _ => None,
        };
        if let Some(signal) = signal {
            signals.add(signal);
        }
    }
    signals
}

/// Returns true if a style says that an element takes no room.
pub(super) fn is_without_display(style: &str) -> bool {
    declares(style, "display", "none")
}

fn is_invisible(style: &str) -> bool {
    is_without_display(style) || declares(style, "visibility", "hidden")
}

fn declares(style: &str, property: &str, value: &str) -> bool {
    let mut declarations = style.split(';').filter_map(|declaration| declaration.split_once(':'));
    declarations.any(|(name, declared)| {
        // Behind it stands `!important` at most.
        let declared = declared.split('!').next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case(property) && declared.trim().eq_ignore_ascii_case(value)
    })
}

/// Returns what names hint at, taken apart at anything but letters and digits, and where a
/// capital follows a small letter.
pub(super) fn of_names(names: &str) -> Signals {
    let mut signals = Signals::default();
    let mut word = [0_u8; WORD_BYTES_MAX];
    let mut length = 0;
    let mut was_small = false;
    for byte in names.bytes().chain([b' ']) {
        let ends = !byte.is_ascii_alphanumeric() || (byte.is_ascii_uppercase() && was_small);
        if ends {
            if (2..=WORD_BYTES_MAX).contains(&length) {
                signals.add_all(of_word(&word[..length]));
            }
            length = 0;
        }
        if byte.is_ascii_alphanumeric() {
            if let Some(place) = word.get_mut(length) {
                *place = byte.to_ascii_lowercase();
            }
            length += 1;
        }
        was_small = byte.is_ascii_lowercase();
    }
    signals
}

/// Bytes of the longest word in the lists, and one for its plural.
const WORD_BYTES_MAX: usize = 16;

fn of_word(word: &[u8]) -> Signals {
    let find = |word: &[u8]| {
        let by = |known: &(&str, Signal)| known.0.as_bytes().cmp(word);
        WORDS.binary_search_by(by).ok().map(|index| WORDS[index].1)
    };
    let singular = || match word {
        [stem @ .., b'i', b'e', b's'] => find(&[stem, b"y"].concat()),
        [stem @ .., b's'] => find(stem),
        _ => None,
    };
    let mut signals = Signals::default();
    if let Some(signal) = find(word).or_else(singular) {
        signals.add(signal);
    }
    signals
}
