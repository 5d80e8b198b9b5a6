//! Templates that are made to take all time, memory or stack. Each ends within some seconds of CPU time, without
//! optimization, in some memory, and on the stack of a thread.

use std::time::Duration;

use podlike::gotemplate::Template;

use super::corpus::{NAME, data, functions};
use super::guard::{cpu_time, guarded, memory};

/// For all steps that a template may take.
const LONG: Duration = Duration::from_secs(20);
/// What a process may come to hold, in KiB: ten megabytes of text, and all steps that a template may take.
const MUCH: usize = 256 << 10;
/// The largest integer.
const MOST: &str = "9223372036854775807";

/// What is said of templates that go too far.
const TOO_FAR: &str = "exceeded maximum ";
const TOO_LONG: &str = "16777216 bytes";
const TOO_MANY_STEPS: &str = "exceeded maximum number of steps";

/// The length of a template's output, or the message.
fn run(text: &str) -> Result<usize, String> {
    let (functions, data) = (functions(), data());
    let begun = cpu_time();
    let output = Template::parse(NAME, text, &functions).and_then(|template| template.execute(&data));
    let took = cpu_time().saturating_sub(begun);
    let peak = memory().peak;
    let start: String = text.chars().take(60).collect();
    println!("{} ms of CPU, {peak} KiB: {start}", took.as_millis());
    assert!(took < LONG, "it took {} ms of CPU: {start}", took.as_millis());
    assert!(peak < MUCH, "it held {peak} KiB: {start}");
    output.map(|output| output.len()).map_err(|error| error.to_string())
}

#[track_caller]
fn refused(text: &str, words: &str) {
    let message = run(text).expect_err("it is too much");
    let end = &message[message.ceil_char_boundary(message.len().saturating_sub(300))..];
    assert!(message.contains(words), "{end}");
}

/// Taken or refused, as it comes: it only must come to an end.
fn ends(text: &str) {
    drop(run(text));
}

fn taken_or_too_long(text: &str) {
    if let Err(message) = run(text) {
        assert!(message.contains(TOO_LONG), "{message}");
    }
}

fn action(inside: &str) -> String {
    ["{{ ", inside, " }}"].concat()
}

fn block(head: &str, body: &str) -> String {
    [&action(head), body, "{{ end }}"].concat()
}

/// A template that calls itself, by `call`.
fn itself(call: &str, body: &str) -> String {
    block("define \"a\"", body) + &action(call)
}

/// So many pieces of text.
fn many(count: usize, piece: impl Fn(usize) -> String) -> String {
    (0..count).map(piece).collect()
}

/// `inner`, so many times in something.
fn nested(count: usize, open: &str, inner: &str, close: &str) -> String {
    [&open.repeat(count), inner, &close.repeat(count)].concat()
}

#[test]
fn what_is_deep_in_itself() {
    guarded("laughs::what_is_deep_in_itself", 120, || {
        const DEEP: usize = 100_000;
        for (open, close) in [("(", ")"), ("(print ", ")"), ("(print 1 | print ", ")"), ("((1).x ", ")")] {
            let inside = nested(DEEP, open, "1", close);
            refused(&action(&inside), TOO_FAR);
            refused(&block(&format!("if {inside}"), ""), TOO_FAR);
            refused(&action(&open.repeat(DEEP)), "");
        }
        for head in
            ["if true", "with 1", "range .list", "block \"x\" .", "if false }}{{ else if true", "with 0 }}{{ else"]
        {
            refused(&nested(DEEP, &action(head), "x", "{{ end }}"), TOO_FAR);
            refused(&action(head).repeat(DEEP), "");
        }
        // As deep as may be, also for who tells it in an error, and who drops it.
        let inside = nested(90, "(same ", "1", ")");
        assert_eq!(run(&action(&inside)), Ok(1));
        refused(&action(&format!("index 1 {inside}")), "can't index item of type int");
        assert_eq!(run(&nested(400, "{{ if true }}", "x", "{{ end }}")), Ok(1));
        assert_eq!(run(&nested(400, "{{ with 1 }}", "x", "{{ end }}")), Ok(1));
    });
}

