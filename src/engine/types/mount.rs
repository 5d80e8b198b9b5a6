//! Mounts in a request.

use serde::Serialize;

use super::is_zero;

/// An entry of `Mounts` in a request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MountRequest {
    /// `bind`, `volume`, `tmpfs`, `image`.
    #[serde(rename = "Type")]
    pub kind: String,
    /// A path of the host, the name of a volume, the reference of an image.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// The path in the container.
    pub target: String,
    /// Whether it can only be read.
    #[serde(skip_serializing_if = "is_zero")]
    pub read_only: bool,
    /// For `bind`.
    #[serde(skip_serializing_if = "is_zero")]
    pub bind_options: BindOptions,
    /// For `volume`.
    #[serde(skip_serializing_if = "is_zero")]
    pub volume_options: VolumeOptions,
    /// For `tmpfs`.
    #[serde(skip_serializing_if = "is_zero")]
    pub tmpfs_options: TmpfsOptions,
    /// For `image`.
    #[serde(skip_serializing_if = "is_zero")]
    pub image_options: ImageOptions,
}

/// `BindOptions` of a mount.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_excessive_bools, reason = "they are the API's")]
pub struct BindOptions {
    /// Such as `rslave`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub propagation: String,
    /// Leave out what is mounted below (API 1.40).
    #[serde(skip_serializing_if = "is_zero")]
    pub non_recursive: bool,
    /// Make a folder where the host has nothing (API 1.42).
    #[serde(skip_serializing_if = "is_zero")]
    pub create_mountpoint: bool,
    /// What is mounted below stays writable (API 1.44).
    #[serde(skip_serializing_if = "is_zero")]
    pub read_only_non_recursive: bool,
    /// An error where what is mounted below cannot be made read-only (API 1.44).
    #[serde(skip_serializing_if = "is_zero")]
    pub read_only_force_recursive: bool,
}

/// `VolumeOptions` of a mount.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct VolumeOptions {
    /// Leave a new volume empty.
    #[serde(skip_serializing_if = "is_zero")]
    pub no_copy: bool,
    /// A folder or file in the volume (API 1.45).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subpath: String,
}

/// `TmpfsOptions` of a mount.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TmpfsOptions {
    /// In bytes, 0 for no limit.
    #[serde(skip_serializing_if = "is_zero")]
    pub size_bytes: i64,
    /// The mode of its root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
}

/// `ImageOptions` of a mount.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ImageOptions {
    /// A folder in the image.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subpath: String,
}
