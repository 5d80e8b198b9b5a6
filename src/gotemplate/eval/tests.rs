//! What the corpus in `tests/golden/templates/` does not tell: it has what Go has, and this has the limits and the types.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::super::{Error, Field, Function, Functions, Parameter, StructType, Template, Type, Value, limits};

static TEXT: Type = Type::Str("string");
static NAMED: Type = Type::Str("types.Name");
static SIZE: Type = Type::Int("types.Size");
static DURATION: Type = Type::Duration("time.Duration");
static SERVICE: StructType = StructType {
    name: "types.Service",
    fields: &[
        field("Name", &TEXT),
        field("Kind", &NAMED),
        field("Size", &SIZE),
        field("Delay", &Type::Pointer(&DURATION)),
        field("Unset", &Type::Pointer(&DURATION)),
        field("Before", &DURATION),
        field("Labels", &Type::Map(&TEXT)),
    ],
    opaque: false,
};

const fn field(name: &'static str, kind: &'static Type) -> Field {
    Field { name, key: "", omit_empty: false, newer: false, kind }
}

fn service() -> Value {
    Value::Pointer(Rc::new(Value::Struct(
        &SERVICE,
        Rc::new(vec![
            Value::Str("web".into()),
            Value::Str("odd".into()),
            Value::Int(64),
            Value::Pointer(Rc::new(Value::Duration(90_000_000_000))),
            Value::NilPointer(&DURATION),
            Value::Duration(-1_500_000_000),
            Value::Map(&TEXT, Rc::new(BTreeMap::from([("a".to_owned(), Value::Str("b".into()))]))),
        ]),
    )))
}

fn functions() -> Functions {
    let upper = |arguments: &[Value]| match arguments {
        [Value::Str(text)] => Ok(Value::Str(text.to_uppercase().into())),
        _ => Err("what?".to_owned()),
    };
    let show = |arguments: &[Value]| Ok(Value::Str(format!("{arguments:?}").into()));
    let html = |_: &[Value]| Ok(Value::Str("ours".into()));
    let list = |arguments: &[Value]| Ok(Value::List(&Type::Interface, Rc::new(arguments.to_vec())));
    let maps = |_: &[Value]| {
        let map = Value::Map(&TEXT, Rc::new(BTreeMap::from([("a".to_owned(), Value::Str("b".into()))])));
        Ok(Value::List(&Type::Interface, Rc::new(vec![map; 1000])))
    };
    let long = |_: &[Value]| Ok(Value::Str("x".repeat(limits::OUTPUT + 1).into()));
    Functions::new(vec![
        Function { name: "upper", parameters: &[Parameter::Str], variadic: false, call: Rc::new(upper) },
        Function { name: "show", parameters: &[Parameter::Int, Parameter::Any], variadic: true, call: Rc::new(show) },
        Function { name: "html", parameters: &[Parameter::Any], variadic: false, call: Rc::new(html) },
        Function { name: "list", parameters: &[Parameter::Any], variadic: true, call: Rc::new(list) },
        Function { name: "maps", parameters: &[], variadic: false, call: Rc::new(maps) },
        Function { name: "long", parameters: &[], variadic: false, call: Rc::new(long) },
    ])
}

fn run(text: &str) -> Result<String, Error> {
    Template::parse("t", text, &functions())?.execute(&service())
}

/// What is wrong, without where.
fn problem(text: &str) -> String {
    let error = run(text).expect_err(text).to_string();
    let message = error.split_once(">: ").map(|(_, message)| message.to_owned());
    message.unwrap_or(error)
}

fn prints(text: &str, expected: &str) {
    assert_eq!(run(text).as_deref(), Ok(expected), "{text}");
}

#[test]
fn an_error_tells_name_line_and_column_in_bytes() {
    let error = run("ä\n  ö {{ .Name.x }}").expect_err("a text has no fields");
    assert_eq!((error.line, error.column), (2, Some(13)));
    assert!(error.to_string().starts_with("template: t:2:13: executing \"t\" at <.Name.x>: can't evaluate"));
    let error = run("{{ $x := 1 }}{{ $x = (1) 2 }}").expect_err("1 is no function");
    assert!(error.to_string().contains("at <$x = (1) 2>: can't give argument to non-function 1"), "{error}");
    let error = run("\n{{ if }}").expect_err("a condition is missing");
    assert_eq!(error.to_string(), "template: t:2: missing value for if");
}

