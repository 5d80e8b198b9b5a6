#!/bin/sh
# The images of the tests and of the demo, each a folder with a Dockerfile; what comes from Debian's packages is
# added to it as root.tar. No registry is asked, nothing is installed, and nothing is done when they are up to date.
# Usage: images.sh WORK    WORK is a folder for downloads and build contexts
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:?usage: images.sh WORK}"
work=$(cd "$1" && pwd)
cd "$here/.."
folders='tests/support/images/* examples/sidecar/app examples/sidecar/nginx'

# The files of packages, unpacked into DIR: unpack DIR PACKAGE...
unpack() {
    dir=$1
    shift
    rm -rf "$dir" "$dir.debs"
    "$here/apt.sh" download "$dir.debs" "$@"
    mkdir -p "$dir/usr/lib" "$dir/usr/lib64" "$dir/usr/bin" "$dir/usr/sbin"
    ln -s usr/lib usr/lib64 usr/bin usr/sbin "$dir" # as on an installed system, whichever of the two a package uses
    for deb in "$dir.debs"/*.deb; do dpkg --fsys-tarfile "$deb" | tar -xC "$dir" --keep-directory-symlink; done
}

pack() { tar -C "$1" --owner=0 --group=0 --numeric-owner --sort=name --mtime=@0 -cf "$2/root.tar" .; }

busybox_root() {
    unpack "$work/busybox-static" busybox-static
    mkdir -p "$1/bin" "$1/root" "$1/tmp"
    cp "$work/busybox-static/bin/busybox" "$1/bin/"
    for applet in $("$1/bin/busybox" --list); do [ "$applet" = busybox ] || ln -s busybox "$1/bin/$applet"; done
    chmod 1777 "$1/tmp"
}

# A program out of packages that are unpacked in DIR, with the loader and the libraries that it needs:
# program DIR PATH ROOT
program() {
    loader=lib64/ld-linux-x86-64.so.2
    mkdir -p "$3/lib64" "$3/lib" "$3/${2%/*}"
    cp "$1/$loader" "$3/lib64/"
    cp "$1/$2" "$3/$2"
    "$1/$loader" --library-path "$1/lib/x86_64-linux-gnu" --list "$3/$2" |
        sed -n 's/.* => \([^ ]*\) .*/\1/p' | xargs cp -Lt "$3/lib"
}

registry_root() {
    # shellcheck disable=SC2046 # a list of words
    unpack "$work/registry" docker-registry $("$here/apt.sh" libraries docker-registry)
    program "$work/registry" usr/bin/docker-registry "$1"
}

nginx_root() {
    # shellcheck disable=SC2046 # a list of words
    unpack "$work/nginx" nginx nginx-common $("$here/apt.sh" libraries nginx)
    program "$work/nginx" usr/sbin/nginx "$1"
    mkdir -p "$1/etc/nginx/conf.d" "$1/var/log/nginx" "$1/var/lib/nginx" "$1/var/cache/nginx" "$1/run" "$1/tmp"
    chmod 1777 "$1/tmp"
    cp "$work/nginx/etc/nginx/mime.types" "$1/etc/nginx/"
    printf 'root:x:0:0::/:\nwww-data:x:33:33::/:\n' >"$1/etc/passwd"
    printf 'root:x:0:\nwww-data:x:33:\n' >"$1/etc/group"
}

haproxy_root() {
    # shellcheck disable=SC2046 # a list of words
    unpack "$work/haproxy" haproxy $("$here/apt.sh" libraries haproxy)
    program "$work/haproxy" usr/sbin/haproxy "$1"
    mkdir -p "$1/usr/local/etc/haproxy" "$1/var/lib/haproxy" "$1/etc"
    printf 'root:x:0:0::/:\nhaproxy:x:99:99::/var/lib/haproxy:\n' >"$1/etc/passwd"
    printf 'root:x:0:\nhaproxy:x:99:\n' >"$1/etc/group"
}

redis_root() {
    # shellcheck disable=SC2046 # a list of words
    unpack "$work/redis" redis-server redis-tools $("$here/apt.sh" libraries redis-server redis-tools)
    for command in redis-server redis-cli; do program "$work/redis" usr/bin/$command "$1"; done
}

# build NAME FOLDER [ROOT]: ROOT is a function that fills a folder with the image's files.
build() {
    context=$work/context
    rm -rf "$context" "$work/root"
    cp -r "$2" "$context"
    if [ $# = 3 ]; then
        mkdir "$work/root"
        "$3" "$work/root"
        pack "$work/root" "$context"
    fi
    echo "building $1"
    # The classic builder, as Debian's packages have no other
    DOCKER_BUILDKIT=0 docker build -q --label "podlike-build=$inputs" -t "$1" "$context" >"$work/log" 2>&1 || {
        cat "$work/log" >&2
        exit 1
    }
}

# shellcheck disable=SC2086 # a list of words
inputs=$(find .ci/images.sh $folders -type f -exec sha256sum {} + | sort | sha256sum | cut -c1-16)
current() {
    for image; do
        [ "$(docker image inspect -f '{{index .Config.Labels "podlike-build"}}' "$image" 2>/dev/null)" = "$inputs" ] || return 1
    done
}
current podlike-test/busybox podlike-test/old podlike-test/healthcheck podlike-test/declared podlike-test/registry podlike-test/redis \
    podlike-test/haproxy demo/app demo/nginx && exit 0

build podlike-test/busybox tests/support/images/busybox busybox_root
build podlike-test/healthcheck tests/support/images/healthcheck
build podlike-test/old tests/support/images/old
build podlike-test/declared tests/support/images/declared
build podlike-test/registry tests/support/images/registry registry_root
build podlike-test/haproxy tests/support/images/haproxy haproxy_root
build podlike-test/redis tests/support/images/redis redis_root
build demo/app examples/sidecar/app
build demo/nginx examples/sidecar/nginx nginx_root
