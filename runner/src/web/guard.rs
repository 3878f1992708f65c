//! Who may: with write keys set, whoever has one; without, only programs of this machine, and no web page that somebody looks at on it.

use std::net::{IpAddr, SocketAddr};

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::problem::Problem;
use super::rules::Keys;
use super::{Pages, body};

/// Lets a request pass, or answers it.
pub async fn admit(
    State(pages): State<Pages>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    let refused = may(&pages.rules.load().keys, peer.ip(), request.uri(), request.headers());
    match refused {
        Ok(()) => next.run(request).await,
        Err(problem) => {
            let unread = std::mem::replace(request.body_mut(), Body::empty());
            body::swallow(request.headers(), unread).await;
            problem.into_response()
        }
    }
}

/// # Errors
/// 401 where a key is needed, 403 where without keys somebody else than this machine asks.
pub(super) fn may(keys: &Keys, peer: IpAddr, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    if !keys.none() {
        return match key(headers) {
            Some(key) if keys.know(&key) => Ok(()),
            Some(_) => Err(unauthorized("this is no write key of this project")),
            None => Err(unauthorized("a write key is needed: as the user name of Basic authentication, or as a Bearer token")),
        };
    }
    if !peer.to_canonical().is_loopback() {
        return Err(forbidden("without write keys (`http.keys` in the settings) only this machine itself is answered"));
    }
    // A web page elsewhere can make a browser on this machine send requests here, and under a name of its own, too (DNS rebinding).
    let host = headers.get(header::HOST).map(|host| host.to_str().unwrap_or_default());
    let local = host.is_some_and(is_local) && uri.host().is_none_or(is_local);
    if !local {
        return Err(forbidden("without write keys (`http.keys` in the settings) the host must be localhost or 127.0.0.1"));
    }
    match headers.get(header::ORIGIN) {
        Some(origin) if !origin.to_str().is_ok_and(is_local_origin) => {
            Err(forbidden("without write keys (`http.keys` in the settings) web pages of other hosts are not answered"))
        }
        _ => Ok(()),
    }
}

/// What the request gives as a key (RFC 7617, RFC 6750 section 2.1).
fn key(headers: &HeaderMap) -> Option<Vec<u8>> {
    let given = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = given.split_once(' ')?;
    let credentials = credentials.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(credentials.as_bytes().to_vec());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let mut pair = STANDARD.decode(credentials).ok()?;
    let user = pair.iter().position(|byte| *byte == b':')?;
    pair.truncate(user);
    Some(pair)
}

/// A host, perhaps with a port, that leads to this machine from everywhere on it.
fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.rsplit_once(':').filter(|(name, _)| !name.contains(':')).map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

fn is_local_origin(origin: &str) -> bool {
    origin.split_once("://").is_some_and(|(_, host)| is_local(host))
}

fn unauthorized(message: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
}

fn forbidden(message: &str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "forbidden", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `headers` are `Name: value`; the answer is a status, 200 for passing.
    #[track_caller]
    fn check(keys: &[&str], peer: &str, headers: &[&str], expected: u16) {
        let keys = Keys::new(&keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>());
        let mut map = HeaderMap::new();
        for header in headers {
            let (name, value) = header.split_once(": ").unwrap();
            map.insert(header::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        let answer = may(&keys, peer.parse().unwrap(), &Uri::from_static("/v1/track"), &map);
        assert_eq!(answer.map_or_else(|problem| problem.status.as_u16(), |()| 200), expected, "{headers:?}");
    }

    fn basic(user: &str, password: &str) -> String {
        format!("Authorization: Basic {}", STANDARD.encode(format!("{user}:{password}")))
    }

    #[test]
    fn with_keys_whoever_has_one_may() {
        let keys = ["first", "second: with colon"];
        let keyed = |header: &str, expected| check(&keys, "203.0.113.7", &[header, "Host: shop.example"], expected);
        keyed(&basic("first", ""), 200);
        keyed("Authorization: Bearer first", 200);
        keyed("Authorization: bearer second: with colon", 200);
        keyed("authorization: bAsIc Zmlyc3Q6", 200);
        for wrong in [
            &basic("firs", ""),
            &basic("first2", ""),
            &basic("", "first"),
            "Authorization: Bearer",
            "Authorization: Bearer ",
            "Authorization: Basic",
            "Authorization: Basic Zmlyc3Q",
            "Authorization: Digest first",
            "Authorization: first",
            "X-Other: first",
        ] {
            keyed(wrong, 401);
        }
        // Being of this machine is no key.
        check(&keys, "127.0.0.1", &["Host: localhost"], 401);
    }

    #[test]
    fn without_keys_only_programs_of_this_machine_may() {
        for host in ["localhost", "LocalHost:8420", "127.0.0.1:8420", "127.8.8.8", "[::1]:8420", "[::1]", "[::ffff:127.0.0.1]"] {
            check(&[], "127.0.0.1", &[&format!("Host: {host}")], 200);
        }
        check(&[], "::1", &["Host: localhost"], 200);
        check(&[], "::ffff:127.0.0.1", &["Host: localhost", "Origin: http://localhost:3000"], 200);
        check(&[], "192.0.2.1", &["Host: localhost"], 403);
        check(&[], "::ffff:192.0.2.1", &["Host: localhost"], 403);
        for host in
            ["shop.example", "localhost.shop.example", "127.0.0.1.shop.example", "192.168.0.1", "", "[::2]", "shop.example:80:80"]
        {
            check(&[], "127.0.0.1", &[&format!("Host: {host}")], 403);
        }
        check(&[], "127.0.0.1", &["X-Other: x"], 403);
        for origin in ["https://shop.example", "null", "https://localhost.shop.example", "localhost"] {
            check(&[], "127.0.0.1", &["Host: localhost", &format!("Origin: {origin}")], 403);
        }
    }
}
