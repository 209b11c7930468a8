//! Paragraphs that are not English, to be recognised as such.

/// A language other than English.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    German,
    French,
    Spanish,
    Russian,
    Japanese,
}

impl Language {
    /// Every language there is.
    pub(crate) const ALL: [Self; 5] =
        [Self::German, Self::French, Self::Spanish, Self::Russian, Self::Japanese];

    /// Gives the ten sentences that paragraphs are shuffled from.
    pub(super) fn sentences(self) -> &'static [&'static str; 10] {
        match self {
            Self::German => GERMAN,
            Self::French => FRENCH,
            Self::Spanish => SPANISH,
            Self::Russian => RUSSIAN,
            Self::Japanese => JAPANESE,
        }
    }

    /// Gives what stands between two sentences.
    pub(super) fn space(self) -> &'static str {
        match self {
            Self::Japanese => "",
            _ => " ",
        }
    }
}

const GERMAN: &[&str; 10] = &[
    "Am Morgen gingen die Kinder durch den Garten zum alten Haus am Fluss.",
    "Der Hund lag müde unter dem Tisch und wartete auf seine Freundin.",
    "Niemand wusste, warum das blaue Fenster in der Nacht offen geblieben war.",
    "Nach dem Regen roch die Straße nach Erde und nach frischem Brot.",
    "Die Großmutter erzählte uns eine lange Geschichte über den Wald und seine Tiere.",
    "Auf dem Markt kaufte er drei rote Äpfel und einen kleinen Korb.",
    "Wir haben gestern ein großes Bild mit einem gelben Kreis gemalt.",
    "Wenn der Wind stark ist, bleiben die Boote lieber im Hafen.",
    "Sie schrieb ihrem Bruder einen Brief, den er nie gelesen hat.",
    "Im Winter ist der See gefroren, und die Leute laufen darüber nach Hause.",
];
const FRENCH: &[&str; 10] = &[
    "Le matin, les enfants traversaient le jardin pour aller jusqu'à la rivière.",
    "Le chien dormait sous la table et attendait le retour de son amie.",
    "Personne ne savait pourquoi la fenêtre bleue était restée ouverte toute la nuit.",
    "Après la pluie, la rue sentait la terre et le pain frais.",
    "La grand-mère nous racontait une longue histoire sur la forêt et ses animaux.",
    "Au marché, il a acheté trois pommes rouges et un petit panier.",
    "Hier nous avons peint un grand tableau avec un cercle jaune.",
    "Quand le vent est fort, les bateaux restent plutôt dans le port.",
    "Elle a écrit à son frère une lettre qu'il n'a jamais lue.",
    "En hiver le lac est gelé, et les gens le traversent pour rentrer chez eux.",
];
const SPANISH: &[&str; 10] = &[
    "Por la mañana los niños cruzaban el jardín para llegar hasta el río.",
    "El perro dormía debajo de la mesa y esperaba la vuelta de su amiga.",
    "Nadie sabía por qué la ventana azul había quedado abierta toda la noche.",
    "Después de la lluvia, la calle olía a tierra y a pan recién hecho.",
    "La abuela nos contaba una historia muy larga sobre el bosque y sus animales.",
    "En el mercado compró tres manzanas rojas y una cesta pequeña.",
    "Ayer pintamos un cuadro grande con un círculo amarillo en el centro.",
    "Cuando el viento es fuerte, los barcos se quedan mejor en el puerto.",
    "Ella escribió a su hermano una carta que él nunca llegó a leer.",
    "En invierno el lago está helado, y la gente lo cruza para volver a casa.",
];
const RUSSIAN: &[&str; 10] = &[
    "Утром дети шли через сад к старому дому у реки.",
    "Собака лежала под столом и ждала свою подругу.",
    "Никто не знал, почему синее окно осталось открытым на всю ночь.",
    "После дождя улица пахла землёй и свежим хлебом.",
    "Бабушка рассказывала нам длинную историю про лес и его зверей.",
    "На рынке он купил три красных яблока и маленькую корзину.",
    "Вчера мы нарисовали большую картину с жёлтым кругом.",
    "Когда ветер сильный, лодки лучше остаются в порту.",
    "Она написала брату письмо, которое он так и не прочитал.",
    "Зимой озеро замерзает, и люди идут по нему домой.",
];
const JAPANESE: &[&str; 10] = &[
    "朝、子どもたちは庭を通って川のそばの古い家まで歩いて行きました。",
    "犬はテーブルの下で眠りながら、友だちの帰りを待っていました。",
    "青い窓がなぜ一晩中開いたままだったのか、だれも知りませんでした。",
    "雨が上がると、道には土と焼きたてのパンのにおいがしました。",
    "おばあさんは森と動物たちの長い話を聞かせてくれました。",
    "市場で彼は赤いりんごを三つと小さなかごを買いました。",
    "昨日、私たちは黄色い丸のある大きな絵をかきました。",
    "風が強い日には、船は港にいるほうがいいです。",
    "彼女は兄に手紙を書きましたが、兄は一度も読みませんでした。",
    "冬になると湖がこおり、人々はその上を歩いて家に帰ります。",
];
