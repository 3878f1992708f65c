//! What the pages say, in each language they speak.

/// A language of the pages. `{topic}` in a text stands for the title of a topic.
#[derive(Debug, PartialEq, Eq)]
pub struct Texts {
    /// BCP 47.
    pub lang: &'static str,
    pub unsubscribe: &'static str,
    pub which: &'static str,
    pub not_subscribed: &'static str,
    pub from_topic: &'static str,
    pub from_all: &'static str,
    pub unsubscribed: &'static str,
    pub no_more_of_topic: &'static str,
    pub no_more: &'static str,
    pub by_mistake: &'static str,
    pub subscribe_again: &'static str,
    pub again: &'static str,
    pub again_of_topic: &'static str,
    pub choose: &'static str,
    pub preferences: &'static str,
    pub wanted: &'static str,
    pub waits: &'static str,
    pub save: &'static str,
    pub saved: &'static str,
    pub nothing_to_choose: &'static str,
    pub everything: &'static str,
    pub everything_means: &'static str,
    pub confirm: &'static str,
    pub asked_for: &'static str,
    pub yes: &'static str,
    pub do_nothing: &'static str,
    pub confirmed: &'static str,
    pub from_now_on: &'static str,
    pub already: &'static str,
    pub nothing_left: &'static str,
    pub withdrawn: &'static str,
    pub subscribe_there: &'static str,
    pub dead: &'static str,
    pub dead_means: &'static str,
    pub later: &'static str,
    pub later_means: &'static str,
}

const ENGLISH: Texts = Texts {
    lang: "en",
    unsubscribe: "Unsubscribe",
    which: "Which emails do you no longer want?",
    not_subscribed: "At the moment you get no emails about “{topic}”.",
    from_topic: "Unsubscribe from “{topic}”",
    from_all: "Unsubscribe from everything",
    unsubscribed: "You are unsubscribed",
    no_more_of_topic: "You will get no more emails about “{topic}”. There is nothing left to do.",
    no_more: "You will get no more newsletters or offers from us. Emails about your orders or your account may still come.",
    by_mistake: "Was that a mistake?",
    subscribe_again: "Subscribe to “{topic}” again",
    again: "You are subscribed again",
    again_of_topic: "You will go on getting emails about “{topic}”.",
    choose: "Choose which emails you get",
    preferences: "Your email preferences",
    wanted: "Send me emails about",
    waits: "Waits for your confirmation by the email we sent you.",
    save: "Save my choices",
    saved: "Your choices are saved.",
    nothing_to_choose: "There are no topics to choose from at the moment.",
    everything: "No emails at all?",
    everything_means: "This ends every topic above, and those that may come. Emails about your orders or your account may still come.",
    confirm: "Confirm your subscription",
    asked_for: "Somebody, probably you, asked us to send emails about “{topic}” to this address.",
    yes: "Yes, subscribe me to “{topic}”",
    do_nothing: "If that was not you, do nothing: you will not be subscribed.",
    confirmed: "Your subscription is confirmed",
    from_now_on: "From now on you will get emails about “{topic}”.",
    already: "You are subscribed already",
    nothing_left: "You get emails about “{topic}”. There is nothing left to do.",
    withdrawn: "There is nothing to confirm",
    subscribe_there: "The subscription to “{topic}” that this link belongs to is no longer asked for. If you want it after all, you can subscribe here:",
    dead: "This link does not work",
    dead_means: "It is incomplete or no longer valid. Please use the link in our latest email to you; if you copied it, check that all of it was copied.",
    later: "Please try again in a moment",
    later_means: "Nothing could be saved just now. Go back, wait a little, and try again.",
};

