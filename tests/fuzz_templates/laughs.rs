//! Templates that are made to take all time, memory or stack. Each ends within some seconds of CPU time, without
//! optimization, and in some memory, on the stack of a thread.

use std::time::Duration;

use podlike::gotemplate::Template;

use super::corpus::{NAME, data, functions};
use super::guard::{cpu_time, guarded, memory};

/// For all steps that a template may take.
const LONG: Duration = Duration::from_secs(20);
/// What a process may come to hold, in KiB.
const MUCH: u64 = 400 << 10;

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
    let end: String = message.chars().rev().take(300).collect::<Vec<_>>().into_iter().rev().collect();
    assert!(message.contains(words), "{end}");
}

/// So many pieces of text.
fn many(count: usize, piece: impl Fn(usize) -> String) -> String {
    (0..count).map(piece).collect()
}

/// `inner`, so many times in something.
fn nested(count: usize, open: &str, inner: &str, close: &str) -> String {
    format!("{}{inner}{}", open.repeat(count), close.repeat(count))
}

/// What is said of an input that is too much in a way of its own.
const TOO_DEEP: &str = "exceeded maximum";
const TOO_LONG: &str = "exceeded maximum output";
const TOO_MANY: &str = "exceeded maximum number of steps";

#[test]
fn what_is_deep_in_itself() {
    guarded("laughs::what_is_deep_in_itself", 120, || {
        const DEEP: usize = 100_000;
        for (open, inner, close) in
            [("(", "1", ")"), ("(print ", "1", ")"), ("(print 1 | print ", "1", ")"), ("((1).x ", "1", ")")]
        {
            let inside = nested(DEEP, open, inner, close);
            refused(&format!("{{{{ {inside} }}}}"), TOO_DEEP);
            refused(&format!("{{{{ if {inside} }}}}{{{{ end }}}}"), TOO_DEEP);
            refused(&format!("{{{{ {} }}}}", open.repeat(DEEP)), "");
        }
        for open in
            ["if true", "with 1", "range .list", "block \"x\" .", "if false }}{{ else if true", "with 0 }}{{ else"]
        {
            let open = format!("{{{{ {open} }}}}");
            refused(&nested(DEEP, &open, "x", "{{ end }}"), TOO_DEEP);
            refused(&open.repeat(DEEP), "");
        }
        // As deep as may be, also for the one that prints it in an error, and the one that drops it.
        let inside = nested(400, "(same ", "1", ")");
        assert_eq!(run(&format!("{{{{ {inside} }}}}")), Ok(1));
        refused(&format!("{{{{ index 1 {inside} }}}}"), "can't index item of type int");
        assert_eq!(run(&nested(400, "{{ if true }}", "x", "{{ end }}")), Ok(1));
        assert_eq!(run(&nested(400, "{{ with 1 }}", "x", "{{ end }}")), Ok(1));
    });
}

#[test]
fn chains_that_are_long() {
    guarded("laughs::chains_that_are_long", 120, || {
        const LONG: usize = 100_000;
        // One is taken or refused, as it comes: it only must come to an end.
        let either = |text: &str| drop(run(text));
        either(&format!("{{{{ if false }}}}{}{{{{ end }}}}", "{{ else if false }}".repeat(LONG)));
        either(&format!("{{{{ with 0 }}}}{}{{{{ end }}}}", "{{ else with 0 }}".repeat(LONG)));
        either(&format!("{{{{ 1 {} }}}}", "| print ".repeat(LONG)));
        either(&format!("{{{{ {} }}}}", ".a".repeat(LONG)));
        either(&format!("{{{{ (.){} }}}}", ".a".repeat(LONG)));
        either(&format!("{{{{ print {} }}}}", "1 ".repeat(LONG)));
        either(&format!("{{{{ and {} }}}}", "1 ".repeat(LONG)));
        either(&format!("{{{{ printf \"{}\" {} }}}}", "%d".repeat(LONG), "1 ".repeat(LONG)));
        either(&format!("{{{{ index .list {} }}}}", "0 ".repeat(LONG)));
        either(&format!("{{{{ eq 1 {} }}}}", "2 ".repeat(LONG)));
        either(&many(20_000, |n| format!("{{{{ $x{n} := {n} }}}}{{{{ $x0 }}}}")));
        either(&many(20_000, |n| format!("{{{{ define \"t{n}\" }}}}{n}{{{{ end }}}}{{{{ template \"t{n}\" }}}}")));
        either(&"{{ template \"a\" }}".repeat(LONG));
        either(&format!("{}{}", "{{ $x := 1 }}".repeat(50_000), "{{ $x = 2 }}".repeat(50_000)));
        either(&format!("{{{{ range 300 }}}}{}{{{{ end }}}}", "{{ $x := 1 }}".repeat(1000)));
    });
}

