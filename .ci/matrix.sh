#!/bin/sh
# The life of a pod on one engine after the other: runs tests/life.rs on each, and prints the table engine × behaviour.
# Usage: matrix.sh WORK ENGINE...    WORK is a folder for the words of each run and the table, matrix.md
# An ENGINE is a name of engines.sh, which is brought up and ended here; or unix:///PATH of one that runs; `-` is the one
# that DOCKER_HOST names. PODLIKE_IMAGE names the image under test. The exit code is 1 if a test failed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 2 ] || { sed -n '3,5s/^# //p' "$0" >&2; exit 2; }
mkdir -p "$1"
work=$(cd "$1" && pwd)
shift
cd "$here/.."
: "${PODLIKE_IMAGE:?names the image under test}"
running= # the engine that is to be ended
trap '[ -z "$running" ] || .ci/engines.sh down "$running" >/dev/null' EXIT
trap 'exit 130' INT TERM

# Gives an engine the images of the tests. Podman takes short names for Docker Hub's, and says localhost when it loads.
load() {
    # shellcheck disable=SC2086 # a list of words
    images="podlike-test/busybox podlike-test/healthcheck $PODLIKE_IMAGE"
    # shellcheck disable=SC2086
    docker save $images | DOCKER_HOST=$1 docker load --quiet >/dev/null || return 1
    for image in $images; do
        DOCKER_HOST=$1 docker tag "localhost/$image" "$image" 2>/dev/null ||
            DOCKER_HOST=$1 docker image inspect "$image" >/dev/null || return 1
    done
}

# The head of its column, such as `Docker 26.1, cgroup v1`.
title() {
    product=$(DOCKER_HOST=$1 docker version --format '{{range .Server.Components}}{{.Name}} {{end}}')
    version=$(DOCKER_HOST=$1 docker version --format '{{.Server.Version}}' | cut -d. -f1,2)
    cgroups=$(DOCKER_HOST=$1 docker info --format '{{.CgroupVersion}}{{if eq .CgroupDriver "systemd"}} systemd{{end}}{{range .SecurityOptions}}{{if eq . "name=userns"}}, remapped users{{end}}{{end}}')
    case $product in *Podman*) product=Podman ;; *) product=Docker ;; esac
    echo "$product $version, cgroup v$cgroups"
}

# Finds an engine, or brings it up, and gives it the images: reach ENGINE. Sets host.
reach() {
    case $1 in
        -) host=${DOCKER_HOST:-unix:///var/run/docker.sock} ;;
        unix://*) host=$1 && load "$host" ;;
        *)
            running=$1
            .ci/engines.sh up "$1" >/dev/null && host=$(.ci/engines.sh host "$1") && load "$host" ;;
    esac
}

# Runs the suite: run ENGINE LOG. It is called where a failure does not end the script: each step asks for the one before.
run() {
    echo "$1" >"$2.title"
    : >"$2"
    code=0
    reach "$1" && title "$host" >"$2.title" &&
        PODLIKE_ENGINE=$host "${CARGO:-cargo}" test --locked --test life -- --test-threads=4 --show-output >"$2" 2>&1 || code=1
    if [ -n "$running" ]; then
        .ci/engines.sh down "$running" >/dev/null || code=1
        running=
    fi
    echo "$(cat "$2.title"): $(sed -n 's/^test result: //p' "$2")"
    [ $code = 0 ] || cat "$2" >&2
    return $code
}

# A cell: cell MODULE LOG. The words of `degraded` stand for what an engine cannot do.
cell() {
    awk -v module="$1" '
        $1 == "test" && index($2, module "::") == 1 { if ($NF == "ok") passed++; else if ($NF == "FAILED") failed++ }
        $1 == "----" { here = index($2, module "::") == 1 }
        here && sub(/^degraded: /, "") && !seen[$0]++ { words = words (words ? ", " : "") $0 }
        END { print failed ? "**" failed " of " passed + failed " fail**" : !passed ? "?" : words ? words : "✓" }' "$2"
}

table() {
    head='|' line='|---|'
    for log in "$@"; do head="$head | $(cat "$log.title")" line="$line---|"; done
    echo "$head |"
    echo "$line"
    sed -n 's/^mod \(.*\);$/\1/p' tests/life.rs | grep -vx support | while read -r module; do
        row="| $(sed -n '1s/^\/\/! //p' "tests/life/$module.rs")"
        for log in "$@"; do row="$row | $(cell "$module" "$log")"; done
        echo "$row |"
    done
}

failed=0 logs=
for engine; do
    log=$work/$(echo "$engine" | tr -c 'a-z0-9\n-' _).log
    logs="$logs $log"
    run "$engine" "$log" || failed=1
done
# shellcheck disable=SC2086 # a list of words
table $logs >"$work/matrix.md"
cat "$work/matrix.md"
exit $failed
