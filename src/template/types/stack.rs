//! `types.Config`, a whole stack, and what templates are given.

use crate::gotemplate::{StructType, Type};

use super::service::SERVICE;
use super::{ANY, BOOL, PAIRS, TEXT, field, newer, plain, structure};

/// What a template works on.
pub(in crate::template) static VARIABLES: StructType = structure(
    "template.Variables",
    &[plain("Service", "", &SERVICE_POINTER), plain("Project", "", &PROJECT_VALUE), plain("Args", "", &ARGUMENTS)],
);

/// A stack: it prints as the nil pointer that it was in the Go program.
pub(in crate::template) static PROJECT: StructType = StructType {
    name: "types.Config",
    fields: &[
        plain("Version", "version", &TEXT),
        plain("Services", "services", &SERVICES),
        plain("Networks", "networks", &NETWORKS),
        plain("Volumes", "volumes", &VOLUMES),
        plain("Secrets", "secrets", &SECRETS),
        plain("Configs", "configs", &CONFIGS),
    ],
    opaque: true,
};

static SERVICE_POINTER: Type = Type::Pointer(&SERVICE_VALUE);
static SERVICE_VALUE: Type = Type::Struct(&SERVICE);
static PROJECT_VALUE: Type = Type::Struct(&PROJECT);
static ARGUMENTS: Type = Type::Map(&ANY);
static SERVICES: Type = Type::List(&SERVICE_VALUE);
static NETWORKS: Type = Type::Map(&NETWORK);
static NETWORK: Type = Type::Struct(&NETWORK_TYPE);
static VOLUMES: Type = Type::Map(&VOLUME);
static VOLUME: Type = Type::Struct(&VOLUME_TYPE);
static SECRETS: Type = Type::Map(&SECRET);
static SECRET: Type = Type::Struct(&SECRET_TYPE);
static CONFIGS: Type = Type::Map(&CONFIG);
static CONFIG: Type = Type::Struct(&CONFIG_TYPE);
static EXTERNAL: Type = Type::Struct(&EXTERNAL_TYPE);
static IPAM: Type = Type::Struct(&IPAM_TYPE);
static POOLS: Type = Type::List(&POOL);
static POOL: Type = Type::Pointer(&POOL_VALUE);
static POOL_VALUE: Type = Type::Struct(&POOL_TYPE);

static NETWORK_TYPE: StructType = structure(
    "types.NetworkConfig",
    &[
        field("Name", "name", &TEXT),
        field("Driver", "driver", &TEXT),
        field("DriverOpts", "driver_opts", &PAIRS),
        field("Ipam", "ipam", &IPAM),
        field("External", "external", &EXTERNAL),
        field("Internal", "internal", &BOOL),
        field("Attachable", "attachable", &BOOL),
        field("Labels", "labels", &PAIRS),
    ],
);

static IPAM_TYPE: StructType =
    structure("types.IPAMConfig", &[field("Driver", "driver", &TEXT), field("Config", "config", &POOLS)]);

static POOL_TYPE: StructType = structure("types.IPAMPool", &[field("Subnet", "subnet", &TEXT)]);

static EXTERNAL_TYPE: StructType =
    structure(super::EXTERNAL, &[field("Name", "name", &TEXT), field("External", "external", &BOOL)]);

static VOLUME_TYPE: StructType = structure(
    "types.VolumeConfig",
    &[
        field("Name", "name", &TEXT),
        field("Driver", "driver", &TEXT),
        field("DriverOpts", "driver_opts", &PAIRS),
        field("External", "external", &EXTERNAL),
        field("Labels", "labels", &PAIRS),
        newer("Spec", "x-cluster-spec", &ANY),
    ],
);

static SECRET_TYPE: StructType = structure(
    "types.SecretConfig",
    &[
        field("Name", "name", &TEXT),
        field("File", "file", &TEXT),
        field("External", "external", &EXTERNAL),
        field("Labels", "labels", &PAIRS),
        newer("Driver", "driver", &TEXT),
        newer("DriverOpts", "driver_opts", &PAIRS),
        newer("TemplateDriver", "template_driver", &TEXT),
    ],
);

static CONFIG_TYPE: StructType = structure(
    "types.ConfigObjConfig",
    &[
        field("Name", "name", &TEXT),
        field("File", "file", &TEXT),
        field("External", "external", &EXTERNAL),
        field("Labels", "labels", &PAIRS),
        newer("TemplateDriver", "template_driver", &TEXT),
    ],
);
