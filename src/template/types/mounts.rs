//! What a service mounts: volumes, and references to secrets and configs.

use crate::gotemplate::{Field, StructType, Type};

use super::{BOOL, INT64, TEXT, UINT32_OR_NIL, field, newer, structure};

pub(super) static VOLUMES: Type = Type::List(&VOLUME);
pub(super) static SECRETS: Type = Type::List(&SECRET);
pub(super) static CONFIGS: Type = Type::List(&CONFIG);

static VOLUME: Type = Type::Struct(&VOLUME_TYPE);
static SECRET: Type = Type::Struct(&SECRET_TYPE);
static CONFIG: Type = Type::Struct(&CONFIG_TYPE);
static BIND: Type = Type::Pointer(&BIND_VALUE);
static BIND_VALUE: Type = Type::Struct(&BIND_TYPE);
static NAMED: Type = Type::Pointer(&NAMED_VALUE);
static NAMED_VALUE: Type = Type::Struct(&NAMED_TYPE);
static TMPFS: Type = Type::Pointer(&TMPFS_VALUE);
static TMPFS_VALUE: Type = Type::Struct(&TMPFS_TYPE);
static IMAGE: Type = Type::Pointer(&IMAGE_VALUE);
static IMAGE_VALUE: Type = Type::Struct(&IMAGE_TYPE);
static CLUSTER: Type = Type::Pointer(&CLUSTER_VALUE);
static CLUSTER_VALUE: Type = Type::Struct(&CLUSTER_TYPE);

static VOLUME_TYPE: StructType = structure(
    "types.ServiceVolumeConfig",
    &[
        field("Type", "type", &TEXT),
        field("Source", "source", &TEXT),
        field("Target", "target", &TEXT),
        field("ReadOnly", "read_only", &BOOL),
        field("Consistency", "consistency", &TEXT),
        field("Bind", "bind", &BIND),
        field("Volume", "volume", &NAMED),
        field("Tmpfs", "tmpfs", &TMPFS),
        newer("Image", "image", &IMAGE),
        newer("Cluster", "cluster", &CLUSTER),
    ],
);

static BIND_TYPE: StructType = structure("types.ServiceVolumeBind", &[field("Propagation", "propagation", &TEXT)]);

static NAMED_TYPE: StructType =
    structure("types.ServiceVolumeVolume", &[field("NoCopy", "nocopy", &BOOL), newer("Subpath", "subpath", &TEXT)]);

static TMPFS_TYPE: StructType = structure("types.ServiceVolumeTmpfs", &[field("Size", "size", &INT64)]);

static IMAGE_TYPE: StructType = structure("types.ServiceVolumeImage", &[field("Subpath", "subpath", &TEXT)]);

static CLUSTER_TYPE: StructType = structure("types.ServiceVolumeCluster", &[]);

const REFERENCE: &[Field] = &[
    field("Source", "source", &TEXT),
    field("Target", "target", &TEXT),
    field("UID", "uid", &TEXT),
    field("GID", "gid", &TEXT),
    field("Mode", "mode", &UINT32_OR_NIL),
];

static SECRET_TYPE: StructType = structure("types.ServiceSecretConfig", REFERENCE);
static CONFIG_TYPE: StructType = structure("types.ServiceConfigObjConfig", REFERENCE);