#[test]
fn chains_that_are_long() {
    guarded("laughs::chains_that_are_long", 120, || {
        const LINKS: usize = 50_000;
        ends(&block("if false", &"{{ else if false }}".repeat(LINKS)));
        ends(&block("with 0", &"{{ else with 0 }}".repeat(LINKS)));
        for (start, link) in [
            ("1", " | print"),
            ("", ".a"),
            ("(.)", ".a"),
            ("$", ".a"),
            ("print", " 1"),
            ("and", " 1"),
            ("eq 1", " 2"),
            ("index .list", " 0"),
            ("list", " (list)"),
            ("list", " .Service.Labels"),
        ] {
            ends(&action(&format!("{start}{}", link.repeat(LINKS))));
        }
        ends(&action(&format!("printf \"{}\"{}", "%d".repeat(LINKS), " 1".repeat(LINKS))));
        ends(&many(LINKS, |n| format!("{{{{ $x{n} := {n} }}}}{{{{ $x0 }}}}")));
        ends(&many(LINKS, |n| format!("{{{{ define \"t{n}\" }}}}{n}{{{{ end }}}}{{{{ template \"t{n}\" }}}}")));
        ends(&action("template \"a\"").repeat(LINKS));
        ends(&["{{ $x := 1 }}".repeat(LINKS), "{{ $x = 2 }}".repeat(LINKS)].concat());
        ends(&block("range 300", &"{{ $x := 1 }}".repeat(1000)));
    });
}

#[test]
fn templates_that_call_themselves() {
    guarded("laughs::templates_that_call_themselves", 120, || {
        let call = "template \"a\" .";
        let deep = "exceeded maximum template depth (1000)";
        refused(&itself(call, &action(call)), deep);
        refused(
            &itself(call, &block("if true", &block("with $", &block("range .list", &action("template \"a\" $"))))),
            deep,
        );
        refused(&(block("define \"b\"", &action(call)) + &itself(call, "{{ $x := 1 }}{{ template \"b\" . }}")), deep);
        refused(&itself(call, &nested(300, "{{ if true }}", &action(call), "{{ end }}")), TOO_FAR);
        refused(&itself(call, &action(&nested(300, "(print ", "(include \"a\" .)", ")"))), TOO_FAR);
        let call = "include \"a\" .";
        for inside in
            [call, "print (include \"a\" .)", "include \"a\" . | print | print", "print (print (include \"a\" .))"]
        {
            refused(&itself(call, &action(inside)), TOO_FAR);
            refused(&itself(call, &nested(100, "{{ with 1 }}", &action(inside), "{{ end }}")), TOO_FAR);
        }
    });
}

/// Each level calls two, and there is an end to it, far away.
#[test]
fn templates_that_become_many() {
    guarded("laughs::templates_that_become_many", 120, || {
        let sixty = format!("(list{})", " 1".repeat(60));
        for call in ["template", "include"] {
            let twice = action(&format!("{call} \"a\" (slice . 1)")).repeat(2);
            refused(&itself(&format!("{call} \"a\" {sixty}"), &block("if .", &twice)), TOO_MANY_STEPS);
        }
    });
}

#[test]
fn ranges_over_big_numbers() {
    guarded("laughs::ranges_over_big_numbers", 120, || {
        let head = format!("range {MOST}");
        for body in ["", "{{ continue }}", "{{ $x := . }}", "{{ if . }}{{ end }}", &block(&head, "")] {
            refused(&block(&head, body), TOO_MANY_STEPS);
        }
        refused(&format!("{{{{ $x := 0 }}}}{}", block(&format!("range $x = {MOST}"), "")), TOO_MANY_STEPS);
        refused(&block(&head, "0123456789"), TOO_FAR);
        refused(&nested(20, "{{ range 1000000 }}", "", "{{ end }}"), TOO_MANY_STEPS);
        refused(&nested(100, "{{ range 10 }}", "", "{{ end }}"), TOO_MANY_STEPS);
        // Long texts, in each iteration.
        let long = "x".repeat(1 << 20);
        refused(&block("range 1000", &long), TOO_LONG);
        let variable = format!("{{{{ $x := `{long}` }}}}");
        for body in ["eq $x $x", "$y := upper $x", "$y := len (print $x)", "$y := slice $x 1", "$y := index $.map $x"] {
            refused(&[&variable, block(&head, &action(body)).as_str()].concat(), TOO_FAR);
        }
    });
}

