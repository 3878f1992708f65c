//! Amounts of money: how many decimals a currency has (ISO 4217), its sign, and where a language puts it.

use icu_decimal::input::Decimal;

use super::formats::{Formats, rounded};

/// Currencies whose smallest unit is no hundredth, with their decimals (ISO 4217, list one).
const DECIMALS: [(&str, i16); 27] = [
    ("BHD", 3),
    ("BIF", 0),
    ("CLF", 4),
    ("CLP", 0),
    ("DJF", 0),
    ("GNF", 0),
    ("IQD", 3),
    ("ISK", 0),
    ("JOD", 3),
    ("JPY", 0),
    ("KMF", 0),
    ("KRW", 0),
    ("KWD", 3),
    ("LYD", 3),
    ("OMR", 3),
    ("PYG", 0),
    ("RWF", 0),
    ("TND", 3),
    ("UGX", 0),
    ("UYI", 0),
    ("UYW", 4),
    ("VND", 0),
    ("VUV", 0),
    ("XAF", 0),
    ("XOF", 0),
    ("XPF", 0),
    ("XDR", 2),
];

/// Signs that are understood everywhere, as CLDR has them for readers who are not at home with the currency.
const SIGNS: [(&str, &str); 21] = [
    ("AUD", "A$"),
    ("BRL", "R$"),
    ("CAD", "CA$"),
    ("CNY", "CN¥"),
    ("EUR", "€"),
    ("GBP", "£"),
    ("HKD", "HK$"),
    ("ILS", "₪"),
    ("INR", "₹"),
    ("JPY", "¥"),
    ("KRW", "₩"),
    ("MXN", "MX$"),
    ("NGN", "₦"),
    ("NZD", "NZ$"),
    ("PHP", "₱"),
    ("SGD", "SGD"),
    ("TRY", "TRY"),
    ("TWD", "NT$"),
    ("USD", "$"),
    ("VND", "₫"),
    ("XPF", "CFPF"),
];

/// Signs for readers at home: currency, region or language, sign.
const AT_HOME: [(&str, &str, &str); 22] = [
    ("AUD", "AU", "$"),
    ("CAD", "CA", "$"),
    ("CNY", "zh", "¥"),
    ("CZK", "cs", "Kč"),
    ("DKK", "da", "kr."),
    ("HKD", "HK", "HK$"),
    ("HUF", "hu", "Ft"),
    ("IDR", "id", "Rp"),
    ("JPY", "ja", "￥"),
    ("MXN", "MX", "$"),
    ("NOK", "nb", "kr"),
    ("NOK", "no", "kr"),
    ("NZD", "NZ", "$"),
    ("PLN", "pl", "zł"),
    ("RUB", "ru", "₽"),
    ("SEK", "sv", "kr"),
    ("SGD", "SG", "$"),
    ("THB", "th", "฿"),
    ("TRY", "tr", "₺"),
    ("TWD", "TW", "$"),
    ("UAH", "uk", "₴"),
    ("BGN", "bg", "лв."),
];

/// Where a sign stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    /// With a space that does not break.
    BeforeApart,
    After,
}

/// Languages and regions that do not put the sign behind the number. Regions come first.
const SIDES: [(&str, Side); 34] = [
    ("de-AT", Side::BeforeApart),
    ("de-CH", Side::BeforeApart),
    ("de-LI", Side::BeforeApart),
    ("it-CH", Side::BeforeApart),
    ("es-419", Side::Before),
    ("es-AR", Side::BeforeApart),
    ("es-BO", Side::Before),
    ("es-CL", Side::Before),
    ("es-CO", Side::BeforeApart),
    ("es-EC", Side::Before),
    ("es-GT", Side::Before),
    ("es-MX", Side::Before),
    ("es-PE", Side::BeforeApart),
    ("es-PR", Side::Before),
    ("es-US", Side::Before),
    ("es-UY", Side::BeforeApart),
    ("pt-PT", Side::After),
    ("bn", Side::After),
    ("cy", Side::Before),
    ("en", Side::Before),
    ("fil", Side::Before),
    ("ga", Side::Before),
    ("hi", Side::Before),
    ("id", Side::BeforeApart),
    ("ja", Side::Before),
    ("ko", Side::Before),
    ("ms", Side::BeforeApart),
    ("mt", Side::Before),
    ("nl", Side::BeforeApart),
    ("pt", Side::BeforeApart),
    ("sw", Side::BeforeApart),
    ("th", Side::Before),
    ("tr", Side::Before),
    ("zh", Side::Before),
];

