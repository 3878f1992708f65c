//! Numbers, dates and plurals as a language writes them (Unicode CLDR). Dates are Gregorian everywhere.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::str::FromStr;

use dsl::time::DateValue;
use fixed_decimal::{SignedRoundingMode, UnsignedRoundingMode};
use icu_calendar::Gregorian;
use icu_datetime::FixedCalendarDateTimeFormatter;
use icu_datetime::fieldsets::{self, enums::CompositeDateTimeFieldSet};
use icu_datetime::input::{Date, DateTime, Time};
use icu_decimal::DecimalFormatter;
use icu_decimal::input::Decimal;
use icu_locale_core::Locale;
use icu_plurals::{PluralCategory, PluralRuleType, PluralRules};
use jiff::tz::TimeZone;
use serde_json::Value;

/// How many languages are kept ready on a thread.
const MAX_KEPT: usize = 64;
/// The longest number that is read, in characters.
const MAX_DIGITS: usize = 64;

type Written = FixedCalendarDateTimeFormatter<Gregorian, CompositeDateTimeFieldSet>;

/// How a date is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Style {
    Short,
    Medium,
    Long,
    Full,
    Time,
    DateTime,
}

impl Style {
    pub fn read(word: &str) -> Option<Style> {
        Some(match word {
            "short" => Style::Short,
            "medium" => Style::Medium,
            "long" => Style::Long,
            "full" => Style::Full,
            "time" => Style::Time,
            "datetime" => Style::DateTime,
            _ => return None,
        })
    }

    fn fields(self) -> CompositeDateTimeFieldSet {
        use icu_datetime::fieldsets::enums::{DateAndTimeFieldSet, DateFieldSet, TimeFieldSet};
        match self {
            Style::Short => CompositeDateTimeFieldSet::Date(DateFieldSet::YMD(fieldsets::YMD::short())),
            Style::Medium => CompositeDateTimeFieldSet::Date(DateFieldSet::YMD(fieldsets::YMD::medium())),
            Style::Long => CompositeDateTimeFieldSet::Date(DateFieldSet::YMD(fieldsets::YMD::long())),
            Style::Full => CompositeDateTimeFieldSet::Date(DateFieldSet::YMDE(fieldsets::YMDE::long())),
            Style::Time => CompositeDateTimeFieldSet::Time(TimeFieldSet::T(fieldsets::T::hm())),
            Style::DateTime => {
                CompositeDateTimeFieldSet::DateTime(DateAndTimeFieldSet::YMDT(fieldsets::YMD::medium().with_time_hm()))
            }
        }
    }
}

/// One language's way of writing; its parts are made when they are first needed.
pub(super) struct Formats {
    locale: Locale,
    numbers: OnceCell<Option<DecimalFormatter>>,
    plurals: OnceCell<Option<PluralRules>>,
    dates: RefCell<HashMap<Style, Option<Rc<Written>>>>,
}

thread_local! {
    /// By canonical tag.
    static KEPT: RefCell<HashMap<String, Rc<Formats>>> = RefCell::new(HashMap::new());
}

impl Formats {
    /// Those of a language, by its canonical tag; English for what is none.
    pub fn of(language: &str) -> Rc<Formats> {
        KEPT.with_borrow_mut(|kept| {
            if let Some(formats) = kept.get(language) {
                return formats.clone();
            }
            if kept.len() >= MAX_KEPT {
                kept.clear();
            }
            let formats = Rc::new(Formats {
                locale: Locale::try_from_str(language).unwrap_or(icu_locale_core::locale!("en")),
                numbers: OnceCell::new(),
                plurals: OnceCell::new(),
                dates: RefCell::default(),
            });
            kept.insert(language.to_owned(), formats.clone());
            formats
        })
    }

    /// The language alone: `pt` for `pt-BR`.
    pub fn language(&self) -> &str {
        self.locale.id.language.as_str()
    }

    pub fn region(&self) -> Option<String> {
        self.locale.id.region.map(|region| region.as_str().to_owned())
    }

    /// The number with this language's digits and separators.
    pub fn number(&self, number: &Decimal) -> String {
        let formatter = self.numbers.get_or_init(|| DecimalFormatter::try_new((&self.locale).into(), Default::default()).ok());
        match formatter {
            // Some programs have no sign for the narrow space.
            Some(formatter) => formatter.format(number).to_string().replace('\u{202f}', "\u{a0}"),
            None => number.to_string(),
        }
    }

