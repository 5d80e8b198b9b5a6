//! `types.DeployConfig`: what only Swarm knows.

use crate::gotemplate::{StructType, Type};

use super::{
    DURATION, DURATION_OR_NIL, FLOAT, INT64, PAIRS, SIZE, TEXT, TEXTS, UINT64, UINT64_OR_NIL, field, newer, structure,
};

pub(super) static DEPLOY: Type = Type::Struct(&DEPLOY_TYPE);
pub(super) static CREDENTIAL_SPEC: Type = Type::Struct(&CREDENTIAL_SPEC_TYPE);

static UPDATE: Type = Type::Pointer(&UPDATE_VALUE);
static UPDATE_VALUE: Type = Type::Struct(&UPDATE_TYPE);
static RESOURCES: Type = Type::Struct(&RESOURCES_TYPE);
static LIMITS: Type = Type::Pointer(&LIMITS_VALUE);
static LIMITS_VALUE: Type = Type::Struct(&RESOURCE_LIMIT);
static RESERVATIONS: Type = Type::Pointer(&RESERVATIONS_VALUE);
static RESERVATIONS_VALUE: Type = Type::Struct(&RESOURCE);
static GENERIC: Type = Type::List(&GENERIC_VALUE);
static GENERIC_VALUE: Type = Type::Struct(&GENERIC_TYPE);
static DISCRETE: Type = Type::Pointer(&DISCRETE_VALUE);
static DISCRETE_VALUE: Type = Type::Struct(&DISCRETE_TYPE);
static RESTART: Type = Type::Pointer(&RESTART_VALUE);
static RESTART_VALUE: Type = Type::Struct(&RESTART_TYPE);
static PLACEMENT: Type = Type::Struct(&PLACEMENT_TYPE);
static PREFERENCES: Type = Type::List(&PREFERENCE);
static PREFERENCE: Type = Type::Struct(&PREFERENCE_TYPE);

static DEPLOY_TYPE: StructType = structure(
    "types.DeployConfig",
    &[
        field("Mode", "mode", &TEXT),
        field("Replicas", "replicas", &UINT64_OR_NIL),
        field("Labels", "labels", &PAIRS),
        field("UpdateConfig", "update_config", &UPDATE),
        field("RollbackConfig", "rollback_config", &UPDATE),
        field("Resources", "resources", &RESOURCES),
        field("RestartPolicy", "restart_policy", &RESTART),
        field("Placement", "placement", &PLACEMENT),
        field("EndpointMode", "endpoint_mode", &TEXT),
    ],
);

static UPDATE_TYPE: StructType = structure(
    "types.UpdateConfig",
    &[
        field("Parallelism", "parallelism", &UINT64_OR_NIL),
        field("Delay", "delay", &DURATION),
        field("FailureAction", "failure_action", &TEXT),
        field("Monitor", "monitor", &DURATION),
        field("MaxFailureRatio", "max_failure_ratio", &FLOAT),
        field("Order", "order", &TEXT),
    ],
);

static RESOURCES_TYPE: StructType = structure(
    "types.Resources",
    &[field("Limits", "limits", &LIMITS), field("Reservations", "reservations", &RESERVATIONS)],
);

/// What a task is sure to get.
static RESOURCE: StructType = structure(
    "types.Resource",
    &[
        field("NanoCPUs", "cpus", &TEXT),
        field("MemoryBytes", "memory", &SIZE),
        field("GenericResources", "generic_resources", &GENERIC),
    ],
);

/// What a task gets at most.
static RESOURCE_LIMIT: StructType = structure(
    "types.Resource",
    &[
        field("NanoCPUs", "cpus", &TEXT),
        field("MemoryBytes", "memory", &SIZE),
        field("GenericResources", "generic_resources", &GENERIC),
        newer("Pids", "pids", &INT64),
    ],
);

static GENERIC_TYPE: StructType =
    structure("types.GenericResource", &[field("DiscreteResourceSpec", "discrete_resource_spec", &DISCRETE)]);

static DISCRETE_TYPE: StructType = structure(
    "types.DiscreteGenericResource",
    &[super::plain("Kind", "kind", &TEXT), super::plain("Value", "value", &INT64)],
);

static RESTART_TYPE: StructType = structure(
    "types.RestartPolicy",
    &[
        field("Condition", "condition", &TEXT),
        field("Delay", "delay", &DURATION_OR_NIL),
        field("MaxAttempts", "max_attempts", &UINT64_OR_NIL),
        field("Window", "window", &DURATION_OR_NIL),
    ],
);

static PLACEMENT_TYPE: StructType = structure(
    "types.Placement",
    &[
        field("Constraints", "constraints", &TEXTS),
        field("Preferences", "preferences", &PREFERENCES),
        newer("MaxReplicas", "max_replicas_per_node", &UINT64),
    ],
);

static PREFERENCE_TYPE: StructType = structure("types.PlacementPreferences", &[field("Spread", "spread", &TEXT)]);

static CREDENTIAL_SPEC_TYPE: StructType = structure(
    "types.CredentialSpecConfig",
    &[field("File", "file", &TEXT), field("Registry", "registry", &TEXT), newer("Config", "config", &TEXT)],
);