const GERMAN: Texts = Texts {
    lang: "de",
    unsubscribe: "Abmelden",
    which: "Welche E-Mails möchten Sie nicht mehr bekommen?",
    not_subscribed: "Zurzeit bekommen Sie keine E-Mails zu „{topic}“.",
    from_topic: "Von „{topic}“ abmelden",
    from_all: "Von allem abmelden",
    unsubscribed: "Sie sind abgemeldet",
    no_more_of_topic: "Sie bekommen keine E-Mails mehr zu „{topic}“. Mehr brauchen Sie nicht zu tun.",
    no_more: "Sie bekommen von uns keine Newsletter und Angebote mehr. E-Mails zu Ihren Bestellungen oder Ihrem Konto können weiterhin kommen.",
    by_mistake: "War das ein Versehen?",
    subscribe_again: "„{topic}“ wieder abonnieren",
    again: "Sie sind wieder angemeldet",
    again_of_topic: "Sie bekommen weiterhin E-Mails zu „{topic}“.",
    choose: "Auswählen, welche E-Mails Sie bekommen",
    preferences: "Ihre E-Mail-Einstellungen",
    wanted: "Ich möchte E-Mails zu",
    waits: "Wartet auf Ihre Bestätigung über die E-Mail, die wir Ihnen geschickt haben.",
    save: "Auswahl speichern",
    saved: "Ihre Auswahl ist gespeichert.",
    nothing_to_choose: "Zurzeit gibt es keine Themen, aus denen Sie wählen könnten.",
    everything: "Gar keine E-Mails?",
    everything_means: "Das beendet alle Themen oben und auch künftige. E-Mails zu Ihren Bestellungen oder Ihrem Konto können weiterhin kommen.",
    confirm: "Anmeldung bestätigen",
    asked_for: "Jemand, vermutlich Sie, hat uns gebeten, E-Mails zu „{topic}“ an diese Adresse zu schicken.",
    yes: "Ja, „{topic}“ abonnieren",
    do_nothing: "Wenn Sie das nicht waren, tun Sie nichts: Dann werden Sie nicht angemeldet.",
    confirmed: "Ihre Anmeldung ist bestätigt",
    from_now_on: "Ab jetzt bekommen Sie E-Mails zu „{topic}“.",
    already: "Sie sind schon angemeldet",
    nothing_left: "Sie bekommen E-Mails zu „{topic}“. Mehr brauchen Sie nicht zu tun.",
    withdrawn: "Es gibt nichts zu bestätigen",
    subscribe_there: "Die Anmeldung zu „{topic}“, zu der dieser Link gehört, wird nicht mehr gewünscht. Wenn Sie sie doch möchten, können Sie sich hier anmelden:",
    dead: "Dieser Link funktioniert nicht",
    dead_means: "Er ist unvollständig oder nicht mehr gültig. Bitte nehmen Sie den Link aus unserer letzten E-Mail an Sie; wenn Sie ihn kopiert haben, prüfen Sie, ob er vollständig ist.",
    later: "Bitte versuchen Sie es gleich noch einmal",
    later_means: "Gerade konnte nichts gespeichert werden. Gehen Sie zurück, warten Sie einen Augenblick und versuchen Sie es noch einmal.",
};

const CHINESE: Texts = Texts {
    lang: "zh-Hans",
    unsubscribe: "退订",
    which: "您不想再收到哪些邮件？",
    not_subscribed: "您目前没有订阅“{topic}”的邮件。",
    from_topic: "退订“{topic}”",
    from_all: "退订全部邮件",
    unsubscribed: "您已退订",
    no_more_of_topic: "您将不会再收到关于“{topic}”的邮件，无需其他操作。",
    no_more: "您将不会再收到我们的资讯和优惠邮件。与您的订单或账户有关的邮件可能仍会发送。",
    by_mistake: "不小心点错了？",
    subscribe_again: "重新订阅“{topic}”",
    again: "您已重新订阅",
    again_of_topic: "您将继续收到关于“{topic}”的邮件。",
    choose: "选择您想收到的邮件",
    preferences: "您的邮件偏好",
    wanted: "我想收到以下邮件",
    waits: "等待您通过我们发送的邮件进行确认。",
    save: "保存选择",
    saved: "您的选择已保存。",
    nothing_to_choose: "目前没有可选择的主题。",
    everything: "不想收到任何邮件？",
    everything_means: "这会退订以上所有主题以及今后新增的主题。与您的订单或账户有关的邮件可能仍会发送。",
    confirm: "确认订阅",
    asked_for: "有人（可能是您本人）请求我们向此邮箱发送关于“{topic}”的邮件。",
    yes: "是的，订阅“{topic}”",
    do_nothing: "如果不是您本人操作，请忽略：您不会被订阅。",
    confirmed: "您的订阅已确认",
    from_now_on: "从现在起，您将收到关于“{topic}”的邮件。",
    already: "您已经订阅",
    nothing_left: "您会收到关于“{topic}”的邮件，无需其他操作。",
    withdrawn: "没有需要确认的订阅",
    subscribe_there: "此链接对应的“{topic}”订阅请求已不再有效。如果您仍想订阅，可以在这里操作：",
    dead: "此链接无法使用",
    dead_means: "链接不完整或已失效。请使用我们最近发给您的邮件中的链接；如果是复制的链接，请检查是否复制完整。",
    later: "请稍后再试",
    later_means: "暂时无法保存。请返回，稍等片刻后再试一次。",
};

