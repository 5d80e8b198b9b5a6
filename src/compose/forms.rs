//! The forms in which Compose writes collections: a string or a list, a list or a mapping, a command line.

use super::{Error, Kind, Node};

/// One string or a list of them.
pub fn strings(node: &Node) -> Result<Vec<String>, Error> {
    Ok(texts(node)?.into_iter().map(|(_, text)| text).collect())
}

/// One string or a list of them, each with its node.
pub fn texts(node: &Node) -> Result<Vec<(&Node, String)>, Error> {
    match &node.kind {
        Kind::Null => Ok(Vec::new()),
        Kind::List(items) => items.iter().map(|item| Ok((item, item.text()?))).collect(),
        Kind::Map(_) => Err(node.expected("a string or a list of strings")),
        _ => Ok(vec![(node, node.text()?)]),
    }
}

/// A command: a list of arguments, or one string that is split as a shell splits words, without running one.
pub fn command(node: &Node) -> Result<Vec<String>, Error> {
    match &node.kind {
        Kind::List(_) => strings(node),
        Kind::Map(_) => Err(node.expected("a string or a list of strings")),
        _ => shell_words::split(&node.text()?).map_err(|_| node.invalid("a command: a quote is not closed")),
    }
}

/// Pairs as a list of `KEY=VALUE` or as a mapping. A key without a value has none, an empty one is a value.
pub fn key_values(node: &Node) -> Result<Vec<(String, Option<String>)>, Error> {
    match &node.kind {
        Kind::Null => Ok(Vec::new()),
        Kind::List(items) => items
            .iter()
            .map(|item| {
                if let Kind::Map(_) = item.kind {
                    return Err(item.expected("KEY=VALUE (in a mapping KEY: VALUE, without '- ')"));
                }
                let text = item.text()?;
                match text.split_once('=') {
                    _ if text.is_empty() || text.starts_with('=') => {
                        // Behind the sign may be a secret.
                        Err(item.refused("expected a pair such as KEY=VALUE: the key is missing"))
                    }
                    Some((key, value)) => Ok((key.to_owned(), Some(value.to_owned()))),
                    None => Ok((text, None)),
                }
            })
            .collect(),
        Kind::Map(entries) => entries
            .iter()
            .map(|(key, value)| {
                let text = if value.is_null() { None } else { Some(value.text()?) };
                Ok((key.clone(), text))
            })
            .collect(),
        _ => Err(node.expected("a list of KEY=VALUE or a mapping")),
    }
}

/// Pairs; a value that is missing is empty.
pub fn pairs<T: FromIterator<(String, String)>>(node: &Node) -> Result<T, Error> {
    let pairs = key_values(node)?;
    Ok(pairs.into_iter().map(|(key, value)| (key, value.unwrap_or_default())).collect())
}

/// One of some words; `what` they are is said in the error.
pub fn one_of(node: &Node, what: &str, known: &[&str]) -> Result<String, Error> {
    let text = node.text()?;
    if known.contains(&text.as_str()) {
        return Ok(text);
    }
    Err(node.invalid(format!("{what}: {}", known.join(" or "))))
}

/// The number of a user or a group.
pub fn owner(node: &Node) -> Result<u64, Error> {
    u64::try_from(node.integer()?).map_err(|_| node.invalid("the number of a user or group"))
}

#[cfg(test)]
mod tests {
    use super::super::yaml::valid;
    use super::*;

    #[test]
    fn a_command_is_split_as_a_shell_would() {
        let words = command(&valid("sh -c 'echo \"a b\"' x\\ y")).expect("a command");
        assert_eq!(words, ["sh", "-c", "echo \"a b\"", "x y"]);
        assert!(command(&valid("sh -c \"'\"")).is_err() || command(&valid("\"sh -c 'x\"")).is_err());
    }

    #[test]
    fn pairs_keep_the_difference_between_empty_and_missing() {
        let expected =
            [("A".to_owned(), Some("1".to_owned())), ("B".to_owned(), Some(String::new())), ("C".to_owned(), None)];
        assert_eq!(key_values(&valid("[A=1, B=, C]")).expect("pairs"), expected);
        assert_eq!(key_values(&valid("{A: 1, B: '', C: }")).expect("pairs"), expected);
    }

    #[test]
    fn a_pair_without_a_key_is_refused_and_not_shown() {
        let error = key_values(&valid("[A=1, =hunter2]")).expect_err("no key");
        assert_eq!(error.to_string(), "line 1, column 7: [1]: expected a pair such as KEY=VALUE: the key is missing");
    }

    #[test]
    fn numbers_and_booleans_are_taken_for_strings() {
        assert_eq!(strings(&valid("[80, true, x]")).expect("strings"), ["80", "true", "x"]);
    }
}
