//! Which proxy a request goes through, by the variables that curl, Go and others read.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::address::{Address, Scheme};

/// What the environment says about proxies.
#[derive(Debug, Default)]
pub(super) struct Proxies {
    http: Option<String>,
    https: Option<String>,
    none: Vec<Exception>,
}

impl Proxies {
    /// Reads `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`; in lower case, too.
    pub(super) fn read(env: &BTreeMap<String, String>) -> Self {
        let value = |key: &str| {
            let values = [env.get(key), env.get(&key.to_ascii_lowercase())];
            values.into_iter().flatten().map(|value| value.trim()).find(|value| !value.is_empty()).map(str::to_owned)
        };
        let none = value("NO_PROXY").unwrap_or_default();
        Self {
            http: value("HTTP_PROXY"),
            https: value("HTTPS_PROXY"),
            none: none.split([',', ' ', '\t']).filter_map(Exception::parse).collect(),
        }
    }

    /// The proxy for an address. As with Go none is asked for this machine's own addresses, and none for what
    /// `NO_PROXY` has. Fails with what is wrong with the variable.
    pub(super) fn proxy_of(&self, address: &Address) -> Result<Option<Address>, String> {
        let (variable, proxy) = match address.scheme {
            Scheme::Http => ("HTTP_PROXY", &self.http),
            Scheme::Https => ("HTTPS_PROXY", &self.https),
        };
        let Some(proxy) = proxy else { return Ok(None) };
        if is_own(address) || self.none.iter().any(|exception| exception.holds(address)) {
            return Ok(None);
        }
        let proxy = if proxy.contains("://") { proxy.clone() } else { format!("http://{proxy}") };
        Address::parse(&proxy).map(Some).map_err(|why| format!("{variable} is no proxy that could be used: {why}"))
    }
}

fn ip(host: &str) -> Option<IpAddr> {
    host.trim_matches(['[', ']']).parse().ok()
}

fn is_own(address: &Address) -> bool {
    address.host == "localhost" || ip(&address.host).is_some_and(|ip| ip.is_loopback())
}

/// An entry of `NO_PROXY`.
#[derive(Debug)]
struct Exception {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Debug)]
enum Hosts {
    /// `*`
    All,
    Ip(IpAddr),
    /// `10.0.0.0/8`
    Net(IpAddr, u8),
    /// `.example.com`, and without the dot also the name itself.
    Domain(String, bool),
}

impl Exception {
    fn parse(text: &str) -> Option<Self> {
        let of = |hosts| Some(Self { hosts, port: None });
        if text.is_empty() {
            return None;
        }
        if let Some(ip) = ip(text) {
            return of(Hosts::Ip(ip));
        }
        if let Some((net, length)) = text.split_once('/') {
            return of(Hosts::Net(ip(net)?, length.parse().ok()?));
        }
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) => (name, Some(port.parse().ok()?)),
            None => (text, None),
        };
        let hosts = match ip(name) {
            Some(ip) => Hosts::Ip(ip),
            None if name == "*" => Hosts::All,
            None => {
                let name = name.strip_prefix('*').unwrap_or(name).to_ascii_lowercase();
                let domain = name.strip_prefix('.');
                Hosts::Domain(domain.unwrap_or(&name).to_owned(), domain.is_none())
            }
        };
        Some(Self { hosts, port })
    }

    fn holds(&self, address: &Address) -> bool {
        let of_ip = |test: &dyn Fn(IpAddr) -> bool| ip(&address.host).is_some_and(test);
        let hosts = match &self.hosts {
            Hosts::All => true,
            Hosts::Ip(own) => of_ip(&|ip| ip == *own),
            Hosts::Net(net, length) => of_ip(&|ip| is_in(ip, *net, *length)),
            Hosts::Domain(domain, itself) => match address.host.trim_end_matches('.').strip_suffix(domain.as_str()) {
                Some("") => *itself,
                Some(before) => before.ends_with('.'),
                None => false,
            },
        };
        hosts && self.port.is_none_or(|port| port == address.port)
    }
}

