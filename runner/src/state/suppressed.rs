//! The suppression list: addresses that get nothing, whoever they belong to and whatever was agreed.

/// An address that nothing is sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppressed {
    pub channel: String,
    /// As it is compared: without blanks around it, an e-mail address in lower case.
    pub address: String,
    pub why: Why,
    /// ms since 1970 UTC.
    pub at: i64,
    /// By which way it came: `smtp`, a webhook's name, `maildir`, `bounce`, `manual`, ….
    pub source: String,
    /// What the other side said: a status code and its words.
    pub detail: Option<String>,
}

/// The numbers are stored: never reuse one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Somebody put it on the list.
    Manual = 1,
    /// There is no such address, or it refused too often.
    Bounced = 2,
    /// Its owner called a message unwanted.
    Complained = 3,
}

impl Why {
    pub const ALL: [Why; 3] = [Why::Manual, Why::Bounced, Why::Complained];

    /// The word used in outputs.
    pub fn word(self) -> &'static str {
        match self {
            Why::Manual => "manual",
            Why::Bounced => "bounced",
            Why::Complained => "complained",
        }
    }

    pub fn from_number(number: i64) -> Option<Why> {
        Why::ALL.into_iter().find(|why| *why as i64 == number)
    }
}

impl Suppressed {
    /// An address as it is compared: e-mail addresses differ by nothing but case for all who deliver to them.
    pub fn normal(channel: &str, address: &str) -> String {
        let address = address.trim();
        if channel == "email" { address.to_lowercase() } else { address.to_owned() }
    }
}