#[test]
fn formats_of_great_width() {
    guarded("laughs::formats_of_great_width", 120, || {
        for format in [
            "%1000000d",
            "%.1000000d",
            "%01000000d",
            "%-1000000v",
            "%1000000s",
            "%.1000000f",
            "%1000000.1000000e",
            "%.1000000g",
            "%#.1000000x",
            "%1000000q",
            "%.1000000U",
            "%+#1000000v",
        ] {
            for argument in ["1", "\"x\"", "1.5", "true", ".list", ".Service", "nil"] {
                taken_or_too_long(&action(&format!("printf \"{format}\" {argument}")));
            }
            let arguments = " 1".repeat(100);
            refused(&action(&format!("printf \"{}\"{arguments}", format.repeat(100))), TOO_LONG);
            ends(&action(&format!("printf \"{format}\" (list{arguments})")));
        }
        let lists = nested(8, "(list ", "(list 1 1 1 1 1 1 1 1 1 1)", " 1)");
        ends(&action(&format!("printf \"%1000000d\" {lists}")));
        ends(&action("printf \"%*d%.*f%*.*d\" 1000000 1 1000000 1.5 1000000 1000000 1"));
        refused(&block("range 1000", &action("printf \"%1000000d\" 1")), TOO_LONG);
        for body in ["$x := printf \"%1000000d\" 1", "if printf \"%.1000000f\" 1.5 }}{{ end"] {
            refused(&block(&format!("range {MOST}"), &action(body)), TOO_MANY_STEPS);
        }
        for format in ["%[1]d".repeat(100_000), "%[".repeat(100_000), "%".repeat(100_001)] {
            ends(&action(&format!("printf \"{format}\" 1")));
        }
        for digits in ["0".repeat(1 << 20), "9".repeat(1 << 20)] {
            ends(&action(&format!("printf \"%{digits}d %.{digits}f %[{digits}]d\" 1 1.5")));
        }
    });
}

#[test]
fn texts_that_double() {
    guarded("laughs::texts_that_double", 120, || {
        for step in [
            "print $x $x",
            "println $x $x",
            "printf \"%s%s\" $x $x",
            "printf \"%[1]s%[1]s\" $x",
            "printf \"%x\" $x",
            "printf \"%q\" (print $x `\\`)",
            "html (print $x $x)",
            "js (print $x `\\`)",
            "urlquery (print $x `%` $x)",
            "concat $x $x",
            "include \"twice\" $x",
            "list $x $x | print",
        ] {
            let steps = block("range 100", &action(&format!("$x = {step}")));
            let twice = block("define \"twice\"", "{{ . }}{{ . }}");
            let message = run(&[&twice, "{{ $x := \"x\" }}", &steps].concat()).expect_err("it is too much");
            assert!(message.contains(TOO_LONG) || message.contains(TOO_MANY_STEPS), "{message}");
        }
    });
}

/// Little memory, and no end of it for who looks at all.
#[test]
fn lists_that_double() {
    guarded("laughs::lists_that_double", 120, || {
        let lists = format!("{{{{ $x := 1 }}}}{}", block("range 16", &action("$x = list $x $x")));
        run(&lists).expect("lists");
        for end in [
            "print $x",
            "printf \"%#v\" $x",
            "html $x",
            "eq $x $x",
            "ne $x nil",
            "index $x $x",
            "upper $x",
            "range $x }}{{ . }}{{ end",
        ] {
            ends(&[&lists, action(end).as_str()].concat());
        }
        refused(&lists.replace("range 16", "range 60"), TOO_MANY_STEPS);
    });
}

