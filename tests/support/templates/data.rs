//! What the templates of the corpus work on, as `record.go` has it: `data.json`, values of types, and some functions.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::rc::Rc;

use podlike::gotemplate::{Field, Function, Functions, Parameter, StructType, Type, Value};

const SECOND: i64 = 1_000_000_000;

static STRING: Type = Type::Str("string");
static UINT64: Type = Type::Uint("uint64");
static DURATION: Type = Type::Duration("time.Duration");
static SOME_UINT64: Type = Type::Pointer(&UINT64);
static SOME_DURATION: Type = Type::Pointer(&DURATION);
static SOME_STRING: Type = Type::Pointer(&STRING);
static STRINGS: Type = Type::List(&STRING);
static LABELS: Type = Type::Map(&STRING);
static A_PORT: Type = Type::Struct(&PORT);
static A_LOGGING: Type = Type::Struct(&LOGGING);

static SERVICE: StructType = StructType {
    name: "main.Service",
    fields: &[
        field("Name", &STRING),
        field("Image", &STRING),
        field("Command", &STRINGS),
        field("DNS", &STRINGS),
        field("Labels", &LABELS),
        field("Environment", &Type::Map(&SOME_STRING)),
        field("Ports", &Type::List(&A_PORT)),
        field("Deploy", &Type::Struct(&DEPLOY)),
        field("HealthCheck", &Type::Pointer(&Type::Struct(&HEALTH))),
        field("Logging", &Type::Pointer(&A_LOGGING)),
        field("Grace", &SOME_DURATION),
        field("Delay", &DURATION),
        field("Memory", &Type::Int("int64")),
        field("Privileged", &Type::Bool),
    ],
    opaque: false,
};

static PORT: StructType = StructType {
    name: "main.Port",
    fields: &[
        field("Mode", &STRING),
        field("Target", &Type::Uint("uint32")),
        field("Published", &Type::Uint("uint32")),
        field("Protocol", &STRING),
    ],
    opaque: false,
};

static DEPLOY: StructType = StructType {
    name: "main.Deploy",
    fields: &[
        field("Replicas", &SOME_UINT64),
        field("Limits", &Type::Pointer(&Type::Struct(&LIMITS))),
        field("Window", &SOME_DURATION),
    ],
    opaque: false,
};

static LIMITS: StructType = StructType {
    name: "main.Limits",
    fields: &[field("CPUs", &STRING), field("Memory", &Type::Int("int64"))],
    opaque: false,
};

static HEALTH: StructType = StructType {
    name: "main.Health",
    fields: &[field("Test", &STRINGS), field("Interval", &SOME_DURATION), field("Retries", &SOME_UINT64)],
    opaque: false,
};

static LOGGING: StructType =
    StructType { name: "main.Logging", fields: &[field("Driver", &STRING), field("Options", &LABELS)], opaque: false };

/// The stack around the service, which only we have.
static PROJECT: StructType = StructType { name: "main.Project", fields: &[field("Version", &STRING)], opaque: true };

const fn field(name: &'static str, kind: &'static Type) -> Field {
    Field { name, key: "", omit_empty: false, newer: false, kind }
}

/// The value that all templates of the corpus work on.
pub(crate) fn data() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/templates/data.json");
    let text = fs::read_to_string(path).expect("the data");
    let root: BTreeMap<String, serde_json::Value> = serde_json::from_str(&text).expect("a JSON object");
    let mut root: BTreeMap<String, Value> = root.into_iter().map(|(key, value)| (key, untyped(value))).collect();
    let typed = [
        ("Service", pointer(service())),
        ("Project", pointer(Value::Struct(&PROJECT, Rc::new(vec![string("3.7")])))),
        ("names", strings(&["x", "y"])),
        ("pairs", labels(&[("k", "v")])),
        ("counts", map(&Type::Int("int"), [("one", Value::Int(1))])),
        ("wait", Value::Duration(SECOND * 3 / 2)),
        ("port", Value::Uint(8080)),
    ];
    root.extend(typed.map(|(key, value)| (key.to_owned(), value)));
    Value::Map(&Type::Interface, Rc::new(root))
}

