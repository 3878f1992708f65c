//! The address of a mail server as the settings write it:
//! `smtp://[user:password@]host[:port][?tls=required|opportunistic|none][&ca=/path.pem]`, or `smtps://` for TLS from the start.

use std::net::IpAddr;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS before the first byte (RFC 8314): `smtps://`.
    Implicit,
    /// STARTTLS (RFC 3207), or no mail at all.
    Required,
    /// STARTTLS when the server offers it. Once offered it must succeed: a certificate that does not hold is not passed over.
    Opportunistic,
    /// In the clear.
    None,
}

/// A mail server. Its `Debug` and `Display` show neither user nor password.
#[derive(Clone, PartialEq, Eq)]
pub struct SmtpUrl {
    /// A name or an IP address, without brackets.
    pub host: String,
    pub port: u16,
    pub security: Security,
    /// User and password.
    pub credentials: Option<(String, String)>,
    /// A PEM file of certificate authorities to trust beside the system's.
    pub ca: Option<PathBuf>,
}

/// What is wrong with an SMTP address. No text repeats any of it but the scheme, the port and the names of parameters: the rest
/// may be a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SmtpUrlError {
    #[error("a mail server's address begins with smtp:// or smtps://")]
    Scheme,
    #[error(
        "the mail server's address has no host: write smtp://host:port (a reserved character in a password is percent-encoded)"
    )]
    NoHost,
    #[error("the mail server's host has characters no host has: write smtp://host:port (in a query, @ is written %40)")]
    Host,
    #[error("the mail server's port is not a number from 1 to 65535")]
    Port,
    #[error("the mail server's address names a user without a password: write smtp://user:password@host")]
    NoPassword,
    #[error("the mail server's user or password is not UTF-8 after percent-decoding, or has control characters")]
    Credentials,
    #[error("the mail server's address has a path, which means nothing to SMTP")]
    Path,
    #[error("a parameter of the mail server's address is unknown: `tls` and `ca` are the ones there are")]
    Parameter,
    #[error("the mail server's `tls` must be required, opportunistic or none")]
    Tls,
    #[error("smtps:// is TLS from the start, `tls` may only be required there: use smtp:// for STARTTLS or none")]
    TlsOfSmtps,
    #[error("the mail server's `ca` must name a PEM file")]
    Ca,
}

impl SmtpUrl {
    /// Reads an address whose `${…}` have been put in. User and password are percent-decoded; the last `@` ends them, so that
    /// of the reserved characters only `%` has to be encoded in a password.
    ///
    /// Defaults: port 25, or 465 for `smtps`; for `smtp` no TLS to this machine, STARTTLS required when there is a password to protect, else
    /// taken when offered.
    pub fn parse(text: &str) -> Result<SmtpUrl, SmtpUrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(SmtpUrlError::Scheme)?;
        let implicit = match scheme.to_ascii_lowercase().as_str() {
            "smtp" => false,
            "smtps" => true,
            _ => return Err(SmtpUrlError::Scheme),
        };
        let (credentials, rest) = match rest.rsplit_once('@') {
            Some((user_info, rest)) => (Some(credentials(user_info)?), rest),
            None => (None, rest),
        };
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = place.split_once('/').unwrap_or((place, ""));
        if !path.is_empty() {
            return Err(SmtpUrlError::Path);
        }
        let (host, port) = host_and_port(authority)?;
        let (tls, ca) = parameters(query)?;
        let security = match (implicit, tls) {
            (true, None | Some(Security::Required)) => Security::Implicit,
            (true, Some(_)) => return Err(SmtpUrlError::TlsOfSmtps),
            (false, Some(tls)) => tls,
            // What stays on this machine needs no protection, and its mail server's certificate is seldom one to check.
            (false, None) if is_loopback(&host) => Security::None,
            (false, None) if credentials.is_some() => Security::Required,
            (false, None) => Security::Opportunistic,
        };
        let port = port.unwrap_or(if implicit { 465 } else { 25 });
        Ok(SmtpUrl { host, port, security, credentials, ca })
    }
}

impl std::fmt::Display for SmtpUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = if self.security == Security::Implicit { "smtps" } else { "smtp" };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

impl std::fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmtpUrl")
            .field("server", &self.to_string())
            .field("security", &self.security)
            .field("credentials", &self.credentials.as_ref().map(|_| "…"))
            .field("ca", &self.ca)
            .finish()
    }
}

fn credentials(user_info: &str) -> Result<(String, String), SmtpUrlError> {
    let (user, password) = user_info.split_once(':').ok_or(SmtpUrlError::NoPassword)?;
    let decoded = |text: &str| {
        let text = percent_decode_str(text).decode_utf8().map_err(|_| SmtpUrlError::Credentials)?;
        match text.chars().any(char::is_control) {
            true => Err(SmtpUrlError::Credentials),
            false => Ok(text.into_owned()),
        }
    };
    match (decoded(user)?, decoded(password)?) {
        (user, password) if user.is_empty() || password.is_empty() => Err(SmtpUrlError::NoPassword),
        both => Ok(both),
    }
}

fn host_and_port(authority: &str) -> Result<(String, Option<u16>), SmtpUrlError> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or(SmtpUrlError::Host)?;
            host.parse::<std::net::Ipv6Addr>().map_err(|_| SmtpUrlError::Host)?;
            match rest.strip_prefix(':') {
                None if !rest.is_empty() => return Err(SmtpUrlError::Host),
                port => (host.to_owned(), port),
            }
        }
        None => {
            let (host, port) = match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            };
            if host.is_empty() {
                return Err(SmtpUrlError::NoHost);
            }
            (idna::domain_to_ascii_strict(host).map_err(|_| SmtpUrlError::Host)?, port)
        }
    };
    let port = port.map(|port| match port.parse::<u16>() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(SmtpUrlError::Port),
    });
    Ok((host, port.transpose()?))
}

