//! Language tags (RFC 5646) as templates use them, and which languages a message falls back to.

/// The tag in its canonical writing (RFC 5646 section 2.1.1): `de`, `pt-BR`, `zh-Hans`, `zh-Hant-TW`. `_` counts as `-`. `None` for what is no
/// language with an optional script and region.
pub fn canonical_locale(text: &str) -> Option<String> {
    let mut groups = text.split(['-', '_']);
    let letters = |group: &str, length: std::ops::RangeInclusive<usize>| {
        length.contains(&group.len()) && group.bytes().all(|byte| byte.is_ascii_alphabetic())
    };
    let language = groups.next().filter(|group| letters(group, 2..=3))?;
    let mut tag = language.to_ascii_lowercase();
    let mut next = groups.next();
    if let Some(script) = next.filter(|group| letters(group, 4..=4)) {
        tag.push('-');
        tag.push_str(&script[..1].to_ascii_uppercase());
        tag.push_str(&script[1..].to_ascii_lowercase());
        next = groups.next();
    }
    if let Some(region) = next {
        let digits = region.len() == 3 && region.bytes().all(|byte| byte.is_ascii_digit());
        if !digits && !letters(region, 2..=2) {
            return None;
        }
        tag.push('-');
        tag.push_str(&region.to_ascii_uppercase());
    }
    groups.next().is_none().then_some(tag)
}

/// The tags under which something in this language may be found, best first: the tag itself, then without its region, then its language
/// alone. Nothing for what is no tag.
pub fn locale_and_wider(locale: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = canonical_locale(locale).unwrap_or_default();
    while !rest.is_empty() {
        found.push(rest.clone());
        rest.truncate(rest.rfind('-').unwrap_or(0));
    }
    found
}

/// Which of the languages that `has` knows is for a reader of `locale`: theirs, else the project's; `None`: the one without a locale.
pub fn fallback(locale: Option<&str>, project: &str, has: impl Fn(&str) -> bool) -> Option<String> {
    let readers = locale.map(locale_and_wider).unwrap_or_default();
    readers.into_iter().chain(locale_and_wider(project)).find(|tag| has(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read() {
        let check = |text: &str, expected: Option<&str>| assert_eq!(canonical_locale(text).as_deref(), expected, "{text}");
        for (text, tag) in [
            ("de", "de"),
            ("DE-at", "de-AT"),
            ("pt_br", "pt-BR"),
            ("ZH-hans", "zh-Hans"),
            ("zh_Hant_tw", "zh-Hant-TW"),
            ("es-419", "es-419"),
            ("gsw", "gsw"),
        ] {
            check(text, Some(tag));
        }
        for text in ["", "d", "beta", "de-", "de-AT-x", "de-1", "-de", "d1", "sms!", "de--AT", "ä"] {
            check(text, None);
        }
    }

    #[test]
    fn languages_fall_back() {
        let check = |locale: Option<&str>, project: &str, there: &[&str], expected: Option<&str>| {
            let found = fallback(locale, project, |tag| there.contains(&tag));
            assert_eq!(found.as_deref(), expected, "{locale:?} {project} {there:?}");
        };
        check(Some("de-AT"), "en", &["de", "de-AT", "en"], Some("de-AT"));
        check(Some("de_at"), "en", &["de", "en"], Some("de"));
        check(Some("zh-Hans-CN"), "en", &["zh-Hans", "zh"], Some("zh-Hans"));
        check(Some("fr"), "en-GB", &["de", "en"], Some("en"));
        check(Some("fr"), "en-GB", &["de"], None);
        check(Some("nonsense!"), "de", &["de"], Some("de"));
        check(None, "de", &["de"], Some("de"));
    }
}
