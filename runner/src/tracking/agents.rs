//! Which programs are known to open mails and follow links by themselves, by what they call themselves.

/// Apple's Mail Privacy Protection fetches every image of every mail under exactly this name.
const APPLE: &str = "Mozilla/5.0";

/// Parts of names, in lower case. Mail providers' proxies, scanners of links in mails, programs that show previews, search engines. Nobody is a machine
/// for being unknown: people use odd programs.
const KNOWN: [&str; 44] = [
    "ahrefsbot",
    "applebot",
    "baiduspider",
    "barracuda",
    "bingbot",
    "bingpreview",
    "bytespider",
    "checkpoint url",
    "cisco-ironport",
    "cloudmark",
    "crawler",
    "discordbot",
    "duckduckbot",
    "facebookexternalhit",
    "fireeye",
    "forcepoint",
    "google-safety",
    "google-read-aloud",
    "googlebot",
    "googleimageproxy",
    "ironport",
    "linkedinbot",
    "mailscanner",
    "mimecast",
    "mj12bot",
    "msnbot",
    "petalbot",
    "phishtank",
    "proofpoint",
    "safelinks",
    "semrushbot",
    "skypeuripreview",
    "slack-imgproxy",
    "slackbot",
    "sophos",
    "symantec",
    "telegrambot",
    "trendmicro",
    "twitterbot",
    "urlscan",
    "virustotal",
    "yahoomailproxy",
    "yandexbot",
    "zscaler",
];

/// Whether this is the name of such a program.
pub fn is_machine(user_agent: Option<&str>) -> bool {
    user_agent.is_some_and(|agent| {
        let lower = agent.to_ascii_lowercase();
        agent.trim() == APPLE || KNOWN.iter().any(|known| lower.contains(known))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_by_name_and_nobody_else() {
        for machine in [
            "Mozilla/5.0",
            "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
            "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
            "BarracudaCentral",
        ] {
            assert!(is_machine(Some(machine)), "{machine}");
        }
        for person in [
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
            "Mozilla/5.0 (Linux; Android 10; CUBOT NOTE 20 Build/QP1A) AppleWebKit/537.36",
            "curl/8.5.0",
            "python-requests/2.32",
            "Python-urllib/3.11",
            "",
        ] {
            assert!(!is_machine(Some(person)), "{person}");
        }
        assert!(!is_machine(None));
        assert!(KNOWN.iter().all(|known| *known == known.to_ascii_lowercase()));
    }
}