fn parameters(query: &str) -> Result<(Option<Security>, Option<PathBuf>), SmtpUrlError> {
    let (mut tls, mut ca) = (None, None);
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        match parameter.split_once('=') {
            Some(("tls", "required")) => tls = Some(Security::Required),
            Some(("tls", "opportunistic")) => tls = Some(Security::Opportunistic),
            Some(("tls", "none")) => tls = Some(Security::None),
            Some(("tls", _)) => return Err(SmtpUrlError::Tls),
            Some(("ca", path)) => {
                let path = percent_decode_str(path).decode_utf8().map_err(|_| SmtpUrlError::Ca)?;
                if path.is_empty() {
                    return Err(SmtpUrlError::Ca);
                }
                ca = Some(PathBuf::from(path.into_owned()));
            }
            _ => return Err(SmtpUrlError::Parameter),
        }
    }
    Ok((tls, ca))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Host, port, security, user and password.
    type Parts<'a> = (&'a str, u16, Security, Option<(&'a str, &'a str)>);

    fn check(text: &str, expected: Result<Parts, SmtpUrlError>) {
        let found = SmtpUrl::parse(text);
        let found = found.as_ref().map_err(Clone::clone).map(|url| {
            let credentials = url.credentials.as_ref();
            (url.host.as_str(), url.port, url.security, credentials.map(|(user, password)| (user.as_str(), password.as_str())))
        });
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn an_address_says_where_and_how() {
        use Security::{Implicit, None as Clear, Opportunistic, Required};
        check("smtp://127.0.0.1:1025", Ok(("127.0.0.1", 1025, Clear, None)));
        check("smtp://mail.example", Ok(("mail.example", 25, Opportunistic, None)));
        check("smtp://mail.example/", Ok(("mail.example", 25, Opportunistic, None)));
        check("SMTP://Mail.Example:2525", Ok(("mail.example", 2525, Opportunistic, None)));
        check("smtp://mail.example?tls=required", Ok(("mail.example", 25, Required, None)));
        check("smtp://mail.example:26?tls=none", Ok(("mail.example", 26, Clear, None)));
        check("smtp://u:p@mail.example:587", Ok(("mail.example", 587, Required, Some(("u", "p")))));
        check("smtp://u:p@localhost:587", Ok(("localhost", 587, Clear, Some(("u", "p")))));
        check("smtp://u:p@[::1]:587", Ok(("::1", 587, Clear, Some(("u", "p")))));
        check("smtp://u:p@m.example?tls=opportunistic", Ok(("m.example", 25, Opportunistic, Some(("u", "p")))));
        check("smtps://u:p@m.example", Ok(("m.example", 465, Implicit, Some(("u", "p")))));
        check("smtps://u%40x.de:p%3A%2f%25@m.example", Ok(("m.example", 465, Implicit, Some(("u@x.de", "p:/%")))));
        check("smtps://u:a@b:c/d?e#f@m.example", Ok(("m.example", 465, Implicit, Some(("u", "a@b:c/d?e#f")))));
        check("smtp://bücher.example", Ok(("xn--bcher-kva.example", 25, Opportunistic, None)));
        let url = SmtpUrl::parse("smtp://m.example?ca=/etc/ssl/my%20ca.pem&tls=required").unwrap();
        assert_eq!(url.ca, Some(PathBuf::from("/etc/ssl/my ca.pem")));
    }

    #[test]
    fn a_wrong_address_is_named_and_never_repeated() {
        for (text, error) in [
            ("secret", SmtpUrlError::Scheme),
            ("http://u:secret@m.example", SmtpUrlError::Scheme),
            ("smtp://", SmtpUrlError::NoHost),
            ("smtp://u:secret@", SmtpUrlError::NoHost),
            ("smtp://:25", SmtpUrlError::NoHost),
            ("smtp://secret@m.example", SmtpUrlError::NoPassword),
            ("smtp://:secret@m.example", SmtpUrlError::NoPassword),
            ("smtp://u:%ffsecret@m.example", SmtpUrlError::Credentials),
            ("smtp://u:secret%0d%0aRSET@m.example", SmtpUrlError::Credentials),
            ("smtp://u:secret@m.example:0", SmtpUrlError::Port),
            ("smtp://u:secret@m.example:99999", SmtpUrlError::Port),
            ("smtp://u:secret@m.example:", SmtpUrlError::Port),
            ("smtp://u:secret@m exa.mple", SmtpUrlError::Host),
            ("smtp://u:secret@[::1", SmtpUrlError::Host),
            ("smtp://u:secret@[::1]x", SmtpUrlError::Host),
            ("smtp://u:secret@m.example/x", SmtpUrlError::Path),
            ("smtp://u:secret@m.example?secret=1", SmtpUrlError::Parameter),
            ("smtp://u:secret@m.example?tls=secret", SmtpUrlError::Tls),
            ("smtps://u:secret@m.example?tls=none", SmtpUrlError::TlsOfSmtps),
            ("smtp://u:secret@m.example?ca=", SmtpUrlError::Ca),
        ] {
            check(text, Err(error.clone()));
            assert!(!error.to_string().contains("secret"));
        }
    }

    #[test]
    fn shown_it_has_no_password() {
        let url = SmtpUrl::parse("smtps://me:secret@[::1]:25?ca=x.pem").unwrap();
        assert_eq!(url.to_string(), "smtps://[::1]:25");
        assert!(!format!("{url:?}").contains("secret") && !format!("{url:?}").contains("me:"));
    }
}
