#!/bin/sh
# Shows on a real engine that the limits of a controller hold for the sum of its components, and that nothing else suffers
# by it: health checks, top, stats, update, exec, the end of orphans, the removal of the controller. It takes an engine with
# cgroup v2 and all of the kernel's controllers, with the cgroupfs driver or systemd's. It removes only what it made.
# Usage: DOCKER_HOST=... [SOCKET=...] limits.sh IMAGE BUSYBOX     the image of podlike, and one with a shell
set -eu
image=${1:?the image of podlike} busybox=${2:?an image with a shell}
name=podlike-limits-$$
# Where the host has the socket of the engine.
socket=${SOCKET:-/var/run/docker.sock}
driver=$(docker info --format '{{.CgroupDriver}}')
[ "$(docker info --format '{{.CgroupVersion}}')" = 2 ] || { echo "limits.sh: this engine has cgroup v1" >&2; exit 2; }
trap 'docker rm -f "$name" >/dev/null 2>&1 || true' EXIT

fail() { echo "FAILED: $*" >&2; sleep 3; docker logs "$name" >&2 || true; exit 1; }
ok() { echo "ok: $*"; }
says() { docker logs "$name" 2>&1 | grep -qE "$1"; }
healthy() { [ "$(docker inspect --format '{{.State.Health.Status}}' "$name")" = healthy ]; }
runs() { [ "$(docker inspect --format '{{.State.Running}}' "$1" 2>/dev/null)" = true ]; }
of() { docker inspect --format "{{.HostConfig.$2}}" "$name.podlike.$1"; }
# until_so WHAT COMMAND...: waits until the command succeeds, some minutes on a slow machine.
until_so() {
    what=$1; shift
    for _ in $(seq 400); do
        if "$@"; then ok "$what"; return; fi
        sleep 0.5
    done
    fail "$what"
}
# host COMMAND...: in the namespaces of the host.
host() { docker run --rm --privileged --pid=host "$busybox" nsenter -t 1 -m -n -i -- "$@"; }
# run FLAG COMPONENT...: a controller with limits, and components as NAME=TEXT.
run() {
    flag=$1; shift
    for component; do set -- "$@" --label "pod.component.$component"; shift; done
    docker rm -f "$name" >/dev/null 2>&1 || true
    docker run -d --name "$name" --memory 64m --memory-swap 64m --pids-limit 80 --health-interval 2s --health-timeout 20s \
        -v "$socket:/var/run/docker.sock:ro" "$@" "$image" -logs "$flag" >/dev/null
}
# A component that runs a script; a third word has more keys.
sh_() { printf '%s={image: %s, stop_grace_period: 2m, command: [sh, -c, "%s"]%s}' "$1" "$busybox" "$2" "${3:+, $3}"; }

eats='while :; do head -c 100000000 /dev/zero | tail -c 99999999 >/dev/null; echo eaten $?; sleep 1; done'
# shellcheck disable=SC2016 # the component's own variables
holds='mkfifo /p; (head -c 40000000 /dev/zero; sleep 1000) >/p & tail -c 40000001 </p >/dev/null & wait $!; exit $?'
# shellcheck disable=SC2016
forks='for n in $(seq 120); do sleep 1000 & done; echo all; sleep 1000'
stays='sleep 100000'

if [ "$driver" = systemd ]; then
    run -cgroup=auto "$(sh_ a "$stays")"
    until_so "the default is a limit for each" says 'hold for each component, not for their sum'
    until_so "a component starts" runs "$name.podlike.a"
    [ "$(of a Memory)" = 67108864 ] || fail "a component has no limit"
    docker stop -t 200 "$name" >/dev/null
fi

# The pod's limit, with a component that has none and one that has its own.
run -cgroup=slice "$(sh_ big "$eats")" "$(sh_ own "$stays" 'mem_limit: 32m, cpus: 0.25, pids_limit: 20')" \
    "$(sh_ orphan "(setsid sleep 98765 &); $stays")"
until_so "who eats more than the pod has is killed" says 'big: eaten (137|1)$'
parent=$(of big CgroupParent)
[ -n "$parent" ] || fail "no parent: $(docker logs "$name" 2>&1 | grep warning)"
[ "$(of big Memory)" = 0 ] || fail "it has a limit of its own"
echo "    below $parent"
until_so "a component with limits of its own runs" runs "$name.podlike.own"
until_so "the controller is healthy" healthy
docker top "$name.podlike.own" | grep -q sleep || fail "top of a component"
docker top "$name" | grep -q podlike || fail "top of the controller"
docker exec "$name.podlike.own" true || fail "exec in a component"
docker exec "$name" /podlike healthcheck >/dev/null || fail "exec in the controller"
docker stats --no-stream --format '{{.MemUsage}}' "$name.podlike.own" | grep -q 32MiB || fail "stats"
docker update --memory 24m --memory-swap 24m "$name.podlike.own" >/dev/null || fail "update of a component"
docker update --memory 72m --memory-swap 72m "$name" >/dev/null || fail "update of the controller"
ok "top, exec, stats and update work"
if [ "$driver" = systemd ]; then
    host systemctl daemon-reload
    now=$(docker logs "$name" 2>&1 | grep -c 'big: eaten')
    more() { [ "$(docker logs "$name" 2>&1 | grep -cE 'big: eaten (137|1)$')" -gt "$((now + 1))" ]; }
    until_so "the limit survives a daemon-reload" more
fi
checks() { docker inspect --format '{{len .State.Health.Log}}{{range .State.Health.Log}} {{.ExitCode}}{{end}}' "$name"; }
case $(checks) in *" 1"*) fail "a health check failed: $(checks)" ;; *) ok "no health check has failed: $(checks)" ;; esac
docker stop -t 200 "$name" >/dev/null
[ "$(docker wait "$name")" = 0 ] || fail "the pod did not end well"
! host ps ax | grep 'sleep 9876[5]' || fail "an orphan is left"
[ -z "$(docker ps -aq --filter "label=podlike.controller.id=$(docker inspect --format '{{.Id}}' "$name")")" ] || fail "containers are left"
ok "no orphan and no container is left"

run -cgroup=slice "$(sh_ a "$holds")" "$(sh_ b "sleep 5; echo begins; $holds")"
until_so "one may have what two may not" says 'b: begins'
until_so "two that need more than the pod has end it" says "the pod ended with component '[ab]', exit code 137"
[ "$(docker wait "$name")" = 137 ] || fail "exit code $(docker wait "$name")"

run -cgroup=slice "$(sh_ forks "$forks")"
until_so "who forks more than the pod may cannot" says "can't fork|Resource temporarily unavailable"

id=$(docker inspect --format '{{.Id}}' "$name")
docker rm -f "$name" >/dev/null
gone() { ! host find /sys/fs/cgroup -type d -name "*$id*" | grep -q .; }
[ "$driver" = systemd ] || until_so "no cgroup of the controller is left" gone
docker ps -aq --filter "label=podlike.controller.id=$id" | xargs -r docker rm -f >/dev/null
if [ "$driver" = systemd ]; then
    short=$(echo "$id" | cut -c1-12)
    # The last one was killed, and had no time to stop its slice.
    host systemctl list-units --all --plain --no-legend 'podlike-*' | grep -v "podlike-$short" && fail "a slice is left"
    host systemctl stop "podlike-${short}_*.slice"
    ok "no slice is left by a pod that ended"
fi
echo "all is well with the $driver driver"