/// The currency's code in capitals, if it is one: three letters.
pub(super) fn currency(text: &str) -> Option<String> {
    let good = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    good.then(|| text.to_ascii_uppercase())
}

/// The amount as this language writes it.
pub(super) fn written(amount: &Decimal, currency: &str, formats: &Formats) -> String {
    let decimals = DECIMALS.iter().find(|(code, _)| *code == currency).map_or(2, |(_, decimals)| *decimals);
    let number = formats.number(&rounded(amount, decimals));
    let (language, region) = (formats.language(), formats.region());
    let home = AT_HOME.iter().find(|(code, home, _)| *code == currency && (*home == language || region.as_deref() == Some(home)));
    let everywhere = || SIGNS.iter().find(|(code, _)| *code == currency).map(|(_, sign)| *sign);
    let sign = home.map(|(_, _, sign)| *sign).or_else(everywhere).unwrap_or(currency);
    let full = region.map(|region| format!("{language}-{region}"));
    let side = full
        .and_then(|full| SIDES.iter().find(|(tag, _)| *tag == full))
        .or_else(|| SIDES.iter().find(|(tag, _)| *tag == language));
    let (minus, digits) = match number.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", number.as_str()),
    };
    let letter = sign.ends_with(|c: char| c.is_alphabetic());
    match side.map_or(Side::After, |(_, side)| *side) {
        Side::Before if !letter => format!("{minus}{sign}{digits}"),
        Side::Before | Side::BeforeApart => format!("{minus}{sign}\u{a0}{digits}"),
        Side::After => format!("{number}\u{a0}{sign}"),
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    #[test]
    fn amounts_are_written_as_the_language_does() {
        let check = |amount: &str, code: &str, language: &str, expected: &str| {
            let amount = Decimal::from_str(amount).expect("a number");
            assert_eq!(written(&amount, code, &Formats::of(language)), expected, "{amount} {code} {language}");
        };
        check("1234.5", "EUR", "en", "€1,234.50");
        check("1234.5", "EUR", "de", "1.234,50\u{a0}€");
        check("1234.5", "EUR", "de-AT", "€\u{a0}1\u{a0}234,50");
        check("1234.5", "EUR", "fr", "1\u{a0}234,50\u{a0}€");
        check("1234.5", "EUR", "nl", "€\u{a0}1.234,50");
        check("1234.5", "CHF", "de-CH", "CHF\u{a0}1'234.50");
        check("1234.5", "CHF", "en", "CHF\u{a0}1,234.50");
        check("1234.5", "JPY", "ja", "￥1,235");
        check("1234.5", "JPY", "en", "¥1,235");
        check("1.2345", "KWD", "en", "KWD\u{a0}1.235");
        check("-5", "USD", "en", "-$5.00");
        check("5", "BRL", "pt-BR", "R$\u{a0}5,00");
        check("5", "EUR", "pt-PT", "5,00\u{a0}€");
        check("5", "PLN", "pl", "5,00\u{a0}zł");
        check("5", "CAD", "en-CA", "$5.00");
        check("5", "CAD", "en", "CA$5.00");
        check("5", "CNY", "zh-Hans", "¥5.00");
    }

    #[test]
    fn codes_have_three_letters() {
        for (text, expected) in
            [("eur", Some("EUR")), ("EUR", Some("EUR")), ("EU", None), ("EURO", None), ("E1R", None), ("€", None)]
        {
            assert_eq!(currency(text).as_deref(), expected, "{text}");
        }
    }
}
