//! With which version of the API things came that not every engine has (moby's `api/docs/CHANGELOG.md`).

use super::ApiVersion;

/// The choice of a cgroup namespace, `CgroupnsMode`.
pub const CGROUP_NAMESPACE: ApiVersion = ApiVersion::new(41);
/// The choice of a platform when a container is made.
pub const PLATFORM: ApiVersion = ApiVersion::new(41);
/// Folders of the host that are made for a mount, `CreateMountpoint`; `Binds` always made them.
pub const MADE_MOUNTPOINT: ApiVersion = ApiVersion::new(42);
/// `Annotations`.
pub const ANNOTATIONS: ApiVersion = ApiVersion::new(43);
/// Devices by their CDI names.
pub const CDI: ApiVersion = ApiVersion::new(44);
/// Binds that are read-only with all that is mounted below, and the choice about it.
pub const READ_ONLY_BELOW: ApiVersion = ApiVersion::new(44);
/// `Healthcheck.StartInterval`.
pub const START_INTERVAL: ApiVersion = ApiVersion::new(44);
/// A path within a volume.
pub const VOLUME_SUBPATH: ApiVersion = ApiVersion::new(45);
/// Mounts of images.
pub const IMAGE_MOUNT: ApiVersion = ApiVersion::new(48);
