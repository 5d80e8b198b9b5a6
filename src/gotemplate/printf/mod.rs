//! Go's fmt: Sprintf and its kin.

mod duration;
mod float;
mod format;
mod layout;
mod number;
mod verb;

use format::Format;
use layout::OUTPUT_LIMIT;
use verb::Printer;

use super::Value;

/// fmt.Sprintf. What is wrong with the format is said in the text, as in Go. It fails only where the text would be longer
/// than [`OUTPUT_LIMIT`] bytes.
pub(super) fn sprintf(format: &str, arguments: &[Value]) -> Result<String, String> {
    let mut printer = Printer::default();
    Format::new(format, arguments).print(&mut printer);
    let text = printer.out.into_text();
    if text.len() > OUTPUT_LIMIT {
        return Err(format!("exceeded maximum output ({OUTPUT_LIMIT} bytes)"));
    }
    Ok(text)
}

/// A value as a template prints it: its pointers followed, and `<no value>` where there is none. Like what [`sprint`] and
/// [`sprintln`] give, it is cut where it is longer than [`OUTPUT_LIMIT`], but stays longer than that.
pub fn display(value: &Value) -> String {
    match value {
        Value::Missing | Value::Nil => "<no value>".to_owned(),
        Value::Pointer(target) => display(target),
        value => sprint(std::slice::from_ref(value)),
    }
}

/// fmt.Sprint: blanks between operands when neither is a string.
pub(super) fn sprint(values: &[Value]) -> String {
    let mut printer = Printer::default();
    let mut after_string = true;
    for value in values {
        let string = matches!(value, Value::Str(_));
        if !string && !after_string {
            printer.out.push(" ");
        }
        printer.argument(value, 'v');
        after_string = string;
    }
    printer.out.into_text()
}

