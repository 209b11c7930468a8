//! Languages' codes: ISO 639-3, whichever detector named the language.

use std::fmt;

/// Labels of fastText's lid.176 (Wikipedia's codes) and their ISO 639-3 codes. Where a code of two
/// letters is a macrolanguage, it is the member that `whatlang` names (`zh` is `cmn`), or else
/// the macrolanguage. `als`, `bh`, `eml` and `nah` are not what ISO 639-3 has under these letters.
#[rustfmt::skip]
const WIKIPEDIA: [(&str, Code); 176] = [
    ("af", Code(*b"afr")), ("als", Code(*b"gsw")), ("am", Code(*b"amh")), ("an", Code(*b"arg")),
    ("ar", Code(*b"ara")), ("arz", Code(*b"arz")), ("as", Code(*b"asm")), ("ast", Code(*b"ast")),
    ("av", Code(*b"ava")), ("az", Code(*b"aze")), ("azb", Code(*b"azb")), ("ba", Code(*b"bak")),
    ("bar", Code(*b"bar")), ("bcl", Code(*b"bcl")), ("be", Code(*b"bel")), ("bg", Code(*b"bul")),
    ("bh", Code(*b"bho")), ("bn", Code(*b"ben")), ("bo", Code(*b"bod")), ("bpy", Code(*b"bpy")),
    ("br", Code(*b"bre")), ("bs", Code(*b"bos")), ("bxr", Code(*b"bxr")), ("ca", Code(*b"cat")),
    ("cbk", Code(*b"cbk")), ("ce", Code(*b"che")), ("ceb", Code(*b"ceb")), ("ckb", Code(*b"ckb")),
    ("co", Code(*b"cos")), ("cs", Code(*b"ces")), ("cv", Code(*b"chv")), ("cy", Code(*b"cym")),
    ("da", Code(*b"dan")), ("de", Code(*b"deu")), ("diq", Code(*b"diq")), ("dsb", Code(*b"dsb")),
    ("dty", Code(*b"dty")), ("dv", Code(*b"div")), ("el", Code(*b"ell")), ("eml", Code(*b"egl")),
    ("en", Code(*b"eng")), ("eo", Code(*b"epo")), ("es", Code(*b"spa")), ("et", Code(*b"est")),
    ("eu", Code(*b"eus")), ("fa", Code(*b"pes")), ("fi", Code(*b"fin")), ("fr", Code(*b"fra")),
    ("frr", Code(*b"frr")), ("fy", Code(*b"fry")), ("ga", Code(*b"gle")), ("gd", Code(*b"gla")),
    ("gl", Code(*b"glg")), ("gn", Code(*b"grn")), ("gom", Code(*b"gom")), ("gu", Code(*b"guj")),
    ("gv", Code(*b"glv")), ("he", Code(*b"heb")), ("hi", Code(*b"hin")), ("hif", Code(*b"hif")),
    ("hr", Code(*b"hrv")), ("hsb", Code(*b"hsb")), ("ht", Code(*b"hat")), ("hu", Code(*b"hun")),
    ("hy", Code(*b"hye")), ("ia", Code(*b"ina")), ("id", Code(*b"ind")), ("ie", Code(*b"ile")),
    ("ilo", Code(*b"ilo")), ("io", Code(*b"ido")), ("is", Code(*b"isl")), ("it", Code(*b"ita")),
    ("ja", Code(*b"jpn")), ("jbo", Code(*b"jbo")), ("jv", Code(*b"jav")), ("ka", Code(*b"kat")),
    ("kk", Code(*b"kaz")), ("km", Code(*b"khm")), ("kn", Code(*b"kan")), ("ko", Code(*b"kor")),
    ("krc", Code(*b"krc")), ("ku", Code(*b"kur")), ("kv", Code(*b"kom")), ("kw", Code(*b"cor")),
    ("ky", Code(*b"kir")), ("la", Code(*b"lat")), ("lb", Code(*b"ltz")), ("lez", Code(*b"lez")),
    ("li", Code(*b"lim")), ("lmo", Code(*b"lmo")), ("lo", Code(*b"lao")), ("lrc", Code(*b"lrc")),
    ("lt", Code(*b"lit")), ("lv", Code(*b"lav")), ("mai", Code(*b"mai")), ("mg", Code(*b"mlg")),
    ("mhr", Code(*b"mhr")), ("min", Code(*b"min")), ("mk", Code(*b"mkd")), ("ml", Code(*b"mal")),
    ("mn", Code(*b"mon")), ("mr", Code(*b"mar")), ("mrj", Code(*b"mrj")), ("ms", Code(*b"msa")),
    ("mt", Code(*b"mlt")), ("mwl", Code(*b"mwl")), ("my", Code(*b"mya")), ("myv", Code(*b"myv")),
    ("mzn", Code(*b"mzn")), ("nah", Code(*b"nci")), ("nap", Code(*b"nap")), ("nds", Code(*b"nds")),
    ("ne", Code(*b"nep")), ("new", Code(*b"new")), ("nl", Code(*b"nld")), ("nn", Code(*b"nno")),
    ("no", Code(*b"nob")), ("oc", Code(*b"oci")), ("or", Code(*b"ori")), ("os", Code(*b"oss")),
    ("pa", Code(*b"pan")), ("pam", Code(*b"pam")), ("pfl", Code(*b"pfl")), ("pl", Code(*b"pol")),
    ("pms", Code(*b"pms")), ("pnb", Code(*b"pnb")), ("ps", Code(*b"pus")), ("pt", Code(*b"por")),
    ("qu", Code(*b"que")), ("rm", Code(*b"roh")), ("ro", Code(*b"ron")), ("ru", Code(*b"rus")),
    ("rue", Code(*b"rue")), ("sa", Code(*b"san")), ("sah", Code(*b"sah")), ("sc", Code(*b"srd")),
    ("scn", Code(*b"scn")), ("sco", Code(*b"sco")), ("sd", Code(*b"snd")), ("sh", Code(*b"hbs")),
    ("si", Code(*b"sin")), ("sk", Code(*b"slk")), ("sl", Code(*b"slv")), ("so", Code(*b"som")),
    ("sq", Code(*b"sqi")), ("sr", Code(*b"srp")), ("su", Code(*b"sun")), ("sv", Code(*b"swe")),
    ("sw", Code(*b"swa")), ("ta", Code(*b"tam")), ("te", Code(*b"tel")), ("tg", Code(*b"tgk")),
    ("th", Code(*b"tha")), ("tk", Code(*b"tuk")), ("tl", Code(*b"tgl")), ("tr", Code(*b"tur")),
    ("tt", Code(*b"tat")), ("tyv", Code(*b"tyv")), ("ug", Code(*b"uig")), ("uk", Code(*b"ukr")),
    ("ur", Code(*b"urd")), ("uz", Code(*b"uzb")), ("vec", Code(*b"vec")), ("vep", Code(*b"vep")),
    ("vi", Code(*b"vie")), ("vls", Code(*b"vls")), ("vo", Code(*b"vol")), ("wa", Code(*b"wln")),
    ("war", Code(*b"war")), ("wuu", Code(*b"wuu")), ("xal", Code(*b"xal")), ("xmf", Code(*b"xmf")),
    ("yi", Code(*b"yid")), ("yo", Code(*b"yor")), ("yue", Code(*b"yue")), ("zh", Code(*b"cmn")),
];

