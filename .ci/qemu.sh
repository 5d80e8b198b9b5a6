#!/bin/sh
# Runs podlike's binary for another architecture with Debian's qemu-user: its commands here, and a whole pod on the real
# engine. The controller is in an image of its own there, that binary and qemu; its components are of this machine's.
# Usage: qemu.sh WORK TARGET BINARY NATIVE    WORK is a folder for qemu, which is not installed; NATIVE this machine's podlike
set -eu
[ $# = 4 ] || { sed -n '4s/^# //p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
work=$(cd "$1" && pwd)
binary=$3 native=$4
case $2 in
    aarch64-*) name=aarch64 ;;
    armv7-*) name=arm ;;
    *) echo "qemu.sh: knows no '$2'" >&2; exit 2 ;;
esac
image=podlike-qemu-$name
pod=podlike-qemu-$$
cd "$here/.."

fail() {
    echo "FAILED: $*" >&2
    docker logs "$pod" >&2 2>/dev/null || true
    exit 1
}
ok() { echo "ok: $*"; }
trap 'docker rm -fv "$pod" "$pod.podlike.web" "$pod.podlike.log" >/dev/null 2>&1 || true' EXIT
trap 'exit 130' INT TERM

qemu=$work/usr/bin/qemu-$name-static
if [ ! -x "$qemu" ]; then
    "$here/apt.sh" download "$work/debs" qemu-user-static
    for deb in "$work"/debs/*.deb; do dpkg --fsys-tarfile "$deb" | tar -x -C "$work" "./usr/bin/qemu-$name-static"; done
    rm -r "$work/debs"
fi
podlike() { "$qemu" "$binary" "$@"; }
# until_so WHAT COMMAND...: waits until the command succeeds.
until_so() {
    what=$1; shift
    for _ in $(seq 240); do
        if "$@" >/dev/null 2>&1; then ok "$what"; return; fi
        sleep 0.5
    done
    fail "$what"
}


version=$(podlike version) || fail "version"
case $version in *"($name-"*) ok "version: $version" ;; *) fail "that is no version for $2: $version" ;; esac

# same WORDS...: what it prints, and its exit code, are those of this machine's own.
same() {
    code=0 expected=0
    podlike "$@" </dev/null >"$work/out" 2>&1 || code=$?
    "$native" "$@" </dev/null >"$work/expected" 2>&1 || expected=$?
    if [ $code != $expected ] || ! cmp -s "$work/out" "$work/expected"; then fail "$*: exit code $code: $(cat "$work/out")"; fi
    ok "$*: exit code $code, $(wc -l <"$work/out") lines, the same as natively"
}
same validate -f examples/sidecar/stack.yml
same validate --json -f examples/sidecar/stack.yml
echo '{services: {a: {image: x, surprise: 1}}}' >"$work/wrong.yml"
same validate -f "$work/wrong.yml"
cat >"$work/stack.yml" <<'STACK'
x-podlike:
  web:
    templates:
      inline: {proxy: {image: 'shop/proxy:2', environment: {TARGET: '127.0.0.1:{{ .Args.Port }}'}}}
    args: {Port: 12000}
services:
  web: {image: 'shop/web:7', ports: ['8080:80'], healthcheck: {test: [CMD, check]}}
STACK
same template "$work/stack.yml"

# A component that is healthy by a file that is copied from the controller, and one in the same network that asks it.
mkdir -p "$work/image"
cp "$qemu" "$work/image/qemu"
cp "$binary" "$work/image/podlike"
cat >"$work/image/Dockerfile" <<'DOCKERFILE'
FROM scratch
LABEL podlike-build=
COPY qemu podlike /
HEALTHCHECK --interval=1s --timeout=20s --start-period=2m CMD ["/qemu", "/podlike", "healthcheck"]
ENTRYPOINT ["/qemu", "/podlike"]
DOCKERFILE
DOCKER_BUILDKIT=0 docker build -q -t "$image" "$work/image" >"$work/log" 2>&1 || fail "the image: $(cat "$work/log")"
echo "by qemu" >"$work/page"
docker run -d --name "$pod" -v /var/run/docker.sock:/var/run/docker.sock:ro -v "$work/page:/page:ro" \
    --label pod.component.web='{image: podlike-test/busybox, command: [httpd, -f, -p, "127.0.0.1:8000", -h, /www],
        healthcheck: {test: [CMD, wget, -qO-, "http://127.0.0.1:8000/page"], interval: 1s, retries: 60}}' \
    --label pod.copy.web=/page:/www/page \
    --label pod.component.log='{image: podlike-test/busybox, depends_on: {web: {condition: service_healthy}},
        command: [sh, -c, "wget -qO- http://127.0.0.1:8000/page; exec tail -f /dev/null"]}' \
    "$image" -logs >/dev/null || fail "docker run"
says() { docker logs "$pod" 2>&1 | grep -q "$1"; }
until_so "a component asks the other in the network that they share, and its line is in the log" says 'log: by qemu$'
is() { [ "$(docker inspect --format "{{.State.$1}}" "$pod")" = "$2" ]; }
until_so "the pod is healthy" is Health.Status healthy
docker stop -t 60 "$pod" >/dev/null
is ExitCode 0 || fail "the exit code is $(docker inspect --format '{{.State.ExitCode}}' "$pod")"
[ -z "$(docker ps -aq --filter "name=^/$pod\.podlike\.")" ] || fail "components are left"
ok "by docker stop it ends with 0, and leaves no component"