#[test]
fn the_type_of_a_field_is_told_by_its_slot() {
    assert_eq!(problem("{{ .Nope }}"), "can't evaluate field Nope in type *types.Service");
    assert_eq!(problem("{{ .Kind.x }}"), "can't evaluate field x in type types.Name");
    assert_eq!(problem("{{ $k := .Kind }}{{ $k.x }}"), "can't evaluate field x in type types.Name");
    assert_eq!(problem("{{ .Labels.a.x }}"), "can't evaluate field x in type string");
    assert_eq!(problem("{{ upper .Kind }}"), "wrong type for value; expected string; got types.Name");
    assert_eq!(problem("{{ show .Size }}"), "wrong type for value; expected int; got types.Size");
    assert_eq!(problem("{{ .Unset.x }}"), "nil pointer evaluating *time.Duration.x");
}

#[test]
fn durations_have_methods() {
    prints("{{ .Delay.Seconds }} {{ .Delay.Minutes }} {{ .Delay.Hours }} {{ .Delay.String }}", "90 1.5 0.025 1m30s");
    prints("{{ .Delay.Milliseconds }} {{ .Delay.Abs.Nanoseconds }}", "90000 90000000000");
    prints("{{ .Before }} {{ .Before.Abs }}", "-1.5s 1.5s");
    assert_eq!(problem("{{ .Delay.Seconds 1 }}"), "wrong number of args for Seconds: want 0 got 1");
    assert_eq!(problem("{{ 1 | .Delay.Seconds }}"), "wrong number of args for Seconds: want 0 got 1");
    let nil = "error calling Hours: value method time.Duration.Hours called using nil *Duration pointer";
    assert_eq!(problem("{{ .Unset.Hours }}"), nil);
}

#[test]
fn functions_get_what_their_parameters_say() {
    prints("{{ upper .Name }} {{ .Name | upper }}", "WEB WEB");
    prints("{{ show 1 }}{{ show 2.0 nil .Name }}", "[Int(1)][Int(2), Nil, Str(\"web\")]");
    prints("{{ html 1 }}", "ours");
    assert_eq!(problem("{{ show }}"), "wrong number of args for show: want at least 1 got 0");
    assert_eq!(problem("{{ upper nil }}"), "cannot assign nil to string");
    assert_eq!(problem("{{ upper .Labels.none }}"), "invalid value; expected string");
    assert_eq!(problem("{{ upper 5 }}"), "expected string; found 5");
    assert_eq!(problem("{{ show 1.5 }}"), "expected integer; found 1.5");
    assert_eq!(problem("{{ show .Unset }}"), "wrong type for value; expected int; got *time.Duration");
}

#[test]
fn include_gives_the_text_of_a_template() {
    let defined = "{{ define \"x\" }}<{{ .Name }}{{ $v := 2 }}>{{ end }}";
    prints(&format!("{defined}a {{{{ include \"x\" . | upper }}}} b"), "a <WEB> b");
    prints(&format!("{defined}{{{{ $v := 1 }}}}{{{{ $x := include \"x\" $ }}}}{{{{ $v }}}}{{{{ len $x }}}}"), "15");
}

#[test]
fn an_error_in_a_template_that_is_included_tells_both_places_however_deep_it_is() {
    let text =
        "{{ define \"a\" }}{{ include \"b\" . }}{{ end }}{{ define \"b\" }}{{ .x }}{{ end }}{{ include \"a\" . }}";
    let expected = "template: t:1:80: executing \"t\" at <include \"a\" .>: error calling include: \
                    template: t:1:63: executing \"b\" at <.x>: can't evaluate field x in type *types.Service";
    assert_eq!(run(text).expect_err("b fails").to_string(), expected);
    assert_eq!(problem("{{ include \"none\" . }}"), "error calling include: template \"none\" not defined");
}

#[test]
fn templates_that_call_each_other_without_an_end_are_stopped() {
    let calls = "{{ define \"x\" }}{{ template \"x\" . }}{{ end }}{{ template \"x\" . }}";
    assert_eq!(problem(calls), "exceeded maximum template depth (1000)");
    let includes = "{{ define \"x\" }}{{ include \"x\" . }}{{ end }}{{ include \"x\" . }}";
    assert!(problem(includes).ends_with("exceeded maximum expression depth (120)"));
}