/// Whether the first `length` bits are the same.
fn is_in(ip: IpAddr, net: IpAddr, length: u8) -> bool {
    let (ip, net, bits) = match (ip, net) {
        (IpAddr::V4(ip), IpAddr::V4(net)) => (u128::from(ip.to_bits()), u128::from(net.to_bits()), 32),
        (IpAddr::V6(ip), IpAddr::V6(net)) => (ip.to_bits(), net.to_bits(), 128),
        _ => return false,
    };
    let ignored = u32::from(128_u8.min(bits).saturating_sub(length));
    length <= bits && (ip ^ net).checked_shr(ignored).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(pairs: &[(&str, &str)]) -> Proxies {
        Proxies::read(&pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    fn of(proxies: &Proxies, address: &str) -> Option<String> {
        let address = Address::parse(address).expect("an address");
        proxies.proxy_of(&address).expect("a proxy").map(|proxy| proxy.origin())
    }

    #[test]
    fn each_scheme_has_its_proxy_in_either_case() {
        let both = proxies(&[("HTTP_PROXY", "one:3128"), ("https_proxy", "https://me:pw@two")]);
        assert_eq!(of(&both, "http://example.com").as_deref(), Some("http://one:3128"));
        assert_eq!(of(&both, "https://example.com").as_deref(), Some("https://two"));
        let one = proxies(&[("HTTP_PROXY", ""), ("http_proxy", "low:1")]);
        assert_eq!(of(&one, "http://example.com").as_deref(), Some("http://low:1"));
        assert_eq!(of(&one, "https://example.com"), None);
    }

    #[test]
    fn own_addresses_need_none() {
        let all = proxies(&[("HTTP_PROXY", "one:3128")]);
        for address in ["http://localhost:8080", "http://127.1.2.3", "http://[::1]/"] {
            assert_eq!(of(&all, address), None, "{address}");
        }
        assert!(of(&all, "http://localhost.example.com").is_some());
    }

    #[test]
    fn a_proxy_that_is_not_understood_is_said_without_its_login() {
        let socks = proxies(&[("HTTPS_PROXY", "socks5://me:secret@one:1080")]);
        let address = Address::parse("https://example.com").expect("an address");
        let why = socks.proxy_of(&address).expect_err("not known");
        assert!(why.starts_with("HTTPS_PROXY is no proxy") && !why.contains("secret"), "{why}");
    }

    #[test]
    fn exceptions_by_name_address_net_and_port() {
        for (none, address, excepted) in [
            ("*", "http://example.com", true),
            ("example.com", "http://example.com", true),
            ("example.com", "http://EXAMPLE.com./x", true),
            ("example.com", "http://a.b.example.com", true),
            ("example.com", "http://notexample.com", false),
            (".example.com", "http://example.com", false),
            (".example.com", "http://a.example.com", true),
            ("*.Example.com", "http://a.example.com", true),
            ("*.example.com", "http://example.com", false),
            ("other, example.com", "http://example.com", true),
            ("other example.com", "http://example.com", true),
            ("example.com:8080", "http://example.com", false),
            ("example.com:8080", "http://example.com:8080", true),
            ("example.com:80", "http://example.com", true),
            ("10.1.2.3", "http://10.1.2.3:99", true),
            ("10.1.2.3", "http://10.1.2.4", false),
            ("10.1.2.3:99", "http://10.1.2.3:98", false),
            ("10.0.0.0/8", "http://10.255.0.1", true),
            ("10.0.0.0/8", "http://11.0.0.1", false),
            ("10.1.2.3/32", "http://10.1.2.3", true),
            ("0.0.0.0/0", "http://10.1.2.3", true),
            ("::/0", "http://10.1.2.3", false),
            ("::/0", "http://[2001:db8::1]", true),
            ("2001:db8::/32", "http://[2001:db8:1::1]", true),
            ("2001:db8::/32", "http://[2001:db9::1]", false),
            ("2001:db8::1", "http://[2001:db8::1]", true),
            ("[2001:db8::1]:80", "http://[2001:db8::1]", true),
            ("10.0.0.0/40", "http://10.0.0.1", false),
            (",,", "http://example.com", false),
        ] {
            let proxies = proxies(&[("HTTP_PROXY", "one"), ("no_proxy", none)]);
            assert_eq!(of(&proxies, address).is_none(), excepted, "{none} {address}");
        }
    }
}
