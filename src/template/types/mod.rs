//! The types of a stack as docker/cli names them (`cli/compose/types`, mid-2018), which templates see: `.Service` is a
//! `*types.ServiceConfig`, `.Project` a `types.Config`. Newer fields stand at the end of their struct, and print only where they are set.

mod deploy;
mod mounts;
mod service;
mod stack;

use crate::gotemplate::{Field, StructType, Type};

pub(super) use service::SERVICE;
pub(super) use stack::{PROJECT, VARIABLES};

/// A size in bytes: a number to templates, a text in YAML.
pub(super) const BYTES: &str = "types.UnitBytes";
/// Limits of one kind: in YAML a number where both are the same.
pub(super) const ULIMITS: &str = "types.UlimitsConfig";
/// What somebody else makes: in YAML `true`, as its name stands beside it.
pub(super) const EXTERNAL: &str = "types.External";

static BOOL: Type = Type::Bool;
static TEXT: Type = Type::Str("string");
static TEXTS: Type = Type::List(&TEXT);
static TEXT_OR_NIL: Type = Type::Pointer(&TEXT);
/// `types.Labels`, driver options and the like.
static PAIRS: Type = Type::Map(&TEXT);
/// `types.MappingWithEquals`: a variable without a value is nil.
static VARIABLES_OF_ENVIRONMENT: Type = Type::Map(&TEXT_OR_NIL);
static ANY: Type = Type::Interface;
static DURATION: Type = Type::Duration("time.Duration");
static DURATION_OR_NIL: Type = Type::Pointer(&DURATION);
static INT: Type = Type::Int("int");
static INT64: Type = Type::Int("int64");
static SIZE: Type = Type::Int(BYTES);
static UINT32: Type = Type::Uint("uint32");
static UINT32_OR_NIL: Type = Type::Pointer(&UINT32);
static UINT64: Type = Type::Uint("uint64");
static UINT64_OR_NIL: Type = Type::Pointer(&UINT64);
static BOOL_OR_NIL: Type = Type::Pointer(&BOOL);
static FLOAT: Type = Type::Float;

/// A field that YAML leaves out when it is zero.
const fn field(name: &'static str, key: &'static str, kind: &'static Type) -> Field {
    Field { name, key, omit_empty: true, newer: false, kind }
}

/// A field that docker/cli has since later.
const fn newer(name: &'static str, key: &'static str, kind: &'static Type) -> Field {
    Field { newer: true, ..field(name, key, kind) }
}

/// A field that YAML always shows, or never, if it has no key.
const fn plain(name: &'static str, key: &'static str, kind: &'static Type) -> Field {
    Field { omit_empty: false, ..field(name, key, kind) }
}

const fn structure(name: &'static str, fields: &'static [Field]) -> StructType {
    StructType { name, fields, opaque: false }
}