#[test]
fn lists_that_are_deep() {
    guarded("laughs::lists_that_are_deep", 120, || {
        let lists = format!("{{{{ $x := 1 }}}}{}", block("range 3000", &action("$x = list $x")));
        run(&lists).expect("lists");
        for end in ["len $x", "print $x | len", "printf \"%#v\" $x | len", "eq $x $x", "html $x | len"] {
            ends(&[&lists, action(end).as_str()].concat());
        }
        refused(&lists.replace("range 3000", "range 1000000"), TOO_MANY_STEPS);
    });
}

#[test]
fn indexes_of_any_size() {
    guarded("laughs::indexes_of_any_size", 60, || {
        for index in [MOST, "-9223372036854775808", "-1", "4294967296", "2147483648"] {
            for of in [".list", ".text", ".names", "`é`"] {
                refused(&action(&format!("index {of} {index}")), "out of range");
                refused(&action(&format!("slice {of} {index}")), "out of range");
                refused(&action(&format!("slice {of} 0 {index}")), "out of range");
            }
            refused(&action(&format!("slice .list 0 0 {index}")), "out of range");
        }
        // Between the bytes of a letter.
        for text in ["slice `é` 0 1", "slice `é` 1", "printf `%q %s %x` (slice `é` 1) (slice `é` 1) (slice `é` 1)"]
        {
            ends(&action(text));
        }
    });
}

#[test]
fn ten_megabytes() {
    guarded("laughs::ten_megabytes", 240, || {
        for part in ["{{", "{{(", "{{\"", "{{/*", "{{- ", "{{end}}"] {
            refused(&part.repeat(10_000_000 / part.len()), "template: test:");
        }
        for text in ["x".repeat(10_000_000), "{{/**/}}".repeat(1_250_000), " \n".repeat(5_000_000)] {
            ends(&text);
        }
    });
}

#[test]
fn a_megabyte_of_anything() {
    guarded("laughs::a_megabyte_of_anything", 120, || {
        const SIZE: usize = 1_000_000;
        let of = |part: &str| part.repeat(SIZE / part.len());
        for part in [
            "{{\n",
            "{{-",
            "{{`",
            "{{'",
            "{{.",
            "{{$",
            "{{ 1",
            "{{if ",
            "{{range",
            "{{define",
            "{{else}}",
            "{{break}}",
            "{{x}}",
        ] {
            refused(&of(part), "template: test:");
        }
        for inside in [
            " ", "\n", "(", ")", ".", ".a", "|", "\"", "`", "'", "$", "$a", "1", "1 ", "1.", "0x", "-", ":=", ",", "a",
            "é", "/*", "\\", "\"\" ", "nil ", "$a:=",
        ] {
            ends(&action(&of(inside)));
        }
        for part in [
            "\n",
            "}}",
            "{ {",
            "é",
            "{",
            "{{1}}",
            "{{.int}}",
            "{{\"\"}}",
            "{{- \"\" -}}  ",
            "{{- /**/ -}}  ",
            "{{if 1}}{{end}}",
            "{{define \"a\"}}{{end}}",
            "{{$x := 1}}",
            "{{block \"a\" .}}{{end}}",
            "{{template \"a\"}}",
        ] {
            ends(&of(part));
        }
        let long = of("x");
        for inside in [
            format!("fail `{long}`"),
            format!("template `{long}`"),
            format!("define `{long}` }}}}{{{{ template `{long}` }}}}{{{{ end }}}}{{{{ template `{long}`"),
            format!(".{long} }}}}{{{{ ${long} := 1 }}}}{{{{ ${long}.x"),
            format!("upper .Service.{long}"),
            long,
        ] {
            ends(&action(&inside));
        }
    });
}

#[test]
fn the_place_of_an_error_that_is_far_away() {
    guarded("laughs::the_place_of_an_error_that_is_far_away", 60, || {
        let lines = "x\n".repeat(1_000_000);
        let error = run(&(lines + "{{ unknown }}")).expect_err("no function");
        assert_eq!(error, "template: test:1000001: function \"unknown\" not defined");
        let line = "x ".repeat(1_000_000);
        let error = run(&(line + "{{ fail \"x\" }}")).expect_err("it fails");
        assert_eq!(error, "template: test:1:2000003: executing \"test\" at <fail \"x\">: error calling fail: x");
    });
}