/// The prefix of a fastText label.
const LABEL_PREFIX: &str = "__label__";

/// An ISO 639-3 code: three letters of a to z.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Code([u8; 3]);

impl Code {
    /// No language could be told.
    pub const UNDETERMINED: Self = Self(*b"und");

    /// Returns the code of three letters, or `None` where the text is something else.
    pub fn new(text: &str) -> Option<Self> {
        let letters: [u8; 3] = text.as_bytes().try_into().ok()?;
        letters.iter().all(u8::is_ascii_lowercase).then_some(Self(letters))
    }

    /// Returns the language that a fastText label names: one of lid.176 (`__label__en`), or an
    /// ISO 639-3 code with its script (`__label__eng_Latn`, as GlotLID and OpenLID have them).
    pub fn of_label(label: &str) -> Option<Self> {
        let name = label.strip_prefix(LABEL_PREFIX).unwrap_or(label);
        if let Some((code, _script)) = name.split_once('_') {
            return Self::new(code);
        }
        let known = WIKIPEDIA.binary_search_by(|(label, _)| label.cmp(&name)).ok();
        known.map_or_else(|| Self::new(name), |index| Some(WIKIPEDIA[index].1))
    }

    /// Returns the three letters.
    pub fn as_str(&self) -> &str {
        // Always ASCII, by how a code is made.
        str::from_utf8(&self.0).unwrap_or("und")
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_lid_176_have_a_code_each() {
        assert!(WIKIPEDIA.is_sorted_by(|(a, _), (b, _)| a < b));
        let code = |label| Code::of_label(label).map(|code| code.to_string());
        for (label, expected) in [
            ("__label__en", "eng"),
            ("__label__zh", "cmn"),
            ("__label__sh", "hbs"),
            ("__label__als", "gsw"),
            ("__label__arz", "arz"),
            ("__label__zh_Hans", "und"),
            ("__label__als_Latn", "als"),
            ("__label__eng_Latn", "eng"),
        ] {
            let found = code(label).unwrap_or_else(|| "und".to_owned());
            assert_eq!(found, expected, "{label}");
        }
        assert_eq!(code("__label__spam"), None);
    }

    #[test]
    fn a_code_is_three_small_letters() {
        assert_eq!(Code::new("eng").map(|code| code.to_string()).as_deref(), Some("eng"));
        for text in ["", "en", "ENG", "engl", "é1"] {
            assert_eq!(Code::new(text), None, "{text:?}");
        }
    }

    #[test]
    fn languages_that_both_detectors_know_have_one_code() {
        // Those whatlang knows and Wikipedia's table lacks: Akan, Zulu and Shona.
        let lacking: Vec<_> = whatlang::Lang::all()
            .iter()
            .map(|language| language.code())
            .filter(|code| !WIKIPEDIA.iter().any(|(_, known)| known.as_str() == *code))
            .collect();
        assert_eq!(lacking, ["aka", "zul", "sna"]);
    }
}
