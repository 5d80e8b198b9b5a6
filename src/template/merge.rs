//! How the second of two templates, or of two sets of arguments, adds to the first: it fills what is missing, and never
//! changes what is there.
//!
//! | there | added | becomes |
//! |---|---|---|
//! | nothing | anything | what is added |
//! | mapping | mapping | both, key by key by these rules |
//! | mapping | list of `KEY=VALUE` | both, as a mapping |
//! | list of `KEY=VALUE` | mapping | both, as a mapping |
//! | list | list | one after the other |
//! | list | string | the list with one item more |
//! | anything else, also null | anything | what is there |
//!
//! A list with an item that is no string is no list of pairs: then nothing changes.

use crate::compose::{Kind, Node};

/// The entries of a mapping, in their order.
pub(super) type Entries = Vec<(String, Node)>;

/// Fills a mapping with what it does not have.
pub(super) fn fill(entries: &mut Entries, more: &[(String, Node)]) {
    for (key, value) in more {
        match entries.iter_mut().find(|(known, _)| known == key) {
            None => entries.push((key.clone(), value.clone())),
            Some((_, known)) => complete(known, value),
        }
    }
}

/// Adds to a value, by the table.
pub(super) fn complete(known: &mut Node, more: &Node) {
    match (&mut known.kind, &more.kind) {
        (Kind::Map(entries), Kind::Map(more)) => fill(entries, more),
        (Kind::Map(entries), Kind::List(more)) => fill(entries, &pairs(more).unwrap_or_default()),
        (Kind::List(items), Kind::List(more)) => items.extend(more.iter().cloned()),
        (Kind::List(items), Kind::Map(more)) => {
            if let Some(mut entries) = pairs(items) {
                fill(&mut entries, more);
                known.kind = Kind::Map(entries);
            }
        }
        (Kind::List(items), Kind::Text(_)) => items.push(more.clone()),
        _ => {}
    }
}

/// A list of `KEY=VALUE` as a mapping, the last of equal keys; none if an item is no string.
pub(super) fn pairs(items: &[Node]) -> Option<Entries> {
    let mut entries = Entries::new();
    for item in items {
        let Kind::Text(text) = &item.kind else { return None };
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        entries.retain(|(known, _)| known != key);
        entries.push((key.to_owned(), Node { kind: Kind::Text(value.to_owned()), ..item.clone() }));
    }
    Some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::{valid, write};

    fn merged(first: &str, second: &str) -> String {
        let (Kind::Map(mut entries), Kind::Map(more)) = (valid(first).kind, valid(second).kind) else {
            panic!("two mappings");
        };
        fill(&mut entries, &more);
        write(&Node::made(Kind::Map(entries)))
    }

    #[test]
    fn each_row_of_the_table() {
        for (first, second, result) in [
            ("a: 1", "b: 2", "a: 1\nb: 2\n"),
            ("a: 1", "a: 2", "a: 1\n"),
            ("a: ", "a: 2", "a: null\n"),
            ("a: ", "a: {b: 1}", "a: null\n"),
            ("a: {b: {c: 1}}", "a: {b: {c: 2, d: 3}, e: 4}", "a:\n  b:\n    c: 1\n    d: 3\n  e: 4\n"),
            ("a: {b: 1}", "a: [b=2, c=3=4, d]", "a:\n  b: 1\n  c: 3=4\n  d: \"\"\n"),
            ("a: {b: 1}", "a: [c=3, 4]", "a:\n  b: 1\n"),
            ("a: {b: 1}", "a: text", "a:\n  b: 1\n"),
            ("a: [b=1, c]", "a: {b: 2, d: 3}", "a:\n  b: \"1\"\n  c: \"\"\n  d: 3\n"),
            ("a: [b=1, 5]", "a: {d: 3}", "a:\n- b=1\n- 5\n"),
            ("a: [b]", "a: [b, c]", "a:\n- b\n- b\n- c\n"),
            ("a: [b]", "a: c d", "a:\n- b\n- c d\n"),
            ("a: [b]", "a: 5", "a:\n- b\n"),
            ("a: b", "a: [c]", "a: b\n"),
        ] {
            assert_eq!(merged(first, second), result, "{first} and {second}");
        }
    }

    #[test]
    fn of_equal_keys_in_a_list_the_last_counts() {
        assert_eq!(merged("a: [b=1, b=2]", "a: {}"), "a:\n  b: \"2\"\n");
    }
}