#[test]
fn templates_that_call_themselves() {
    guarded("laughs::templates_that_call_themselves", 240, || {
        for body in [
            "{{ template \"a\" . }}",
            "{{ if true }}{{ with . }}{{ range $.list }}{{ template \"a\" $ }}{{ end }}{{ end }}{{ end }}",
            "{{ $x := 1 }}{{ template \"b\" . }}",
        ] {
            let text = format!(
                "{{{{ define \"a\" }}}}{body}{{{{ end }}}}{{{{ define \"b\" }}}}{{{{ template \"a\" . }}}}{{{{ end }}}}{{{{ template \"a\" . }}}}"
            );
            refused(&text, "exceeded maximum template depth (1000)");
        }
        for call in [
            "include \"a\" .",
            "print (include \"a\" .)",
            "include \"a\" . | print | print",
            "print (print (include \"a\" .))",
        ] {
            refused(&format!("{{{{ define \"a\" }}}}{{{{ {call} }}}}{{{{ end }}}}{{{{ {call} }}}}"), TOO_DEEP);
        }
        let deep = nested(300, "(print ", "(include \"a\" .)", ")");
        refused(&format!("{{{{ define \"a\" }}}}{{{{ {deep} }}}}{{{{ end }}}}{{{{ template \"a\" . }}}}"), TOO_DEEP);
        let blocks = nested(300, "{{ if true }}", "{{ template \"a\" . }}", "{{ end }}");
        refused(&format!("{{{{ define \"a\" }}}}{blocks}{{{{ end }}}}{{{{ template \"a\" . }}}}"), TOO_DEEP);
        refused(
            &format!(
                "{{{{ define \"a\" }}}}{}{{{{ end }}}}{{{{ template \"a\" . }}}}",
                nested(300, "{{ if true }}", "{{ include \"a\" . }}", "{{ end }}")
            ),
            TOO_DEEP,
        );
        // Twice each, and it would come to an end.
        let sixty =
            "(list 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1)";
        for call in ["template", "include"] {
            let twice = format!("{{{{ {call} \"a\" (slice . 1) }}}}").repeat(2);
            let text = format!(
                "{{{{ define \"a\" }}}}{{{{ if . }}}}{twice}{{{{ end }}}}{{{{ end }}}}{{{{ {call} \"a\" {sixty} }}}}"
            );
            refused(&text, TOO_MANY);
        }
    });
}

#[test]
fn ranges_over_big_numbers() {
    guarded("laughs::ranges_over_big_numbers", 300, || {
        const MOST: &str = "9223372036854775807";
        for body in
            ["", "{{ continue }}", "{{ $x := . }}", "{{ if . }}{{ end }}", "{{ range 9223372036854775807 }}{{ end }}"]
        {
            refused(&format!("{{{{ range {MOST} }}}}{body}{{{{ end }}}}"), TOO_MANY);
        }
        refused(&format!("{{{{ $x := 0 }}}}{{{{ range $x = {MOST} }}}}{{{{ end }}}}"), TOO_MANY);
        refused(&format!("{{{{ range {MOST} }}}}0123456789{{{{ end }}}}"), "");
        refused(&nested(20, "{{ range 1000000 }}", "", "{{ end }}"), TOO_MANY);
        refused(&nested(100, "{{ range 10 }}", "", "{{ end }}"), TOO_MANY);
        let long = "x".repeat(1 << 20);
        refused(&format!("{{{{ range 1000 }}}}{long}{{{{ end }}}}"), TOO_LONG);
        refused(&format!("{{{{ $x := `{long}` }}}}{{{{ range {MOST} }}}}{{{{ eq $x $x }}}}{{{{ end }}}}"), "");
        refused(&format!("{{{{ $x := `{long}` }}}}{{{{ range {MOST} }}}}{{{{ $y := upper $x }}}}{{{{ end }}}}"), "");
        refused(
            &format!("{{{{ $x := `{long}` }}}}{{{{ range {MOST} }}}}{{{{ $y := len (print $x) }}}}{{{{ end }}}}"),
            "",
        );
        refused(&format!("{{{{ $x := `{long}` }}}}{{{{ range {MOST} }}}}{{{{ $y := slice $x 1 }}}}{{{{ end }}}}"), "");
        refused(
            &format!("{{{{ $x := `{long}` }}}}{{{{ range {MOST} }}}}{{{{ $y := index $.map $x }}}}{{{{ end }}}}"),
            "",
        );
    });
}

