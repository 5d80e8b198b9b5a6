//! Go's text/template, as of Go 1.24: a text and a value become a text.
//!
//! It imports nothing of ours. A text is read once, and carried out on any number of values:
//!
//! ```
//! use podlike::gotemplate::{Functions, Template, Value};
//!
//! let template = Template::parse("hello", "Hello {{ . | printf \"%q\" }}!", &Functions::default())?;
//! assert_eq!(template.execute(&Value::Str("you".into()))?, "Hello \"you\"!");
//! # Ok::<(), podlike::gotemplate::Error>(())
//! ```
//!
//! ```text
//! text ─lexer─▶ tokens ─parser, expression─▶ bodies (ast) ─eval─▶ text
//!                                                          │ ▲
//!                                   builtins, functions ◀──┘ └── Value, with types of Go (value, operand, names)
//! ```
//!
//! | Go has | here |
//! |---|---|
//! | `{{ … }}`, trim markers `{{- … -}}`, comments | all; other delimiters cannot be set |
//! | pipelines, parentheses, field chains, `$`, `:=`, `=` | all |
//! | `if`, `else if`, `with`, `else with`, `range`, `break`, `continue` | all, with Go's scopes |
//! | `define`, `template`, `block` | all, also that a text may define a name once |
//! | `range` over lists, maps and integers | all; maps in the order of their keys |
//! | `range` over channels and functions | no: there are no such values |
//! | strings, characters, numbers of any base, with `_` | all |
//! | complex numbers | no: an error when the text is read |
//! | `and`, `or`, `not`, `eq`, `ne`, `lt`, `le`, `gt`, `ge`, `index`, `slice`, `len`, `html`, `js`, `urlquery` | all |
//! | `print`, `printf`, `println` | all verbs and flags; `%p` has no address to tell |
//! | `call` | only its errors: there are no functions among values |
//! | fields of structs and maps, `<no value>`, nil | as in Go, with Go's messages |
//! | methods | those of durations that take no arguments, such as `.Seconds` |
//! | pointers | as in Go, but they print as what they point at, not as addresses |
//! | the option `missingkey` | its default |
//! | `slice` | all; an index may also come out of an `interface {}`, which Go refuses |
//! | the names of types | as in Go; a number that a function is given or gives is an `int`, `uint64` or `float64` |
//! | letters of names | also those that Unicode counts as letters or digits and Go does not, such as `²` |
//! | errors | `template: NAME:LINE: …` and `template: NAME:LINE:COLUMN: executing "NAME" at <…>: …`, in Go's words, but that no values are shown |
//! | strings of any bytes | UTF-8: a byte that is none, of `"\xff"` or of a `slice` inside of a character, is U+FFFD |
//! | nil lists and maps | an empty list or map equals nil, unless it is one of `interface {}` |
//!
//! `include NAME DATA` is as Helm has it: what `{{ template }}` would print, as a value.
//!
//! No text and no value make it panic, or run without an end: a text has at most a million words; blocks nest at most 500 deep, parentheses 100; templates
//! call each other at most 1000 deep (Go: 100,000), expressions with `include` in them 120; a body sees at most 1000
//! variables; an output has at most 16 MiB; and an execution takes at most 10 million steps.

mod ast;
mod builtins;
mod error;
mod eval;
mod expression;
mod functions;
mod lexer;
mod limits;
mod literal;
mod names;
mod operand;
mod parser;
mod printf;
mod quote;
mod template;
mod token;
mod value;

pub use error::Error;
pub use functions::{Body, Function, Functions, Parameter};
pub use printf::display;
pub use quote::quote;
pub use template::Template;
pub use value::{Field, StructType, Type, Value};
