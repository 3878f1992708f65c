//! Addresses to call, read strictly: whatever two readers could take for two different hosts is refused.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// RFC 9110 section 4.1 recommends to take at least 8000.
const LONGEST: usize = 8192;

/// What is wrong with an address. No text repeats any of it: it may hold a secret, or a contact's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    #[error("the address to call does not begin with https:// or http://")]
    Scheme,
    #[error("the address to call names a user or has an @ before its host: put credentials into an Authorization header")]
    Credentials,
    #[error("the host of the address to call is no host name and no address")]
    Host,
    #[error("the port of the address to call is no number from 1 to 65535")]
    Port,
    #[error("the address to call has blanks, control characters or backslashes in it: they must be percent-encoded")]
    Characters,
    #[error("the address to call is longer than {LONGEST} characters")]
    Long,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    /// In lower case and punycode, without a dot at its end.
    Name(String),
    Address(IpAddr),
}

/// Where a connection leads.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// https
    pub secure: bool,
    pub host: Host,
    pub port: u16,
}

/// An address to call: `http` or `https`, without credentials. Its `Debug` hides what is behind the host.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    pub origin: Origin,
    /// Path and query, in ASCII.
    pub target: String,
}

impl std::fmt::Debug for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Url({:?}, …)", self.origin)
    }
}

impl Origin {
    /// The Host header's value (RFC 9110 section 7.2).
    pub fn authority(&self) -> String {
        let host = match &self.host {
            Host::Name(name) => name.clone(),
            Host::Address(IpAddr::V4(address)) => address.to_string(),
            Host::Address(IpAddr::V6(address)) => format!("[{address}]"),
        };
        match (self.secure, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }
}

impl Url {
    /// Reads an address. A fragment is dropped; other characters than ASCII are percent-encoded.
    ///
    /// # Errors
    /// Whatever is no such address.
    pub fn parse(text: &str) -> Result<Url, UrlError> {
        if text.len() > LONGEST {
            return Err(UrlError::Long);
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
            return Err(UrlError::Characters);
        }
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::Scheme)?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(UrlError::Scheme),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, behind) = rest.split_at(end);
        if authority.contains('@') {
            return Err(UrlError::Credentials);
        }
        let (host, port) = host_and_port(authority)?;
        let port = port.unwrap_or(if secure { 443 } else { 80 });
        Ok(Url { origin: Origin { secure, host, port }, target: target(behind) })
    }
}

/// Path and query: `/` where there is no path.
fn target(behind: &str) -> String {
    let behind = behind.split('#').next().unwrap_or_default();
    let mut target = String::with_capacity(behind.len() + 1);
    if !behind.starts_with('/') {
        target.push('/');
    }
    for byte in behind.bytes() {
        match byte {
            // What a request line cannot hold, and what browsers encode as well (WHATWG URL, query percent-encode set).
            b'"' | b'<' | b'>' | b'`' | b'{' | b'}' | b'^' | b'|' | 0x80.. => {
                // Writing to a text cannot fail.
                let _ = write!(target, "%{byte:02X}");
            }
            byte => target.push(char::from(byte)),
        }
    }
    target
}

fn host_and_port(authority: &str) -> Result<(Host, Option<u16>), UrlError> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or(UrlError::Host)?;
            let address: Ipv6Addr = host.parse().map_err(|_| UrlError::Host)?;
            let port = match rest.strip_prefix(':') {
                None if !rest.is_empty() => return Err(UrlError::Host),
                port => port,
            };
            (Host::Address(IpAddr::V6(address)), port)
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (named(host)?, Some(port)),
            None => (named(authority)?, None),
        },
    };
    let port = port.map(|port| match port.parse::<u16>() {
        Ok(number) if number > 0 && port.bytes().all(|byte| byte.is_ascii_digit()) => Ok(number),
        _ => Err(UrlError::Port),
    });
    Ok((host, port.transpose()?))
}