#[test]
fn formats_of_great_width() {
    guarded("laughs::formats_of_great_width", 120, || {
        for format in [
            "%1000000d",
            "%.1000000d",
            "%01000000d",
            "%-1000000d",
            "%1000000v",
            "%1000000s",
            "%.1000000f",
            "%.1000000e",
            "%1000000.1000000f",
            "%1000000x",
            "%.1000000g",
            "%1000000q",
            "%1000000U",
            "%.1000000U",
            "%.1000000b",
            "%1000000t",
            "%+#1000000v",
        ] {
            for argument in ["1", "\"x\"", "1.5", "true", ".list", ".Service", "nil"] {
                let once = format!("{{{{ printf \"{format}\" {argument} }}}}");
                assert!(run(&once).is_ok_and(|length| length < 40_000_000), "{format} {argument}");
            }
            let list = "1 ".repeat(100);
            refused(
                &format!(
                    "{{{{ printf \"{format}\" (list {list}) }}}}{{{{ printf \"{}\" {list} }}}}",
                    format.repeat(100)
                ),
                "",
            );
        }
        let list = "(list 1 1 1 1 1 1 1 1 1 1)";
        let lists = nested(8, "(list ", list, &format!(" {list})"));
        drop(run(&format!("{{{{ printf \"%1000000d\" {lists} }}}}")));
        drop(run(
            "{{ printf \"%*d\" 1000000 1 }}{{ printf \"%.*f\" 1000000 1.5 }}{{ printf \"%*.*d\" 1000000 1000000 1 }}",
        ));
        refused("{{ range 1000 }}{{ printf \"%1000000d\" 1 }}{{ end }}", TOO_LONG);
        refused("{{ range 9223372036854775807 }}{{ $x := printf \"%1000000d\" 1 }}{{ end }}", "");
        refused("{{ range 9223372036854775807 }}{{ if printf \"%.1000000f\" 1.5 }}{{ end }}{{ end }}", "");
        drop(run(&format!("{{{{ printf \"{}\" 1 }}}}", "%[1]d".repeat(100_000))));
        drop(run(&format!("{{{{ printf \"%{}d\" 1 }}}}", "0".repeat(1 << 20))));
        drop(run(&format!("{{{{ printf \"%{}d\" 1 }}}}", "9".repeat(1 << 20))));
        drop(run(&format!("{{{{ printf \"%[{}]d\" 1 }}}}", "9".repeat(1 << 20))));
        drop(run(&format!("{{{{ printf \"{}\" 1 }}}}", "%[".repeat(100_000))));
        drop(run(&format!("{{{{ printf \"{}\" 1 }}}}", "%".repeat(100_001))));
    });
}

#[test]
fn texts_that_double() {
    guarded("laughs::texts_that_double", 240, || {
        for step in [
            "print $x $x",
            "printf \"%s%s\" $x $x",
            "printf \"%[1]s%[1]s\" $x",
            "printf \"%x\" $x",
            "printf \"%q\" (print $x `\\`)",
            "html (print $x $x)",
            "js (print $x `\\`)",
            "urlquery (print $x `%` $x)",
            "println $x $x",
            "concat $x $x",
            "include \"twice\" $x",
            "list $x $x | print",
        ] {
            let text = format!(
                "{{{{ define \"twice\" }}}}{{{{ . }}}}{{{{ . }}}}{{{{ end }}}}{{{{ $x := \"x\" }}}}{{{{ range 100 }}}}{{{{ $x = {step} }}}}{{{{ end }}}}{{{{ len $x }}}}"
            );
            refused(&text, "");
        }
        // Lists of lists: little memory, and no end of print.
        for end in [
            "$x",
            "print $x",
            "printf \"%v\" $x",
            "printf \"%#v\" $x",
            "printf \"%q\" $x",
            "html $x",
            "js $x",
            "urlquery $x",
            "println $x | len",
            "eq $x $x",
            "ne $x nil",
            "index $x $x",
            "range $x",
            "upper $x",
            "call $x",
        ] {
            let end = if end.starts_with("range") {
                format!("{{{{ {end} }}}}{{{{ . }}}}{{{{ end }}}}")
            } else {
                format!("{{{{ {end} }}}}")
            };
            drop(run(&format!("{{{{ $x := 1 }}}}{{{{ range 60 }}}}{{{{ $x = list $x $x }}}}{{{{ end }}}}{end}")));
        }
    });
}

