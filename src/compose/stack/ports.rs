//! The ports of a service. The short syntax is Docker's: `[[ADDRESS:]PUBLISHED:]TARGET[/PROTOCOL]`, where numbers may be
//! ranges (`nat.ParsePortSpecs` of Docker's library go-connections).

use std::net::IpAddr;

use super::loader::{Loader, Settled, like};
use super::schema::PORT;
use crate::compose::{Error, Kind, Node};

impl Loader<'_> {
    /// Ports in the long syntax, one by one. Those with a reference stay as they are written.
    pub(super) fn ports(&self, node: &Node) -> Result<Node, Error> {
        self.once(node)?;
        let mut ports = Vec::new();
        for item in node.list()? {
            match &item.kind {
                Kind::Map(_) => ports.push(self.object(&PORT, item)?),
                Kind::Number(_) => self.short_ports(item, &item.text()?, &mut ports)?,
                Kind::Text(_) => match self.settled(item)? {
                    Settled::Written(item) => self.short_ports(item, &item.text()?, &mut ports)?,
                    Settled::Replaced(replaced) => self.short_ports(&replaced, &replaced.text()?, &mut ports)?,
                    Settled::Open => ports.extend(Some(self.left_open(item)).filter(|item| !item.is_null())),
                },
                _ => return Err(item.expected("a port such as 80 or 8080:80")),
            }
        }
        let mut ports = like(node, Kind::List(ports));
        self.keep_one(&mut ports);
        Ok(ports)
    }

    fn short_ports(&self, item: &Node, text: &str, ports: &mut Vec<Node>) -> Result<(), Error> {
        let short = Short::parse(text).map_err(|expected| item.invalid(expected))?;
        if !short.address.is_unspecified() {
            let note = format!("the address of '{text}' is left out: a service listens on all of a node");
            self.notes.add(&item.place, note);
        }
        let found = short.ports();
        // A range is short and may be many.
        let taken = self.surroundings.budget.take(found.len(), 0);
        taken.map_err(|problem| Error::new(&item.place, &item.at, problem))?;
        for (target, published) in found {
            let number = |number: u16| Node { kind: Kind::Number(number.to_string()), ..item.clone() };
            let text = |text: &str| Node { kind: Kind::Text(text.to_owned()), ..item.clone() };
            let entries = [
                ("mode", text("ingress")),
                ("target", number(target)),
                ("published", number(published)),
                ("protocol", text(&short.protocol)),
            ];
            let entries = entries.map(|(key, value)| (key.to_owned(), value)).into();
            ports.push(self.object(&PORT, &like(item, Kind::Map(entries)))?);
        }
        Ok(())
    }
}

/// A port in the short syntax.
struct Short {
    address: IpAddr,
    published: Option<(u16, u16)>,
    target: (u16, u16),
    protocol: String,
}

impl Short {
    /// Reads it. An error is what was expected.
    fn parse(text: &str) -> Result<Self, String> {
        let (ports, protocol) = text.rsplit_once('/').unwrap_or((text, ""));
        let protocol = if protocol.is_empty() { "tcp".to_owned() } else { protocol.to_ascii_lowercase() };
        if !["tcp", "udp", "sctp"].contains(&protocol.as_str()) {
            return Err("a port: its protocol is tcp, udp or sctp".to_owned());
        }
        let (rest, target) = ports.rsplit_once(':').map_or((None, ports), |(rest, target)| (Some(rest), target));
        let (address, published) = match rest.map(|rest| rest.rsplit_once(':').ok_or(rest)) {
            Some(Ok((address, published))) => (address, published),
            Some(Err(published)) => ("", published),
            None => ("", ""),
        };
        let target = range(target)?;
        let published = if published.is_empty() { None } else { Some(range(published)?) };
        let address = address.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(address);
        let address = if address.is_empty() { "0.0.0.0" } else { address };
        let address =
            address.parse().map_err(|_| "a port: before the two numbers stands an address such as 127.0.0.1")?;
        if published.is_some_and(|(first, last)| target.0 != target.1 && last - first != target.1 - target.0) {
            return Err("a port: the ranges before and behind the ':' are of one length".to_owned());
        }
        Ok(Self { address, published, target, protocol })
    }

    /// Each target with the port it is published at, 0 for none.
    fn ports(&self) -> Vec<(u16, u16)> {
        let (first, last) = self.target;
        match self.published {
            None => (first..=last).map(|target| (target, 0)).collect(),
            Some((published, end)) if first == last => (published..=end).map(|port| (first, port)).collect(),
            Some((published, end)) => (first..=last).zip(published..=end).collect(),
        }
    }
}

/// A port, or two with a `-` between them.
fn range(text: &str) -> Result<(u16, u16), String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let port = |text: &str| text.parse::<u16>().ok().filter(|_| text.starts_with(|c: char| c.is_ascii_digit()));
    match (port(first), port(last)) {
        (Some(first), Some(last)) if first <= last => Ok((first, last)),
        _ => Err("a port such as 80, 8080:80, 53:53/udp or 8000-8010:8000-8010, each up to 65535".to_owned()),
    }
}