#[test]
fn the_deepest_nesting_that_is_allowed_takes_no_more_stack_than_there_is() {
    let nest = |open: &str, inner: &str, close: &str, times| open.repeat(times) + inner + &close.repeat(times);
    prints(&nest("{{if 1}}", "x", "{{end}}", limits::NESTING), "x");
    assert_eq!(
        problem(&nest("{{if 1}}", "x", "{{end}}", limits::NESTING + 1)),
        "template: t:1: exceeded maximum nesting depth (500)"
    );
    let parentheses = |times| format!("{{{{ {} }}}}", nest("print (", "1", ")", times));
    prints(&parentheses(limits::PARENTHESES), "1");
    let too_deep = "template: t:1: exceeded maximum depth of parentheses (100)";
    assert_eq!(problem(&parentheses(limits::PARENTHESES + 1)), too_deep);
    let include = format!("{{{{ define \"x\" }}}}{}{{{{ end }}}}", parentheses(90).replace('1', "include \"x\" ."));
    assert!(problem(&(include + "{{ include \"x\" . }}")).ends_with("exceeded maximum expression depth (120)"));
    let blocks = nest("{{if 1}}", "{{ template \"x\" . }}", "{{end}}", limits::NESTING - 1);
    let calls = format!("{{{{ define \"x\" }}}}{blocks}{{{{ end }}}}{{{{ template \"x\" . }}}}");
    assert_eq!(problem(&calls), "exceeded maximum template depth (1000)");
}

#[test]
fn long_chains_of_else_take_no_stack() {
    let chain = format!("{{{{if 0}}}}{}{{{{else}}}}x{{{{end}}}}", "{{else if 0}}".repeat(20_000));
    prints(&chain, "x");
}

#[test]
fn nothing_runs_without_an_end() {
    let too_many = "exceeded maximum number of steps (10000000)";
    assert_eq!(problem("{{ range 9 }}{{ range 100000000000 }}{{ end }}{{ end }}"), too_many);
    let doubling = "{{ $x := .Name }}{{ range 100 }}{{ $x = print $x $x }}{{ end }}";
    assert!(problem(doubling).contains("exceeded maximum output (16777216 bytes)"));
    let copies = "{{ $x := printf \"%1000000d\" 1 }}{{ range 1000 }}{{ $y := print $x }}{{ end }}";
    assert_eq!(problem(copies), too_many);
}

#[test]
fn all_that_is_in_what_a_function_makes_counts() {
    let too_many = "exceeded maximum number of steps (10000000)";
    prints("{{ range 100 }}{{ $x := maps }}{{ end }}{{ len maps }}", "1000");
    assert_eq!(problem("{{ range 1000 }}{{ $x := maps }}{{ end }}"), too_many);
    prints("{{ $x := 1 }}{{ range 1000 }}{{ $x = list $x }}{{ end }}{{ len $x }}", "1");
    assert_eq!(problem("{{ $x := 1 }}{{ range 1000000 }}{{ $x = list $x }}{{ end }}"), too_many);
    assert_eq!(problem("{{ $x := 1 }}{{ range 60 }}{{ $x = list $x $x }}{{ end }}"), too_many);
}

#[test]
fn nothing_takes_all_memory() {
    let output = "exceeded maximum output (16777216 bytes)";
    assert_eq!(problem("{{ range 1000000 }}some more than twenty bytes{{ end }}"), output);
    assert_eq!(problem("{{ long }}"), format!("error calling long: {output}"));
    let declarations = |count| "{{ $x := 1 }}".repeat(count);
    prints(&declarations(limits::VARIABLES - 1), "");
    assert_eq!(problem(&declarations(limits::VARIABLES)), "template: t:1: more than 1000 variables");
}

#[test]
fn a_break_behind_the_else_of_a_range_ends_that_range_and_a_continue_the_one_around() {
    prints("{{ range 2 }}{{ range 0 }}{{ else }}{{ break }}{{ end }}{{ . }}{{ end }}", "01");
    prints("{{ range 2 }}{{ range 0 }}{{ else }}{{ continue }}{{ end }}x{{ end }}.", ".");
}

#[test]
fn a_slice_inside_of_a_character_is_marked_not_a_failure() {
    prints("{{ slice \"é\" 1 }}", "\u{fffd}");
    prints("{{ index \"é\" 1 }}", "169");
}