/// fmt.Sprintln: blanks between all operands, and an end of line.
pub(super) fn sprintln(values: &[Value]) -> String {
    let mut printer = Printer::default();
    for (position, value) in values.iter().enumerate() {
        if position > 0 {
            printer.out.push(" ");
        }
        printer.argument(value, 'v');
    }
    printer.out.push("\n");
    printer.out.into_text()
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::super::quote::unquote;
    use super::super::{Field, StructType, Type, Value};
    use super::{OUTPUT_LIMIT, display, sprint, sprintf, sprintln};

    /// The file of what Go makes of formats and values; `printf.go` beside it records it, and has the values by their names.
    const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/printf.txt");

    const INT: Type = Type::Int("int");
    const BYTE: Type = Type::Uint("uint8");
    static BYTES: Type = Type::List(&BYTE);
    static A_PORT: Type = Type::Struct(&PORT);
    const UINT32: Type = Type::Uint("uint32");
    const UINT64: Type = Type::Uint("uint64");
    const TEXT: Type = Type::Str("string");
    const DURATION: Type = Type::Duration("time.Duration");
    static PORT: StructType = StructType {
        name: "main.Port",
        fields: &[field("Mode", &TEXT), field("Target", &UINT32), field("Published", &UINT32)],
        opaque: false,
    };
    static SERVICE: StructType = StructType {
        name: "main.Service",
        fields: &[
            field("Name", &TEXT),
            field("Size", &Type::Int("main.Bytes")),
            field("Cpus", &Type::Float),
            field("On", &Type::Bool),
            field("Any", &Type::Interface),
            field("Port", &Type::Struct(&PORT)),
            field("Wait", &DURATION),
            field("Every", &Type::Pointer(&DURATION)),
            field("Retries", &Type::Pointer(&UINT64)),
            field("Tags", &Type::List(&TEXT)),
            field("Labels", &Type::Map(&TEXT)),
            field("Extra", &Type::List(&Type::Interface)),
        ],
        opaque: false,
    };
    static SECRET: StructType = StructType { name: "main.Secret", fields: &[field("Mode", &TEXT)], opaque: true };

    const fn field(name: &'static str, kind: &'static Type) -> Field {
        Field { name, key: "", omit_empty: false, newer: false, kind }
    }

    fn text(text: &str) -> Value {
        Value::Str(text.into())
    }

    fn pointer(value: Value) -> Value {
        Value::Pointer(Rc::new(value))
    }

    fn list<const N: usize>(element: &'static Type, values: [Value; N]) -> Value {
        Value::List(element, Rc::new(values.into()))
    }

    fn map<const N: usize>(element: &'static Type, entries: [(&str, Value); N]) -> Value {
        Value::Map(element, Rc::new(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()))
    }

    fn port(mode: &str, target: u64, published: u64) -> Value {
        Value::Struct(&PORT, Rc::new(vec![text(mode), Value::Uint(target), Value::Uint(published)]))
    }

    fn service() -> Value {
        Value::Struct(
            &SERVICE,
            Rc::new(vec![
                text("web"),
                Value::Int(1 << 20),
                Value::Float(0.5),
                Value::Bool(true),
                Value::Nil,
                named("port"),
                named("d90000000000"),
                named("pminute"),
                named("nouint"),
                list(&TEXT, [text("a"), text("b c")]),
                map(&TEXT, [("k", text("v"))]),
                list(&Type::Interface, [Value::Int(1), Value::Nil, text("x")]),
            ]),
        )
    }

    /// The value of a notation in the recorded table.
    fn named(notation: &str) -> Value {
        use Value::{Bool, Duration, Float, Int, Nil, Uint};
        match notation {
            "nil" => Nil,
            "true" => Bool(true),
            "false" => Bool(false),
            "ints" => list(&INT, [Int(1), Int(-2), Int(300)]),
            "floats" => list(&Type::Float, [Float(1.0), Float(1e6), Float(-0.25)]),
            "strings" => list(&TEXT, [text("a b"), text("é")]),
            "anys" => {
                list(&Type::Interface, [Int(1), text("two"), Float(3.5), Nil, Bool(true), Duration(90_000_000_000)])
            }
            "bytes" => {
                let bytes = |text: &str| Value::List(&BYTE, Rc::new(text.bytes().map(|b| Uint(b.into())).collect()));
                list(&BYTES, [bytes("h\x01é"), bytes("")])
            }
            "empty" => list(&Type::Interface, []),
            "map" => map(&Type::Interface, [("b", Int(1)), ("a", text("x")), ("c", Nil)]),
            "labels" => map(&TEXT, [("b", text("2")), ("a", text("1"))]),
            "nested" => {
                let inner = list(&Type::Interface, [Int(1), list(&Type::Interface, [text("x")])]);
                map(&Type::Interface, [("l", inner), ("m", map(&Type::Interface, [("k", Float(2.5))]))])
            }
            "nomap" => map(&TEXT, []),
            "port" => port("ingress", 3000, 9090),
            "ports" => list(&A_PORT, [port("ingress", 3000, 9090), port("", 0, 0)]),
            "service" => service(),
            "pport" => pointer(named("port")),
            "pints" => pointer(named("ints")),
            "plabels" => pointer(named("labels")),
            "pminute" => pointer(Duration(90_000_000_000)),
            "nouint" => Value::NilPointer(&UINT64),
            "noport" => Value::NilPointer(&A_PORT),
            "nowait" => Value::NilPointer(&DURATION),
            literal if literal.starts_with('"') => text(&unquote(literal).expect("a text")),
            number => {
                let (kind, number) = number.split_at(1);
                match kind {
                    "i" => Int(number.parse().expect("an integer")),
                    "u" => Uint(number.parse().expect("an integer")),
                    "d" => Duration(number.parse().expect("an integer")),
                    _ => Float(number.parse().expect("a float")),
                }
            }
        }
    }

    #[test]
    fn every_recorded_format_prints_as_in_go() {
        let mut wrong = Vec::new();
        let recorded = std::fs::read_to_string(RECORDED).expect("a file");
        for line in recorded.lines().filter(|line| !line.starts_with('#')) {
            let mut parts = line.split('\t');
            let mut quoted = || parts.next().and_then(unquote).expect("a quoted text");
            let (format, expected) = (quoted(), quoted());
            let found = sprintf(&format, &parts.map(named).collect::<Vec<_>>());
            if found.as_ref() != Ok(&expected) {
                wrong.push(format!("{line}\n    {found:?}"));
            }
        }
        assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    }

    #[test]
    fn blanks_stand_between_operands_that_are_no_strings() {
        let values =
            [Value::Int(1), Value::Int(2), text("a"), text("b"), Value::Nil, pointer(text("c")), named("noport")];
        assert_eq!(sprint(&values), "1 2a b<nil> c <nil>".replace("a b", "ab"));
        assert_eq!(sprintln(&values), "1 2 a b <nil> c <nil>\n");
        assert_eq!((sprint(&[]), sprintln(&[])), (String::new(), "\n".to_owned()));
    }

    #[test]
    fn a_template_prints_what_pointers_point_to_and_says_where_there_is_no_value() {
        assert_eq!(display(&Value::Missing), "<no value>");
        assert_eq!(display(&Value::Nil), "<no value>");
        assert_eq!(display(&named("noport")), "<nil>");
        assert_eq!(display(&named("pport")), "{ingress 3000 9090}");
        assert_eq!(sprint(&[named("pport")]), "&{ingress 3000 9090}");
        assert_eq!(display(&list(&Type::Interface, [Value::Missing])), "[<nil>]");
    }

    #[test]
    fn there_are_no_addresses_but_what_is_there() {
        let number = pointer(Value::Uint(3));
        let all = |value: &Value| sprintf("%d %v %T %s %#v %p", &vec![value.clone(); 6]).expect("a text");
        assert_eq!(all(&number), "3 3 *uint64 %!s(*uint64=3) 0x3 %!p(*uint64=3)");
        assert_eq!(sprintf("%p", &[named("ints")]).as_deref(), Ok("%!p([]int=[1 -2 300])"));
        assert_eq!(sprintf("%*d", &[pointer(Value::Int(3)), Value::Int(1)]).as_deref(), Ok("  1"));
        assert_eq!(
            sprintf("%v", &[map(&Type::Pointer(&TEXT), [("a", pointer(text("x")))])]).as_deref(),
            Ok("map[a:x]")
        );
    }

    #[test]
    fn what_is_no_number_has_no_sign() {
        assert_eq!(sprintf("%v %+f", &vec![Value::Float(-f64::NAN); 2]).as_deref(), Ok("NaN +NaN"));
    }

    #[test]
    fn an_opaque_struct_prints_as_a_nil_pointer() {
        let secret = Value::Struct(&SECRET, Rc::new(vec![text("secret")]));
        assert_eq!(display(&secret), "<nil>");
        assert_eq!(sprint(&[pointer(secret.clone()), list(&Type::Interface, [secret.clone()])]), "<nil> [<nil>]");
        let all = sprintf("%T %v %+v %#v %s", &vec![secret; 5]);
        assert_eq!(all.as_deref(), Ok("*main.Secret <nil> <nil> (*main.Secret)(nil) %!s(*main.Secret=<nil>)"));
    }

    #[test]
    fn no_text_is_longer_than_the_limit() {
        let megabyte = text(&"é".repeat(1 << 19));
        let most = vec![megabyte.clone(); 16];
        assert_eq!(sprintf(&"%s".repeat(16), &most).map(|text| text.len()), Ok(OUTPUT_LIMIT));
        assert!(sprintf(&("%s".repeat(16) + "x"), &most).is_err());
        assert!(sprintf(&"%1000000d".repeat(1000), &vec![Value::Int(1); 1000]).is_err());
        assert!(sprintf(&"%.1000000f".repeat(1000), &vec![Value::Float(1.0); 1000]).is_err());
        assert!(sprint(&vec![megabyte; 100]).len().abs_diff(OUTPUT_LIMIT + 1) <= 1);
        // Doubled 60 times, which no one could wait for.
        let doubled = (0..60).fold(text(&"x".repeat(1000)), |value, _| list(&Type::Interface, [value.clone(), value]));
        assert_eq!(display(&doubled).len(), OUTPUT_LIMIT + 1);
    }

    #[test]
    fn what_is_too_deep_is_left_out() {
        let deep = (0..2000).fold(Value::Int(1), |value, _| list(&Type::Interface, [value]));
        assert_eq!(display(&deep), format!("{}...{}", "[".repeat(1000), "]".repeat(1000)));
    }

    #[test]
    fn a_format_of_brackets_is_read_once() {
        let format = "%[%".repeat(1 << 20);
        assert_eq!(sprintf(&format, &[]), Ok("%".repeat(1 << 20)));
    }
}