    /// Which form of a noun goes with the number: zero, one, two, few, many or other.
    pub fn plural(&self, number: &Decimal) -> &'static str {
        let rules =
            self.plurals.get_or_init(|| PluralRules::try_new((&self.locale).into(), PluralRuleType::Cardinal.into()).ok());
        match rules.as_ref().map(|rules| rules.category_for(number)) {
            Some(PluralCategory::Zero) => "zero",
            Some(PluralCategory::One) => "one",
            Some(PluralCategory::Two) => "two",
            Some(PluralCategory::Few) => "few",
            Some(PluralCategory::Many) => "many",
            Some(PluralCategory::Other) | None => "other",
        }
    }

    /// A date as this language writes it; a date alone is its first moment. `None` where there is no data for it.
    pub fn date(&self, value: DateValue, style: Style, zone: &TimeZone) -> Option<String> {
        let (date, time) = value.civil(zone);
        let time = time.unwrap_or(jiff::civil::Time::midnight());
        let date =
            Date::try_new_gregorian(date.year().into(), u8::try_from(date.month()).ok()?, u8::try_from(date.day()).ok()?).ok()?;
        let time = Time::try_new(
            u8::try_from(time.hour()).ok()?,
            u8::try_from(time.minute()).ok()?,
            u8::try_from(time.second()).ok()?,
            0,
        )
        .ok()?;
        let written = self
            .dates
            .borrow_mut()
            .entry(style)
            .or_insert_with(|| {
                let made = Written::try_new((&self.locale).into(), style.fields());
                made.ok().map(Rc::new)
            })
            .clone()?;
        Some(written.format(&DateTime { date, time }).to_string().replace(['\u{202f}', '\u{2009}'], " "))
    }
}

/// A number of the data: a JSON number, or a text that is one.
pub(super) fn number(value: &Value) -> Option<Decimal> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    if text.len() > MAX_DIGITS || text.is_empty() {
        return None;
    }
    let text = text.to_ascii_lowercase();
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    let power: i16 = power.parse().ok().filter(|power: &i16| power.abs() <= 40)?;
    let mut number = Decimal::from_str(digits).ok()?;
    number.multiply_pow10(power);
    // JSON's 80.0 is a whole number; who writes "80.0" means the zero.
    if value.is_number() {
        number.absolute.trim_end_if_integer();
    }
    Some(number)
}

/// The number with exactly so many decimals; halves go away from zero.
pub(super) fn rounded(number: &Decimal, decimals: i16) -> Decimal {
    let mut number = number.clone();
    number.round_with_mode(-decimals, SignedRoundingMode::Unsigned(UnsignedRoundingMode::HalfExpand));
    number.absolute.pad_end(-decimals);
    number
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_written_as_the_language_does() {
        let check = |language: &str, value: Value, decimals: Option<i16>, expected: &str| {
            let mut found = number(&value).expect("a number");
            if let Some(decimals) = decimals {
                found = rounded(&found, decimals);
            }
            assert_eq!(Formats::of(language).number(&found), expected, "{language} {value}");
        };
        check("en", json!(1234567.5), None, "1,234,567.5");
        check("de", json!(1234567.5), None, "1.234.567,5");
        check("de-CH", json!("1234.5"), None, "1'234.5");
        check("fr", json!(1234), None, "1\u{a0}234");
        check("hi", json!(1234567), None, "12,34,567");
        check("en", json!(2.665), Some(2), "2.67");
        check("en", json!(-0.005), Some(2), "-0.01");
        check("en", json!(3), Some(2), "3.00");
        check("en", json!(1e3), None, "1,000");
        check("nonsense", json!(1.5), None, "1.5");
    }

    #[test]
    fn what_is_no_number_is_none() {
        for value in
            [json!(""), json!("x"), json!("1e999"), json!("NaN"), json!(null), json!([1]), json!("9".repeat(100)), json!("1,5")]
        {
            assert_eq!(number(&value), None, "{value}");
        }
    }

    #[test]
    fn nouns_follow_numbers() {
        let check = |language: &str, value: Value, expected: &str| {
            assert_eq!(Formats::of(language).plural(&number(&value).expect("a number")), expected, "{language} {value}");
        };
        check("en", json!(1), "one");
        check("en", json!(0), "other");
        check("en", json!("1.0"), "other");
        check("pl", json!(3), "few");
        check("pl", json!(5), "many");
        check("ar", json!(0), "zero");
        check("ar", json!(2), "two");
        check("ja", json!(1), "other");
        check("fr", json!(0), "one");
    }

    #[test]
    fn dates_are_written_as_the_language_does() {
        let check = |language: &str, style: &str, text: &str, expected: &str| {
            let zone = TimeZone::get("Europe/Berlin").expect("a zone");
            let value = dsl::time::parse_date(text).expect("a date");
            let found = Formats::of(language).date(value, Style::read(style).expect("a style"), &zone);
            assert_eq!(found.as_deref(), Some(expected), "{language} {style}");
        };
        let instant = "2026-03-28T23:30:00Z";
        check("en", "short", instant, "3/29/26");
        check("en", "medium", instant, "Mar 29, 2026");
        check("en", "long", instant, "March 29, 2026");
        check("en", "full", instant, "Sunday, March 29, 2026");
        check("en", "time", instant, "12:30 AM");
        check("en-GB", "long", instant, "29 March 2026");
        check("de", "long", instant, "29. März 2026");
        check("de", "time", instant, "00:30");
        check("de", "datetime", instant, "29.03.2026, 00:30");
        check("th", "long", "2026-03-29", "29 มีนาคม ค.ศ. 2026");
        check("ja", "full", "2026-03-29", "2026年3月29日日曜日");
    }
}
