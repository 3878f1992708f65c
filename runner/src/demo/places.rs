//! Where the made-up people live, and what they are called there.

pub struct Place {
    pub country: &'static str,
    /// Its share of the people, relative to the others'.
    pub weight: f64,
    pub locale: &'static str,
    pub zones: &'static [&'static str],
    pub first_names: &'static [&'static str],
    pub last_names: &'static [&'static str],
}

const GERMAN: &[&str] = &[
    "Anna", "Ben", "Clara", "David", "Emma", "Felix", "Greta", "Hannes", "Ida", "Jonas", "Katrin", "Lukas", "Marie", "Niklas",
    "Paula", "Simon", "Sophie", "Tobias", "Uwe", "Zoë",
];
const GERMAN_LAST: &[&str] = &[
    "Becker",
    "Brandt",
    "Fischer",
    "Großmann",
    "Hartmann",
    "Huber",
    "Jäger",
    "Keller",
    "Krüger",
    "Lehmann",
    "Meier",
    "Neumann",
    "Schäfer",
    "Schmidt",
    "Vogel",
    "Weber",
    "Winkler",
    "Zimmermann",
];
const ENGLISH: &[&str] =
    &["Alice", "Charlotte", "Daniel", "Ethan", "Grace", "Harry", "Isla", "Jack", "Maya", "Noah", "Olivia", "Ruth"];
const ENGLISH_LAST: &[&str] =
    &["Adams", "Bennett", "Clarke", "Evans", "Hughes", "Johnson", "Murphy", "O'Brien", "Parker", "Reed", "Taylor", "Wright"];
const FRENCH: &[&str] = &["Amélie", "Baptiste", "Chloé", "Étienne", "Inès", "Julien", "Léa", "Mathieu", "Noémie", "Théo"];
const FRENCH_LAST: &[&str] = &["Bernard", "Dubois", "Fontaine", "Girard", "Lefèvre", "Moreau", "Petit", "Rousseau"];

/// Mostly Europe, some America and Asia.
pub const PLACES: &[Place] = &[
    Place {
        country: "DE",
        weight: 42.0,
        locale: "de-DE",
        zones: &["Europe/Berlin"],
        first_names: GERMAN,
        last_names: GERMAN_LAST,
    },
    Place {
        country: "AT",
        weight: 10.0,
        locale: "de-AT",
        zones: &["Europe/Vienna"],
        first_names: GERMAN,
        last_names: GERMAN_LAST,
    },
    Place {
        country: "CH",
        weight: 9.0,
        locale: "de-CH",
        zones: &["Europe/Zurich"],
        first_names: GERMAN,
        last_names: GERMAN_LAST,
    },
    Place { country: "FR", weight: 8.0, locale: "fr-FR", zones: &["Europe/Paris"], first_names: FRENCH, last_names: FRENCH_LAST },
    Place {
        country: "GB",
        weight: 7.0,
        locale: "en-GB",
        zones: &["Europe/London"],
        first_names: ENGLISH,
        last_names: ENGLISH_LAST,
    },
    Place {
        country: "NL",
        weight: 5.0,
        locale: "nl-NL",
        zones: &["Europe/Amsterdam"],
        first_names: &["Bram", "Daan", "Eva", "Femke", "Lotte", "Sanne", "Thijs", "Willem"],
        last_names: &["Bakker", "de Jong", "de Vries", "Jansen", "van den Berg", "Visser"],
    },
    Place {
        country: "IT",
        weight: 4.0,
        locale: "it-IT",
        zones: &["Europe/Rome"],
        first_names: &["Alessandro", "Chiara", "Francesca", "Giulia", "Lorenzo", "Matteo", "Niccolò"],
        last_names: &["Bianchi", "Conti", "De Luca", "Ferrari", "Ricci", "Romano"],
    },
    Place {
        country: "PL",
        weight: 3.0,
        locale: "pl-PL",
        zones: &["Europe/Warsaw"],
        first_names: &["Agnieszka", "Jakub", "Łukasz", "Małgorzata", "Piotr", "Zofia"],
        last_names: &["Kowalska", "Nowak", "Wiśniewski", "Wójcik", "Zieliński"],
    },
    Place {
        country: "PT",
        weight: 2.0,
        locale: "pt-PT",
        zones: &["Europe/Lisbon"],
        first_names: &["Beatriz", "João", "Mariana", "Rui", "Tiago"],
        last_names: &["Carvalho", "Ferreira", "Gonçalves", "Silva"],
    },
    Place {
        country: "US",
        weight: 6.0,
        locale: "en-US",
        zones: &["America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"],
        first_names: ENGLISH,
        last_names: ENGLISH_LAST,
    },
    Place {
        country: "CA",
        weight: 2.0,
        locale: "en-CA",
        zones: &["America/Toronto", "America/Vancouver", "America/St_Johns"],
        first_names: ENGLISH,
        last_names: ENGLISH_LAST,
    },
    Place {
        country: "IN",
        weight: 1.0,
        locale: "en-IN",
        zones: &["Asia/Kolkata"],
        first_names: &["Aarav", "Ananya", "Dev", "Priya", "Rohan"],
        last_names: &["Gupta", "Iyer", "Patel", "Sharma"],
    },
    Place {
        country: "JP",
        weight: 1.0,
        locale: "ja-JP",
        zones: &["Asia/Tokyo"],
        first_names: &["Aoi", "Haruto", "Sakura", "Yuki"],
        last_names: &["Kobayashi", "Sato", "Suzuki", "Tanaka"],
    },
];