/// The first is spoken where none is asked for.
pub const ALL: [&Texts; 3] = [&ENGLISH, &GERMAN, &CHINESE];

/// Scripts and regions in which Chinese is written in the other script.
const TRADITIONAL: [&str; 4] = ["hant", "tw", "hk", "mo"];

/// The texts in a contact's language, else in one that their browser asks for (RFC 9110 section 12.5.4), else in the project's, else in English.
pub fn choose(contact: Option<&str>, accepted: Option<&str>, project: &str) -> &'static Texts {
    let asked = || accepted.and_then(|accepted| ranges(accepted).into_iter().find_map(|range| of(&range)));
    contact.and_then(of).or_else(asked).or_else(|| of(project)).unwrap_or(ALL[0])
}

/// The texts in the language of a locale, if there are any.
pub fn of(locale: &str) -> Option<&'static Texts> {
    let locale = locale.trim().to_ascii_lowercase();
    let mut parts = locale.split(['-', '_']);
    let language = parts.next()?;
    if language == "zh" && parts.any(|part| TRADITIONAL.contains(&part)) {
        return None;
    }
    ALL.into_iter().find(|texts| texts.lang.split('-').next() == Some(language))
}

/// The languages of an Accept-Language, those wanted most first.
fn ranges(accepted: &str) -> Vec<String> {
    let mut ranges: Vec<(f32, String)> = accepted
        .split(',')
        .take(32)
        .filter_map(|range| {
            let (name, quality) = range.split_once(';').unwrap_or((range, "q=1"));
            let quality = quality.trim().strip_prefix("q=")?.parse::<f32>().ok()?;
            (quality > 0.0).then(|| (quality, name.trim().to_owned()))
        })
        .collect();
    ranges.sort_by(|a, b| b.0.total_cmp(&a.0));
    ranges.into_iter().map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(contact: Option<&str>, accepted: Option<&str>, project: &str, expected: &str) {
        assert_eq!(choose(contact, accepted, project).lang, expected);
    }

    #[test]
    fn the_language_that_is_understood_best() {
        check(Some("de-AT"), Some("en"), "en", "de");
        check(Some("zh_CN"), None, "en", "zh-Hans");
        check(Some("zh"), None, "en", "zh-Hans");
        check(Some("zh-Hant-HK"), Some("de"), "en", "de");
        check(Some("zh-TW"), None, "en", "en");
        check(Some("fr"), Some("fr-CH, fr;q=0.9, de;q=0.7, en;q=0.8, *;q=0.5"), "zh", "en");
        check(None, Some("en;q=0, de;q=nonsense, zh-SG"), "de", "zh-Hans");
        check(None, Some("de;q=0.1"), "en", "de");
        check(None, Some("en;q=0, fr"), "de", "de");
        check(None, Some(""), "de-DE", "de");
        check(Some(""), None, "fr", "en");
        check(Some("den"), None, "xx", "en");
    }

    /// Whatever speaks of a topic in one language does so in all.
    #[test]
    fn every_language_says_the_same() {
        for texts in ALL {
            let topics = [
                texts.not_subscribed,
                texts.from_topic,
                texts.no_more_of_topic,
                texts.subscribe_again,
                texts.again_of_topic,
                texts.asked_for,
                texts.yes,
                texts.from_now_on,
                texts.nothing_left,
                texts.subscribe_there,
            ];
            assert!(topics.iter().all(|text| text.matches("{topic}").count() == 1), "{}", texts.lang);
            let shown = format!("{texts:?}");
            assert_eq!(shown.matches("{topic}").count(), topics.len(), "{}", texts.lang);
            assert!(!shown.contains("\"\""), "{}", texts.lang);
            assert!(!shown.contains(['<', '&']), "{}", texts.lang);
        }
    }
}