/// What YAML gives: integers and floats are told apart.
fn untyped(value: serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match value {
        Json::Null => Value::Nil,
        Json::Bool(on) => Value::Bool(on),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Value::Int(number),
            None => Value::Float(number.as_f64().expect("a number")),
        },
        Json::String(text) => string(&text),
        Json::Array(items) => list(&Type::Interface, items.into_iter().map(untyped)),
        Json::Object(entries) => {
            let entries = entries.into_iter().map(|(key, value)| (key, untyped(value)));
            Value::Map(&Type::Interface, Rc::new(entries.collect()))
        }
    }
}

fn service() -> Value {
    let port = |mode, target, published, protocol| {
        let fields = vec![string(mode), Value::Uint(target), Value::Uint(published), string(protocol)];
        Value::Struct(&PORT, Rc::new(fields))
    };
    let limits = Value::Struct(&LIMITS, Rc::new(vec![string("0.5"), Value::Int(52_428_800)]));
    let replicas = pointer(Value::Uint(0));
    let deploy = Value::Struct(&DEPLOY, Rc::new(vec![replicas, pointer(limits), Value::NilPointer(&DURATION)]));
    let health = vec![strings(&["CMD", "true"]), Value::NilPointer(&DURATION), pointer(Value::Uint(3))];
    let environment = [("SET", pointer(string("x"))), ("UNSET", Value::NilPointer(&STRING))];
    let fields = vec![
        string("web"),
        string("nginx:1"),
        strings(&["run", "--fast"]),
        strings(&[]),
        labels(&[("b.c", "2"), ("a", "1")]),
        map(&SOME_STRING, environment),
        list(&A_PORT, [port("ingress", 80, 8080, "tcp"), port("host", 53, 0, "udp")]),
        deploy,
        pointer(Value::Struct(&HEALTH, Rc::new(health))),
        Value::NilPointer(&A_LOGGING),
        pointer(Value::Duration(36 * 3600 * SECOND)),
        Value::Duration(90 * SECOND),
        Value::Int(1024),
        Value::Bool(false),
    ];
    Value::Struct(&SERVICE, Rc::new(fields))
}

fn string(text: &str) -> Value {
    Value::Str(text.into())
}

fn strings(texts: &[&str]) -> Value {
    list(&STRING, texts.iter().map(|text| string(text)))
}

fn labels(entries: &[(&str, &str)]) -> Value {
    map(&STRING, entries.iter().map(|(key, text)| (*key, string(text))))
}

fn list(of: &'static Type, items: impl IntoIterator<Item = Value>) -> Value {
    Value::List(of, Rc::new(items.into_iter().collect()))
}

fn map<'a>(of: &'static Type, entries: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    Value::Map(of, Rc::new(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()))
}

fn pointer(target: Value) -> Value {
    Value::Pointer(Rc::new(target))
}

/// The functions that the corpus has beside Go's own.
pub(crate) fn functions() -> Functions {
    use Parameter::{Any, Int, Str};
    let function = |name, parameters, variadic, call: fn(&[Value]) -> Result<Value, String>| Function {
        name,
        parameters,
        variadic,
        call: Rc::new(call),
    };
    Functions::new(vec![
        function("upper", &[Str], false, |given| Ok(string(&text(&given[0]).to_uppercase()))),
        function("repeat", &[Int, Str], false, repeat),
        function("concat", &[Str, Str], true, |given| Ok(string(&given.iter().map(text).collect::<String>()))),
        function("list", &[Any], true, |given| Ok(list(&Type::Interface, given.iter().cloned()))),
        function("same", &[Any], false, |given| Ok(given[0].clone())),
        function("fail", &[Str], false, |given| Err(text(&given[0]).to_owned())),
    ])
}

fn repeat(given: &[Value]) -> Result<Value, String> {
    let Value::Int(count) = given[0] else { unreachable!("the parameter is an integer") };
    let text = text(&given[1]);
    let count = usize::try_from(count).map_err(|_| "strings: negative Repeat count")?;
    if count.saturating_mul(text.len()) > 1 << 16 {
        return Err("too long".to_owned());
    }
    Ok(string(&text.repeat(count)))
}

fn text(value: &Value) -> &str {
    let Value::Str(text) = value else { unreachable!("the parameter is a string") };
    text
}
