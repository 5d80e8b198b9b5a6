#!/bin/sh
# Throw-away engines for the tests, beside whatever runs on this machine. Each has network, mount, pid, cgroup, ipc and
# uts namespaces, data and a socket of its own; when it goes down nothing of it is left.
# Usage: engines.sh list                   the names of the engines, and what they are
#        engines.sh up NAME                start it if need be, and wait until it answers
#        engines.sh host NAME              print what DOCKER_HOST is for it
#        engines.sh exec NAME COMMAND...   run a command where it runs
#        engines.sh halt NAME              end it as a power cut does: the next `up` finds its data
#        engines.sh down NAME...           end it, and remove all that it had
#        engines.sh root RELEASE           make the root of a Debian release
# PODLIKE_ENGINES is the folder of engines that run, PODLIKE_ROOTS that of the roots, which are kept; both are in the
# cache folder by default. PODLIKE_MIRROR is a Debian mirror, by default that of this machine's own apt sources.
# Inside of its namespaces, and so for its containers, an engine's socket is /var/run/docker.sock as ever. An engine with
# a network namespace made for it, `ip netns add podlike-NAME`, has that.
set -eu
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/podlike
engines=${PODLIKE_ENGINES:-$cache/engines}
roots=${PODLIKE_ROOTS:-$cache/roots}

fail() { echo "engines.sh: $*" >&2; exit 1; }

# NAME PRODUCT CGROUPS RELEASE: the release `-` is this machine's own root. With the product `remapped`, Docker remaps users.
list() {
    cat <<LIST
docker-v2      docker    v2  -
docker-26-v1   docker    v1  trixie
docker-28-v2   docker    v2  sid
docker-userns  remapped  v2  -
podman-5       podman    v2  trixie
swarm-1        docker    v2  -
swarm-2        docker    v2  -
swarm-3        docker    v2  -
LIST
}

# What is known of an engine, by its name.
choose() {
    name=$1
    # shellcheck disable=SC2046 # a list of words
    set -- $(list | grep "^$name ") || true
    [ $# = 4 ] || fail "no engine '$name', there are: $(list | cut -d' ' -f1 | tr '\n' ' ')"
    product=$2 cgroups=$3 release=$4
    state=$engines/$name
    host=unix://$state/run/docker.sock
    mark=PODLIKE_ENGINE_STATE=$state # in the environment of what is ours
}

answer() { DOCKER_HOST=$host timeout 5 docker version --format '{{.Server.Version}}' 2>/dev/null; }

# process outer|init: the process that waits outside, and ends the one inside with it; and that, which is PID 1 of its
# namespaces. By its number out here; a number that somebody else has by now is not taken for it.
process() {
    pid=$(cat "$state/$1" 2>/dev/null) && tr '\0' '\n' 2>/dev/null <"/proc/$pid/environ" | grep -qx "$mark" && echo "$pid"
}

# Roots ----------------------------------------------------------------------------------------------------------

packages_of() {
    case $1 in
        trixie) echo docker.io,iptables,podman,crun,netavark,aardvark-dns,nftables,iproute2,procps,ca-certificates ;;
        sid) echo docker.io,iptables,iproute2,procps,ca-certificates ;;
        *) fail "no root is known for the release '$1'" ;;
    esac
}

# shellcheck disable=SC2016 # apt's own variables
mirror() {
    of_apt() { apt-get indextargets --format '$(LABEL) $(COMPONENT) $(REPO_URI)' | sed -n 's/^Debian main //p' | head -n 1; }
    uri=${PODLIKE_MIRROR:-$(of_apt)}
    [ -n "$uri" ] || fail "apt has no Debian mirror here: set PODLIKE_MIRROR, or run apt-get update"
    echo "$uri"
}

# make_root RELEASE: debootstrap, once.
make_root() {
    root=$roots/$1
    [ ! -e "$root/etc/podlike-root" ] || return 0
    packages=$(packages_of "$1")
    command -v debootstrap >/dev/null || "$here/apt.sh" install debootstrap
    uri=$(mirror)
    echo "making the root of Debian $1, which takes minutes" >&2
    rm -rf --one-file-system "$root.new" "$root"
    mkdir -p "$roots"
    unshare --mount debootstrap --variant=minbase --include="$packages" "$1" "$root.new" "$uri" >"$root.log" 2>&1 || {
        tail -n 20 "$root.log" >&2
        fail "debootstrap of $1 failed, all of its words are in $root.log"
    }
    rm -rf "$root.new/var/cache/apt/archives" "$root.new/var/lib/apt/lists"
    touch "$root.new/etc/podlike-root"
    mv "$root.new" "$root"
}

