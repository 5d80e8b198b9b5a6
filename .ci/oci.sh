#!/bin/sh
# An image for many architectures, as an OCI image layout: what Dockerfile.scratch says, around one binary for each. The same
# binaries give the same bytes. Neither an engine nor root is needed.
# Usage: oci.sh FOLDER TARGET=BINARY...    what FOLDER has of an older one goes
# SOURCE_DATE_EPOCH is the time of all in it, 1970 without.
set -eu
[ $# -ge 2 ] || { sed -n '4s/^# //p' "$0" >&2; exit 2; }
dockerfile=$(cd "$(dirname "$0")/.." && pwd)/Dockerfile.scratch
epoch=${SOURCE_DATE_EPOCH:-0}
layout=$1
shift

fail() { echo "oci.sh: $*" >&2; exit 1; }

# A platform, as members of a JSON object.
platform() {
    case $1 in
        x86_64-*) echo '"architecture":"amd64","os":"linux"' ;;
        aarch64-*) echo '"architecture":"arm64","os":"linux"' ;;
        armv7-*) echo '"architecture":"arm","os":"linux","variant":"v7"' ;;
        *) fail "knows no platform for the target '$1'" ;;
    esac
}

# blob FILE TYPE [MEMBERS]: moves it to where its digest says; prints its descriptor, with more members.
blob() {
    digest=$(sha256sum <"$1" | cut -d' ' -f1)
    printf '{"mediaType":"application/vnd.oci.image.%s","digest":"sha256:%s","size":%s%s}' \
        "$2" "$digest" "$(wc -c <"$1")" "${3:+,$3}"
    mv "$1" "$layout/blobs/sha256/$digest"
}

# What comes after a word of the Dockerfile; its `\` at the end of a line are followed.
said() { sed -e ':a' -e '/\\$/{N;s/\\\n//;ba' -e '}' "$dockerfile" | sed -n "s/^$1 *//p"; }

# nanoseconds OPTION: of the health check.
nanoseconds() {
    time=$(said HEALTHCHECK | sed -n "s/.*--$1=\([0-9]*[sm]\) .*/\1/p")
    case $time in
        *s) echo "${time%s}000000000" ;;
        *m) echo "$((${time%m} * 60))000000000" ;;
        *) fail "$dockerfile has no --$1 in seconds or minutes" ;;
    esac
}

# What a container of it has, as the engine makes it of the Dockerfile.
container() {
    labels=$(said LABEL | grep -o '[^ ]*="[^"]*"' | sed 's/^\([^=]*\)=/"\1":/' | paste -sd,)
    test=$(said HEALTHCHECK | sed -n 's/.* CMD \[\(.*\)\]$/"CMD",\1/p')
    retries=$(said HEALTHCHECK | sed -n 's/.*--retries=\([0-9]*\) .*/\1/p')
    entrypoint=$(said ENTRYPOINT)
    for found in "$labels" "$test" "$retries" "$entrypoint"; do [ -n "$found" ] || fail "cannot read $dockerfile"; done
    interval=$(nanoseconds interval) && timeout=$(nanoseconds timeout) && start=$(nanoseconds start-period) || exit 1
    printf '{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Entrypoint":%s,' "$entrypoint"
    printf '"Labels":{%s},"Healthcheck":{"Test":[%s],' "$labels" "$test"
    printf '"Interval":%s,"Timeout":%s,"StartPeriod":%s,"Retries":%s}}' "$interval" "$timeout" "$start" "$retries"
}

rm -rf "$layout/blobs" "$layout/index.json" "$layout/oci-layout"
mkdir -p "$layout/blobs/sha256"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
container=$(container)
created=$(date -u -d "@$epoch" +%Y-%m-%dT%H:%M:%SZ)
manifests=
for pair; do
    platform=$(platform "${pair%%=*}")
    cp "${pair#*=}" "$work/podlike"
    tar -c --format=ustar --mtime="@$epoch" --owner=0 --group=0 --numeric-owner --mode=755 -C "$work" podlike >"$work/tar"
    diff=$(sha256sum <"$work/tar" | cut -d' ' -f1)
    gzip -9n <"$work/tar" >"$work/layer"
    layer=$(blob "$work/layer" layer.v1.tar+gzip)
    printf '{"created":"%s",%s,"config":%s,"rootfs":{"type":"layers","diff_ids":["sha256:%s"]},"history":[{"created":"%s","created_by":"podlike"}]}' \
        "$created" "$platform" "$container" "$diff" "$created" >"$work/config"
    config=$(blob "$work/config" config.v1+json)
    printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":%s,"layers":[%s]}' \
        "$config" "$layer" >"$work/manifest"
    manifests="$manifests${manifests:+,}$(blob "$work/manifest" manifest.v1+json "\"platform\":{$platform}")"
done
index='{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[%s]}'
# One image, for all architectures: what copies an image takes the only one that the layout names.
# shellcheck disable=SC2059 # the format is ours
printf "$index" "$manifests" >"$work/index"
# shellcheck disable=SC2059
printf "$index" "$(blob "$work/index" index.v1+json)" >"$layout/index.json"
printf '{"imageLayoutVersion":"1.0.0"}' >"$layout/oci-layout"
echo "$layout: an OCI image of $# architectures"
