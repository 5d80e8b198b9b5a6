//! The language of templates against what Go made of the same templates: `tests/golden/templates/`.
//!
//! What the recorder got from Go is compared to the last letter, errors too. What is not Go's is written by hand there, each
//! with its reason.

#![cfg(feature = "template")]
#![allow(clippy::panic, reason = "a test fails by a panic")]

#[path = "support/templates.rs"]
mod corpus;

use corpus::{Answer, NAME, cases, data, functions, in_text};
use podlike::gotemplate::{Functions, Template, Value};

fn answer(template: &str, functions: &Functions, data: &Value) -> Answer {
    let output = Template::parse(NAME, template, functions).and_then(|template| template.execute(data));
    output.map_or_else(|error| Answer::Error(error.to_string()), Answer::Output)
}

/// Whether an answer is the one that is written.
fn fits(written: &Answer, given: &Answer) -> bool {
    match (written, given) {
        (Answer::Error(words), Answer::Error(given)) if words.ends_with('*') => {
            given.starts_with(words.trim_end_matches('*'))
        }
        _ => written == given,
    }
}

#[test]
fn templates_become_what_go_makes_of_them() {
    let (functions, data) = (functions(), data());
    let cases = cases();
    assert!(cases.len() > 1300, "only {} cases were found", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let given = answer(&case.template, &functions, &data);
        if !fits(&case.answer, &given) {
            wrong.push(format!("{}: {}\n  want {:?}\n  got  {given:?}", case.place, case.template, case.answer));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn a_case_is_read_as_it_is_written() {
    let text = "# Heading\n\na name\n@ ours: a reason\n> one\n>\n> {{ two }}\n= 1\n=\n=  2\n\n>\"a\\tb\"\n! test: *\n";
    let cases = in_text("x.txt", text);
    let read: Vec<_> = cases.iter().map(|case| (case.place.as_str(), case.template.as_str())).collect();
    assert_eq!(read, [("x.txt:3", "one\n\n{{ two }}"), ("x.txt:12", "a\tb")]);
    assert_eq!(cases[0].answer, Answer::Output("1\n\n 2".to_owned()));
    assert!(fits(&cases[1].answer, &Answer::Error("test: 1: any words".to_owned())));
    assert!(!fits(&cases[1].answer, &Answer::Error("other: 1".to_owned())));
    assert!(!fits(&cases[1].answer, &Answer::Output("test: 1".to_owned())));
}
