//! `allowed_outbound_hosts`: which hosts a component may call, in Spin's syntax.
//!
//! An entry is `scheme://host[:port]`, with `*` for any scheme, host or port, `*.example.org` for the hosts below a
//! domain, an address block (`http://10.0.0.0/8`), or `self` for the application itself.

use http::Uri;
use std::net::IpAddr;

/// The host part of calls between components: `<component>.spin.internal`.
const INTERNAL_DOMAIN: &str = "spin.internal";

/// All that one component may call.
#[derive(Debug, Clone, Default)]
pub struct AllowedHosts {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    scheme: Option<String>,
    host: Host,
    ports: Ports,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Any,
    Below(String),
    Itself,
    Name(String),
    Block(IpAddr, u8),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Ports {
    Any,
    /// From the first to before the second.
    Range(u16, u16),
    One(u16),
}

/// Where an outgoing request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The application itself, by its routes.
    Itself,
    /// A component of the application.
    Component(String),
    /// The network.
    Network,
}

impl AllowedHosts {
    /// Parses the entries; the error is a sentence for a person.
    pub fn parse<S: AsRef<str>>(entries: impl IntoIterator<Item = S>) -> Result<Self, String> {
        let entries = entries.into_iter().map(|entry| Entry::parse(entry.as_ref())).collect::<Result<_, _>>()?;
        Ok(Self { entries })
    }

    /// The components of the application that entries name one by one.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter_map(|entry| match &entry.host {
            Host::Name(name) => internal_component(name),
            _ => None,
        })
    }

    /// Where a request goes, or none if it may not go there.
    pub fn check(&self, uri: &Uri) -> Option<Target> {
        let host = uri.host().unwrap_or_default();
        let scheme = uri.scheme_str().unwrap_or("http");
        if host.is_empty() || host == "self" || host == "self.alt" {
            let allowed = self.entries.iter().any(|entry| {
                matches!(entry.host, Host::Any | Host::Itself)
                    && entry.scheme.as_deref().is_none_or(|scheme| matches!(scheme, "http" | "https"))
            });
            return allowed.then_some(Target::Itself);
        }
        let port = uri.port_u16().or_else(|| known_port(scheme))?;
        if !self.entries.iter().any(|entry| entry.allows(scheme, host, port)) {
            return None;
        }
        Some(match internal_component(host) {
            Some(component) => Target::Component(component.to_owned()),
            None => Target::Network,
        })
    }
}

fn internal_component(host: &str) -> Option<&str> {
    let (component, domain) = host.split_once('.')?;
    (domain.eq_ignore_ascii_case(INTERNAL_DOMAIN) && component != "*").then_some(component)
}

impl Entry {
    fn parse(text: &str) -> Result<Self, String> {
        let entry = text.trim();
        let Some((scheme, rest)) = entry.split_once("://") else {
            return Err(format!("{text:?} has no scheme; an entry is scheme://host[:port], e.g. https://example.org"));
        };
        if scheme != "*" && (scheme.is_empty() || !scheme.chars().all(|c| c.is_ascii_alphabetic())) {
            return Err(format!("{text:?}: {scheme:?} is no scheme"));
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        // An address block has a slash of its own, and an IPv6 address colons.
        if let Some((host, ports)) =
            parse_block(rest, scheme).transpose().map_err(|reason| format!("{text:?}: {reason}"))?
        {
            return Ok(Self { scheme: scheme_of(scheme), host, ports });
        }
        let (host, port) = rest.rsplit_once(':').map_or((rest, None), |(host, port)| (host, Some(port)));
        if host.contains('/') || port.is_some_and(|port| port.contains('/')) {
            return Err(format!("{text:?} has a path, which an entry cannot have"));
        }
        let ports = Ports::parse(port, scheme).map_err(|reason| format!("{text:?}: {reason}"))?;
        let host = match host {
            "" => return Err(format!("{text:?} has no host")),
            "*" => Host::Any,
            "self" | "self.alt" => Host::Itself,
            _ => match host.strip_prefix("*.") {
                Some(domain) if !domain.contains('*') => Host::Below(format!(".{domain}")),
                _ if host.contains('*') => {
                    return Err(format!("{text:?}: `*` may stand for the whole host or its first part only"));
                }
                _ => Host::Name(host.to_ascii_lowercase()),
            },
        };
        Ok(Self { scheme: scheme_of(scheme), host, ports })
    }

    fn allows(&self, scheme: &str, host: &str, port: u16) -> bool {
        let host = host.to_ascii_lowercase();
        self.scheme.as_deref().is_none_or(|allowed| allowed == scheme)
            && match &self.host {
                Host::Any => true,
                Host::Below(domain) => host.ends_with(domain.as_str()),
                Host::Itself => false,
                Host::Name(name) => *name == host,
                Host::Block(block, bits) => {
                    host.trim_matches(['[', ']']).parse().is_ok_and(|address| in_block(*block, *bits, address))
                }
            }
            && match self.ports {
                Ports::Any => true,
                Ports::Range(from, to) => (from..to).contains(&port),
                Ports::One(only) => only == port,
            }
    }
}

fn scheme_of(scheme: &str) -> Option<String> {
    (scheme != "*").then(|| scheme.to_owned())
}

impl Ports {
    fn parse(port: Option<&str>, scheme: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse::<u16>().map_err(|_| format!("{text:?} is no port"));
        match port {
            None | Some("") => {
                known_port(scheme).map(Self::One).ok_or_else(|| format!("scheme {scheme:?} needs a port"))
            }
            Some("*") => Ok(Self::Any),
            Some(port) => match port.split_once("..") {
                Some((from, to)) => Ok(Self::Range(number(from)?, number(to)?)),
                None => number(port).map(Self::One),
            },
        }
    }
}

/// `10.0.0.0/8[:port]` or `[fd00::]/8[:port]` or a bare address with a port.
fn parse_block(rest: &str, scheme: &str) -> Option<Result<(Host, Ports), String>> {
    let (address, rest) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => rest.find(['/', ':']).map_or((rest, ""), |at| rest.split_at(at)),
    };
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let (bits, port) = match rest.strip_prefix('/') {
        Some(rest) => rest.split_once(':').map_or((rest, None), |(bits, port)| (bits, Some(port))),
        None => ("", rest.strip_prefix(':')),
    };
    let bits = match bits {
        "" => Ok(most),
        text => text.parse().ok().filter(|bits| *bits <= most).ok_or_else(|| format!("{text:?} is no prefix length")),
    };
    Some(bits.and_then(|bits| Ok((Host::Block(address, bits), Ports::parse(port, scheme)?))))
}