# Cgroups --------------------------------------------------------------------------------------------------------

# The hierarchies of the engine's cgroups, as `FOLDER OPTIONS`; v2 has one, without either.
hierarchies() {
    case $cgroups in
        v2) echo . - ;;
        v1) sed -n '/^0:/d; s/^[0-9]*:name=\([^:]*\):.*/\1 none,name=\1/p; t; s/^[0-9]*:\([^:]*\):.*/\1 \1/p' /proc/self/cgroup ;;
    esac
}

# Mounts them in a folder, by the namespace of who does it.
mount_cgroups() {
    hierarchies | while read -r folder options; do
        mkdir -p "$1/$folder"
        if [ "$cgroups" = v2 ]; then
            mount -t cgroup2 none "$1"
        else
            mount -t cgroup -o "$options" none "$1/$folder"
        fi
    done
}

# The engine's own cgroup of each hierarchy, below a folder where they are mounted: not made yet, or there.
own_cgroups() { hierarchies | while read -r folder _; do echo "$1/$folder/podlike-engine-$(cat "$state/cgroup")"; done; }

# Makes them, and moves this shell there. What the kernel lets have limits has them.
enter_cgroups() {
    own_cgroups "$1" | while read -r own; do
        above=${own%/*}
        [ "$cgroups" = v1 ] || tr ' ' '\n' <"$above/cgroup.controllers" | while read -r controller; do
            (echo "+$controller" >"$above/cgroup.subtree_control") 2>/dev/null || true
        done
        mkdir "$own"
        for file in cpuset.cpus cpuset.mems; do
            [ ! -e "$above/cgroup.clone_children" ] || [ ! -e "$own/$file" ] || cat "$above/$file" >"$own/$file"
        done
        echo $$ >"$own/cgroup.procs"
    done
}

remove_cgroups() {
    [ -s "$state/cgroup" ] || return 0
    mkdir -p "$state/hierarchies"
    mount_cgroups "$state/hierarchies"
    for _ in $(seq 600); do
        left=$(own_cgroups "$state/hierarchies" | while read -r own; do [ ! -d "$own" ] || echo "$own"; done)
        [ -n "$left" ] || return 0
        echo "$left" | while read -r own; do find "$own" -depth -type d -exec rmdir {} + 2>/dev/null || true; done
        sleep 0.1
    done
    fail "cgroups of $name are still in use: $left"
}

# The steps into the namespaces, each in a process that the one before became ------------------------------------

# In a mount namespace, to be able to mount cgroups that the machine has not.
step_cgroups() {
    mkdir "$state/hierarchies"
    mount_cgroups "$state/hierarchies"
    enter_cgroups "$state/hierarchies"
    exec unshare --cgroup "$0" step leaf "$name"
}

# In the cgroup namespace, whose root is the engine's own cgroup. On v2 no process may stay in that.
step_leaf() {
    if [ "$cgroups" = v2 ]; then
        own=$(own_cgroups "$state/hierarchies")
        mkdir "$own/init"
        echo $$ >"$own/init/cgroup.procs"
    fi
    umount -R "$state/hierarchies" || umount "$state"/hierarchies/*
    if [ -e "/run/netns/podlike-$name" ]; then
        set -- nsenter --net="/run/netns/podlike-$name" unshare
    else
        set -- unshare --net
    fi
    exec "$@" --ipc --uts --pid --fork --kill-child=KILL "$0" step init "$name"
}

# As PID 1: gives itself a root, a network and cgroups, and runs the engine in them.
step_init() {
    read -r pid _ </proc/self/stat # /proc is that of the namespace outside yet
    echo "$pid" >"$state/init"
    hostname "$name"
    ip link set lo up

    root=$state/root data=$state/data run=$state/run
    mkdir -p "$root" "$data/docker" "$data/containers" "$run"
    mount --bind "$([ "$release" = - ] && echo / || echo "$roots/$release")" "$root"
    for folder in /var/lib/docker /var/lib/containers /etc/docker; do mkdir -p "$root$folder"; done
    mount -o remount,bind,ro "$root"
    mount --bind "$run" "$root/run"
    mount --bind "$data/docker" "$root/var/lib/docker"
    mount --bind "$data/containers" "$root/var/lib/containers"
    mount --rbind /dev "$root/dev"
    for folder in /dev/shm /etc/docker /tmp /var/tmp /mnt; do mount -t tmpfs tmpfs "$root$folder"; done
    mount -t proc proc "$root/proc"
    mount -t sysfs sysfs "$root/sys"
    [ "$cgroups" = v2 ] || mount -t tmpfs tmpfs "$root/sys/fs/cgroup"
    mount_cgroups "$root/sys/fs/cgroup"
    mkdir "$root/mnt/old"
    cd "$root"
    pivot_root . mnt/old
    umount -l /mnt/old
    "run_$product"
}

run_docker() {
    dockerd --host unix:///var/run/docker.sock &
    wait $!
}

# Root in a container is the user 100000 out here, and to that the socket is given.
run_remapped() {
    for file in subuid subgid; do
        echo daemon:100000:65536 >"/run/$file"
        mount --bind "/run/$file" "/etc/$file"
    done
    dockerd --host unix:///var/run/docker.sock --userns-remap daemon --group 100000 &
    wait $!
}

# Without systemd nobody runs Podman's health checks, so we do, about every second. Its default limit of processes would
# keep every container from its start where the kernel has none to give.
run_podman() {
    processes=$(grep -qw pids /sys/fs/cgroup/cgroup.controllers && echo 2048 || echo 0)
    cat >/run/containers.conf <<CONF
[containers]
log_driver = "k8s-file"
pids_limit = $processes
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_config_dir = "/run/networks"
CONF
    export CONTAINERS_CONF=/run/containers.conf DISABLE_HC_SYSTEMD=true
    podman system service --time=0 unix:///var/run/docker.sock &
    service=$!
    while sleep 0.5; do
        for container in $(podman ps --quiet --filter health=starting --filter health=healthy --filter health=unhealthy); do
            podman healthcheck run "$container" >/dev/null || true
        done
    done 2>/dev/null &
    wait $service
}

# Commands -------------------------------------------------------------------------------------------------------

up() {
    if version=$(answer); then
        echo "engine $name $version answers, left as it is"
        return
    fi
    [ "$(id -u)" = 0 ] || fail "only root can start an engine"
    [ ${#host} -lt 115 ] || fail "the path of the socket is too long, set PODLIKE_ENGINES: $host"
    [ "$cgroups" = v2 ] || grep -q '^[1-9][0-9]*:memory:' /proc/self/cgroup ||
        fail "$name needs cgroup v1, and this machine has no memory controller there"
    command -v ip >/dev/null || "$here/apt.sh" install iproute2
    if [ "$release" = - ]; then command -v dockerd >/dev/null || "$here/apt.sh" install docker.io; else make_root "$release"; fi
    [ ! -e "$state/cgroup" ] || down >/dev/null
    mkdir -p "$state/run"
    echo "$name-$$" >"$state/cgroup"
    env "$mark" setsid unshare --mount "$0" step cgroups "$name" </dev/null >"$state/log" 2>&1 &
    step=$!
    echo "$step" >"$state/outer"
    deadline=$(($(date +%s) + 60))
    until version=$(answer); do
        if [ "$(date +%s)" -ge $deadline ] || ! kill -0 $step 2>/dev/null; then
            tail -n 20 "$state/log" >&2
            down >/dev/null
            fail "$name does not answer; its last words are above"
        fi
        sleep 0.2
    done
    echo "engine $name $version started"
}

# All of its processes end with the first one, and with them its namespaces: mounts, interfaces.
halt() {
    for which in outer init; do
        for _ in $(seq 100); do
            pid=$(process $which) || break
            kill -KILL "$pid" 2>/dev/null || true
            sleep 0.1
        done
    done
    unshare --mount "$0" step sweep "$name"
    find "$state" -mindepth 1 -maxdepth 1 ! -name data -exec rm -rf --one-file-system {} +
}

down() {
    [ -d "$state" ] || return 0
    halt
    rm -rf --one-file-system "$state"
    echo "engine $name ended"
}

run_inside() {
    pid=$(process init) || fail "$name does not run"
    DOCKER_HOST=unix:///var/run/docker.sock nsenter --target "$pid" --mount --net --ipc --uts --pid --cgroup --root --wd=/ -- "$@"
}

usage() { sed -n '4,10s/^# //p' "$0" >&2; exit 2; }

what=${1:-}
[ $# -lt 2 ] || [ "$what" = root ] || [ "$what" = down ] || [ "$what" = step ] || choose "$2"
case $what,$# in
    list,1) list ;;
    up,2) up ;;
    host,2) echo "$host" ;;
    exec,2) usage ;;
    exec,*) shift 2 && run_inside "$@" ;;
    halt,2) [ ! -d "$state" ] || halt ;;
    down,1) usage ;;
    down,*)
        shift
        for engine; do choose "$engine" && down; done ;;
    root,2) make_root "$2" ;;
    step,3)
        choose "$3"
        case $2 in
            cgroups) step_cgroups ;;
            leaf) step_leaf ;;
            init) step_init ;;
            sweep) remove_cgroups ;;
        esac ;;
    *) usage ;;
esac