#[test]
fn lists_that_are_deep() {
    guarded("laughs::lists_that_are_deep", 120, || {
        for end in ["len $x", "print $x | len", "printf \"%#v\" $x | len", "eq $x $x", "html $x | len"] {
            drop(run(&format!(
                "{{{{ $x := 1 }}}}{{{{ range 10000 }}}}{{{{ $x = list $x }}}}{{{{ end }}}}{{{{ {end} }}}}"
            )));
        }
    });
}

#[test]
fn indexes_of_any_size() {
    guarded("laughs::indexes_of_any_size", 60, || {
        for index in ["9223372036854775807", "-9223372036854775808", "-1", "4294967296", "2147483648"] {
            for of in [".list", ".text", ".names", "`é`"] {
                refused(&format!("{{{{ index {of} {index} }}}}"), "out of range");
                refused(&format!("{{{{ slice {of} {index} }}}}"), "out of range");
                refused(&format!("{{{{ slice {of} 0 {index} }}}}"), "out of range");
            }
            refused(&format!("{{{{ slice .list 0 0 {index} }}}}"), "out of range");
        }
        // Between the bytes of a letter.
        assert!(
            run("{{ slice `é` 0 1 }}{{ slice `é` 1 }}{{ printf `%q` (slice `é` 1) }}{{ len (slice `é` 1) }}").is_ok()
        );
    });
}

#[test]
fn ten_megabytes() {
    guarded("laughs::ten_megabytes", 300, || {
        const SIZE: usize = 10_000_000;
        let of = |part: &str| part.repeat(SIZE / part.len());
        for part in [
            "{{",
            "{{\n",
            "{{-",
            "{{- ",
            "{{/*",
            "{{\"",
            "{{`",
            "{{'",
            "{{(",
            "{{.",
            "{{$",
            "{{ 1",
            "{{if ",
            "{{range",
            "{{define",
            "{{end}}",
            "{{else}}",
            "{{break}}",
            "{{x}}",
            "{{\u{0}",
        ] {
            refused(&of(part), "template: test:");
        }
        for inside in [
            " ", "\n", "(", ")", ".", ".a", "|", "\"", "`", "'", "$", "$a", "1", "1 ", "1.", "0x", "-", ":=", ",", "a",
            "é", "/*", "\\", "\"\" ", "nil ",
        ] {
            drop(run(&format!("{{{{ {} }}}}", of(inside))));
        }
        for part in ["x", "\n", " ", "}}", "{ {", "é", "{"] {
            assert!(run(&of(part)).is_ok(), "{part}");
        }
        for part in [
            "{{1}}",
            "{{.}}",
            "{{\"\"}}",
            "{{/**/}}",
            "{{- \"\" -}}  ",
            "{{- /**/ -}}  ",
            "{{if 1}}{{end}}",
            "{{define \"a\"}}{{end}}",
            "{{$x := 1}}",
            "{{block \"a\" .}}{{end}}",
        ] {
            drop(run(&of(part)));
        }
        // The place of an error is far away.
        let error = run(&format!("{}{{{{ unknown }}}}", of("x\n"))).expect_err("no function");
        assert_eq!(error, format!("template: test:{}: function \"unknown\" not defined", SIZE / 2 + 1));
        let error = run(&format!("{}{{{{ fail \"x\" }}}}", of("x "))).expect_err("it fails");
        assert!(error.starts_with(&format!("template: test:1:{}: ", SIZE + 3)), "{error}");
        let long = of("x");
        drop(run(&format!("{{{{ fail `{long}` }}}}")));
        drop(run(&format!("{{{{ template `{long}` }}}}")));
        drop(run(&format!(
            "{{{{ define `{long}` }}}}{{{{ template `{long}` }}}}{{{{ end }}}}{{{{ template `{long}` }}}}"
        )));
        drop(run(&format!("{{{{ .{long} }}}}{{{{ ${long} := 1 }}}}{{{{ ${long}.x }}}}")));
        drop(run(&format!("{{{{ {long} }}}}")));
    });
}