/// A name, or four numbers. What ends in a number and is not that (`127.1`, `0x7f.0.0.1`, `2130706433`) is an address to some readers and a name
/// to others (WHATWG URL, section 3.5).
fn named(host: &str) -> Result<Host, UrlError> {
    let host = idna::domain_to_ascii_strict(host.strip_suffix('.').unwrap_or(host)).map_err(|_| UrlError::Host)?;
    let last = host.rsplit('.').next().unwrap_or_default();
    let hexadecimal = last.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if hexadecimal || last.bytes().all(|byte| byte.is_ascii_digit()) {
        let address: Ipv4Addr = host.parse().map_err(|_| UrlError::Host)?;
        return Ok(Host::Address(IpAddr::V4(address)));
    }
    Ok(Host::Name(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<(&str, bool, u16, &str), UrlError>) {
        let found = Url::parse(text);
        let authority = |url: &Url| Origin { port: 80, secure: false, ..url.origin.clone() }.authority();
        let found = found.as_ref().map_err(|error| *error);
        let found = found.map(|url| (authority(url), url.origin.secure, url.origin.port, url.target.as_str()));
        let expected = expected.map(|(host, secure, port, target)| (host.to_owned(), secure, port, target));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn an_address_says_where() {
        check("https://sms.example/messages?x=1", Ok(("sms.example", true, 443, "/messages?x=1")));
        check("HTTP://SMS.Example.:8080", Ok(("sms.example", false, 8080, "/")));
        check("https://bücher.example?q=ü#top", Ok(("xn--bcher-kva.example", true, 443, "/?q=%C3%BC")));
        check("http://127.0.0.1:1/", Ok(("127.0.0.1", false, 1, "/")));
        check("http://[::ffff:127.0.0.1]:81/x", Ok(("[::ffff:127.0.0.1]", false, 81, "/x")));
        check("http://localhost./", Ok(("localhost", false, 80, "/")));
        check("http://1.2.3.4./", Ok(("1.2.3.4", false, 80, "/")));
        check("http://0.0.0.0/", Ok(("0.0.0.0", false, 80, "/")));
        check("http://x.example/a@b:c//d?u=http://y", Ok(("x.example", false, 80, "/a@b:c//d?u=http://y")));
        check("http://x.example/\"<{}>\"", Ok(("x.example", false, 80, "/%22%3C%7B%7D%3E%22")));
        // Numbers in other scripts are numbers.
        check("http://①②⑦.⓪.⓪.①/", Ok(("127.0.0.1", false, 80, "/")));
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for text in
            ["", "x.example", "//x.example", "ftp://x.example", "file:///etc/passwd", "javascript:alert(1)", "gopher://x/"]
        {
            check(text, Err(UrlError::Scheme));
        }
        for text in
            ["https://u:p@x.example", "https://good.example@evil.example/", "http://x.example:80@127.0.0.1/", "http://@x/"]
        {
            check(text, Err(UrlError::Credentials));
        }
        for text in
            ["http://x.example\\@127.0.0.1", "http://x example", "http://x.example/a b", "http://x/\r\nHost: y", "http://x\t.y"]
        {
            check(text, Err(UrlError::Characters));
        }
        for host in [
            "",
            ".",
            "2130706433",
            "0x7f000001",
            "0x7f.0.0.1",
            "017700000001",
            "0177.0.0.1",
            "127.1",
            "127.0.0.1.1",
            "1.2.3",
            "256.1.1.1",
            "x.0x7f",
            "x.1",
            "[::1",
            "[::1]x",
            "[127.0.0.1]",
            "[::1%25eth0]",
            "x%2e.example",
            "x..y",
            "-x.example",
            "a_b.example",
        ] {
            check(&format!("http://{host}/"), Err(UrlError::Host));
        }
        for port in ["0", "65536", "", "x", "+80", "80:80", " 80"] {
            let expected = if port == " 80" { UrlError::Characters } else { UrlError::Port };
            check(&format!("http://x.example:{port}/"), Err(expected));
        }
        check(&format!("http://x.example/{}", "x".repeat(LONGEST)), Err(UrlError::Long));
    }
}
