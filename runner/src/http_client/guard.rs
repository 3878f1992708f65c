//! Which addresses may be called. A URL that is made of data must not lead into the network the runner stands in: to its own machine, to its
//! neighbours, or to the cloud's metadata service.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::url::Host;

/// The hosts on private addresses that may be called all the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guard {
    names: BTreeSet<String>,
    addresses: BTreeSet<IpAddr>,
}

impl Guard {
    /// Names, or addresses (IPv6 with or without brackets). Who lists an address allows URLs with that address, not names that lead there: those
    /// anybody can make.
    pub fn new(private_hosts: &[String]) -> Guard {
        let mut guard = Guard::default();
        for host in private_hosts {
            let host = host.trim().trim_end_matches('.').to_lowercase();
            match host.trim_matches(['[', ']']).parse() {
                Ok(address) => guard.addresses.insert(address),
                Err(_) => guard.names.insert(idna::domain_to_ascii(&host).unwrap_or(host)),
            };
        }
        guard
    }

    /// Whether this address may be connected to for this host.
    pub fn allows(&self, host: &Host, address: IpAddr) -> bool {
        let listed = match host {
            Host::Name(name) => self.names.contains(name),
            Host::Address(address) => self.addresses.contains(address),
        };
        listed || is_public(address)
    }
}

/// Whether an address is one of the public Internet, by the registries of RFC 6890 (IANA: special-purpose addresses).
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, d] = address.octets();
    !matches!(
        (a, b, c, d),
        (0 | 10 | 127 | 224.., ..)          // this network, private, loopback, multicast and reserved
            | (100, 64..=127, ..)           // shared by providers (RFC 6598); one cloud's metadata
            | (169, 254, ..)                // link-local; most clouds' metadata
            | (172, 16..=31, ..)            // private
            | (192, 0, 0 | 2, _)            // protocols, documentation
            | (192, 88, 99, _)              // 6to4 relays
            | (192, 168, ..)                // private
            | (198, 18 | 19, ..)            // benchmarks
            | (198, 51, 100, _)             // documentation
            | (203, 0, 113, _)              // documentation
            | (168, 63, 129, 16) // one cloud's platform, though its address is public
    )
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // IPv4 in IPv6: mapped (RFC 4291 section 2.5.5.2), translated (RFC 2765), behind NAT64 (RFC 6052), 6to4 (RFC 3056).
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            embedded(high, low)
        }
        [0x2002, high, low, ..] => embedded(high, low),
        // Protocols, among them Teredo (RFC 4380); documentation.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // Only this is global unicast (RFC 4291 section 2.4): the rest is local, multicast or nobody's.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(addresses: &[&str], public: bool) {
        for address in addresses {
            assert_eq!(is_public(address.parse().unwrap()), public, "{address}");
        }
    }

    #[test]
    fn only_the_public_internet_is_public() {
        let public = [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
        ];
        check(&public, true);
        let private = [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.100.100.200",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:0:127.0.0.1",
            "64:ff9b::127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:a00:1::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ];
        check(&private, false);
    }

    #[test]
    fn a_listed_host_may_be_private() {
        let listed = ["crm.internal", "LOCALHOST.", "10.0.0.7", "[fd00::7]", "bücher.internal"].map(str::to_owned);
        let guard = Guard::new(&listed);
        let check = |host: &str, address: &str, expected: bool| {
            let host = match host.parse() {
                Ok(address) => Host::Address(address),
                Err(_) => Host::Name(host.to_owned()),
            };
            assert_eq!(guard.allows(&host, address.parse().unwrap()), expected, "{host:?} {address}");
        };
        check("crm.internal", "10.1.2.3", true);
        check("localhost", "127.0.0.1", true);
        check("xn--bcher-kva.internal", "127.0.0.1", true);
        check("10.0.0.7", "10.0.0.7", true);
        check("fd00::7", "fd00::7", true);
        check("10.0.0.8", "10.0.0.8", false);
        // A name that leads to a listed address is not listed.
        check("evil.example", "10.0.0.7", false);
        check("x.crm.internal", "10.1.2.3", false);
        check("evil.example", "8.8.8.8", true);
    }
}
