use proptest::prelude::*;
use serde::Deserialize;

use super::charset::of_control;
use super::undo;

/// Right texts of Europe's languages.
const SENTENCES: [&str; 30] = [
    "La forêt était déjà pleine d’écureuils, où ça",
    "Der große Bär läuft über die Straße nach Köln",
    "El niño pequeño comió piñas mañana también",
    "A irmã não viu a maçã, amanhã você verá",
    "Perché la città è così, però più virtù",
    "Șarpele și țapul mănâncă în pădure când vin",
    "Żółw źle śpi, więc łódź płynie przez księżyc",
    "Příliš žluťoučký kůň úpěl ďábelské ódy, líška",
    "Vŕba a ľan sú päť dní pod mrazom, žriebä",
    "Árvíztűrő tükörfúrógép, őz és űr",
    "Güneşli günde çocuklar ağaçta oynuyor, ışık",
    "Vi måste gå på ön och få äpplen, så då",
    "Vi må gå på øya og få blåbær nå",
    "Du skal få smørrebrød på åen, dæmring",
    "Tämä on hyvä päivä täällä, työ jää yöhön",
    "Það er gott að búa í húsinu, þú mátt sofa ó",
    "Gražūs ąžuolai auga prie ežerų, šį rytą",
    "Šodien ļoti skaista diena, ēnā zied ķirši",
    "Öö on täis tähti ja jõgi võõras, žanr",
    "Η καλή μέρα αρχίζει νωρίς το πρωί, έτσι",
    "Съешь ещё этих мягких булок, объезд",
    "Їжак з’їв ґудзик, але є ще один, Київ",
    "Ђорђе љуби њиву, џак и ћуп",
    "Čudan džem i žuta šljiva, đak uči",
    "Kožušček čaka v šoli, čez goro",
    "L’àvia té raó, això és així, què n’és",
    "Tá an fear óg ag ól, níl sé fuar, bó",
    "Mae’r tŷ ŵyn yn y dŵr, hâf gwên",
    "Kjo është një ditë e bukur, ç’kemi, më",
    "Ix-xemx tħabbat fuq iż-żebbuġ, ċar",
];
/// What stands behind words, and before them.
const BEHIND: [&str; 34] = [
    "",
    "…",
    "”",
    "“",
    "’",
    "»",
    "«",
    "\u{A0}»",
    "\u{A0}!",
    "\u{A0}:",
    "\u{A0}?",
    "\u{A0};",
    "\u{202F}»",
    "–",
    "—",
    "\u{A0}–",
    "‘",
    "›",
    "‹",
    "!",
    "®",
    "™",
    "\u{A0}°C",
    "\u{A0}€",
    "…”",
    "”…",
    "\u{A0}…",
    "’s",
    "…\u{A0}»",
    "»…",
    "’”",
    "\u{A0}”",
    "\u{A0}%",
    "\"",
];
const BEFORE: [&str; 12] = ["", "", "«", "«\u{A0}", "“", "„", "‘", "‚", "(", "»", "– ", "\u{A0}"];

/// Decodes UTF-8 as Windows-1252, or as Latin-1.
fn decoded(text: &str, is_windows: bool) -> String {
    let byte = |byte| if is_windows { of_control(char::from(byte)) } else { char::from(byte) };
    text.bytes().map(byte).collect()
}

fn undone(text: &str) -> Option<String> {
    undo(text).map(|undone| undone.text)
}