fn in_block(block: IpAddr, bits: u8, address: IpAddr) -> bool {
    let shift = |width: u32| width.saturating_sub(u32::from(bits));
    match (block, address) {
        (IpAddr::V4(block), IpAddr::V4(address)) => {
            let cut = |ip: std::net::Ipv4Addr| ip.to_bits().checked_shr(shift(32)).unwrap_or(0);
            cut(block) == cut(address)
        }
        (IpAddr::V6(block), IpAddr::V6(address)) => {
            let cut = |ip: std::net::Ipv6Addr| ip.to_bits().checked_shr(shift(128)).unwrap_or(0);
            cut(block) == cut(address)
        }
        _ => false,
    }
}

fn known_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        "redis" => Some(6379),
        "postgres" => Some(5432),
        "mysql" => Some(3306),
        "mqtt" => Some(1883),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(entries: &[&str], uri: &str) -> Option<Target> {
        AllowedHosts::parse(entries).unwrap().check(&uri.parse().unwrap())
    }

    #[test]
    fn nothing_is_allowed_without_an_entry() {
        assert_eq!(check(&[], "http://example.org/"), None);
        assert_eq!(check(&[], "http://a.spin.internal/"), None);
        assert_eq!(check(&[], "http://self/x"), None);
    }

    #[test]
    fn scheme_host_and_port_must_all_fit() {
        let allowed = ["https://example.org", "http://127.0.0.1:9000", "http://ports.test:8000..8010"];
        assert_eq!(check(&allowed, "https://example.org/x"), Some(Target::Network));
        assert_eq!(check(&allowed, "https://EXAMPLE.org:443/x"), Some(Target::Network));
        for refused in ["http://example.org/", "https://example.org:444/", "https://sub.example.org/"] {
            assert_eq!(check(&allowed, refused), None, "{refused}");
        }
        assert_eq!(check(&allowed, "http://127.0.0.1:9000/bucket"), Some(Target::Network));
        assert_eq!(check(&allowed, "http://127.0.0.1/bucket"), None);
        assert_eq!(check(&allowed, "http://ports.test:8009/"), Some(Target::Network));
        assert_eq!(check(&allowed, "http://ports.test:8010/"), None);
    }

    #[test]
    fn wildcards() {
        assert_eq!(check(&["https://*"], "https://any.example.org/"), Some(Target::Network));
        assert_eq!(check(&["https://*"], "http://any.example.org/"), None);
        assert_eq!(check(&["https://*:*"], "https://any.example.org:8443/"), Some(Target::Network));
        assert_eq!(check(&["*://*:*"], "http://any.example.org:81/"), Some(Target::Network));
        assert_eq!(check(&["https://*.example.org"], "https://s3.example.org/"), Some(Target::Network));
        assert_eq!(check(&["https://*.example.org"], "https://example.org/"), None);
        assert_eq!(check(&["https://*.example.org"], "https://evilexample.org/"), None);
    }

    #[test]
    fn components_and_the_application_itself() {
        assert_eq!(
            check(&["http://worker.spin.internal"], "http://worker.spin.internal/x"),
            Some(Target::Component("worker".to_owned()))
        );
        assert_eq!(check(&["http://worker.spin.internal"], "http://other.spin.internal/x"), None);
        assert_eq!(
            check(&["http://*.spin.internal"], "http://other.spin.internal/x"),
            Some(Target::Component("other".to_owned()))
        );
        for uri in ["http://self/data", "http://self.alt/data", "/data"] {
            assert_eq!(check(&["http://self"], uri), Some(Target::Itself), "{uri}");
            assert_eq!(check(&["http://worker.spin.internal"], uri), None, "{uri}");
        }
        let named = AllowedHosts::parse(["http://a.spin.internal", "https://*", "http://*.spin.internal"]).unwrap();
        assert_eq!(named.components().collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn address_blocks() {
        assert_eq!(check(&["http://10.0.0.0/8:9000"], "http://10.1.2.3:9000/"), Some(Target::Network));
        assert_eq!(check(&["http://10.0.0.0/8:9000"], "http://11.1.2.3:9000/"), None);
        assert_eq!(check(&["http://[::1]:9000"], "http://[::1]:9000/"), Some(Target::Network));
        assert_eq!(check(&["http://0.0.0.0/0:*"], "http://203.0.113.9/"), Some(Target::Network));
        assert!(AllowedHosts::parse(["http://10.0.0.0/40"]).is_err());
    }

    #[test]
    fn malformed_entries_are_refused() {
        for bad in
            ["*", "example.org", "http://", "http://a/b", "http://a:x", "foo://a", "http://a.*.b", "h2://a", "://a"]
        {
            assert!(AllowedHosts::parse([bad]).is_err(), "{bad}");
        }
    }
}