#[test]
fn mojibake_is_undone() {
    let cases = [
        ("Itâ€™s a cafÃ©", "It’s a café"),
        ("ItÃ¢â‚¬â„¢s", "It’s"),
        ("dogsâ\u{80}\u{99} tail", "dogs’ tail"),
        ("voilÃ\u{A0} le travail, voilÃ le Ã cheval", "voilà le travail, voilà le à cheval"),
        ("com especial atenÃ§Ã£o Ã s crianÃ§as", "com especial atenção às crianças"),
        ("HÃ”TEL Ã‰TÃ‰, ZURÃœCK, STRAÃŸE", "HÔTEL ÉTÉ, ZURÜCK, STRAßE"),
        ("NIKEÂ® and 5Â°C, Â£5", "NIKE® and 5°C, £5"),
        ("Å veices baÅ†Ä·ieri", "Šveices baņķieri"),
        ("LiĂ¨ge et l'HĂ´pital", "Liège et l'Hôpital"),
        ("S&P вЂ“ UkrsotsbankвЂ™s", "S&P – Ukrsotsbank’s"),
        ("wei√ü, r√©gime", "weiß, régime"),
        ("#╨┐╤Ç╨░╨▓╨╕╨╗╤î╨╜╨╛", "#правильно"),
        ("9æœˆ æ—¥æœ¬èªž", "9月 日本語"),
        ("Hi í\u{A0}½í¸\u{8D} â\u{9D}¤", "Hi 😍 ❤"),
        ("â€œlossyâ€\u{FFFD}", "“lossy\u{FFFD}"),
        ("\u{84}Handwerk\u{93} ist schön", "„Handwerk“ ist schön"),
        ("Classificação of DivisÃ£o", "Classificação of Divisão"),
    ];
    for (text, expected) in cases {
        assert_eq!(undone(text).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn right_text_stays() {
    let cases = [
        "« la vérité\u{A0}» et l’été\u{A0}!",
        "VI MÅSTE GÅ… OCH SEN FÅ…",
        "«STÅ PÅ» og «HOLD UT NÅ»",
        "au café’… puis au ciné”…",
        "La letra Ñ” y la otra Ñ”",
        "NICIODATĂ\u{A0} nu a fost, iar VÂ\u{A0}LCEA",
        "ELES VÃO… AMANHÃ” E A IRMÃ\u{A0}» COM MAÇÃ™",
        "HÂLÂ\u{A0}» ve hâlâ”…",
        "São Paulo, Âge, naïve “quoted” – 5 €",
        "„Spaß“ und „Fuß“, GROẞ“",
        "MÍŠA, VÝŠKA, SPÓŁKA, KSIĘŻ, RÓŻ",
        "Å…» È\u{A0}! É” Ô\u{A0}»",
        "C O N C L U S Ã O",
        "HÂF, «\u{A0}Â»",
        "A CAMPEÃ\u{A0}é brasileira",
        "Loja de LÃ\u{A0}merino, MANHÃ\u{A0}de sol em São Paulo",
        "XÃ\u{A0}hội, MÃ\u{A0}số: NGÃ\u{A0}tư",
        "4288×… (-1/2)! = √π ∆°",
        "日本語 é, ( o¬ô )",
        "one line\u{85}another\u{85}",
        "plain",
    ];
    for text in cases {
        assert_eq!(undone(text), None, "{text}");
    }
}

#[test]
fn lines_are_judged_apart_and_the_score_is_what_they_lose() {
    let text = "AMANHÃ”\ncafÃ©\r\n\nÃ la itâ€™s\n";
    let undone = undo(text).map(|undone| (undone.text, undone.score));
    assert_eq!(undone, Some(("AMANHÃ”\ncafé\r\n\nà la it’s\n".to_owned(), 1 + 2)));
    assert_eq!(undo("Ã la carte").map(|undone| undone.score), Some(1));
}

/// What ftfy makes of texts, where it is right (tests/golden/mojibake.py).
#[derive(Deserialize)]
struct Golden {
    text: String,
    fixed: String,
}

#[test]
#[allow(clippy::unwrap_used)]
fn texts_become_what_ftfy_makes_of_them() {
    let golden: Vec<Golden> =
        serde_json::from_str(include_str!("../../../tests/golden/mojibake.json")).unwrap();
    assert!(golden.len() > 500);
    for Golden { text, fixed } in golden {
        let undone = undone(&text).unwrap_or_else(|| text.clone());
        assert_eq!(undone, fixed, "{text}");
    }
}

fn punctuated() -> impl Strategy<Value = String> {
    let sentence = prop::sample::select(&SENTENCES[..]);
    let marks = || prop::collection::vec((0..BEFORE.len(), 0..BEHIND.len()), 12);
    (sentence, marks(), any::<bool>()).prop_map(|(sentence, marks, is_upper)| {
        let words =
            sentence.split(' ').map(|word| if is_upper { word.to_uppercase() } else { word.to_owned() });
        let marked = words.zip(marks).map(|(word, (a, b))| format!("{}{word}{}", BEFORE[a], BEHIND[b]));
        marked.collect::<Vec<_>>().join(" ")
    })
}

proptest! {
    #[test]
    fn right_text_of_any_language_and_case_stays(text in punctuated()) {
        prop_assert_eq!(undone(&text), None, "{}", text);
    }

    #[test]
    fn text_that_was_decoded_wrongly_comes_back(
        at in 0..SENTENCES.len(), is_windows: bool, is_upper: bool, layers in 1..4_usize,
    ) {
        let right = if is_upper { SENTENCES[at].to_uppercase() } else { SENTENCES[at].to_owned() };
        let wrong = (0..layers).fold(right.clone(), |text, _| decoded(&text, is_windows));
        prop_assert_eq!(undone(&wrong), Some(right), "{}", wrong);
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in "[ÂÃâàðíÐ×РВ√├ß][\u{80}-\u{BF}€™”… ?\u{FFFD}aА]{0,6}.{0,4}\n?") {
        undo(&text);
    }
}
