#!/bin/sh
# Watches with valgrind what runs in the lives of some pods and of a health check, on the engine that answers, and writes
# the names of these functions, for link.sh: first what a health check needs, then the rest.
# Usage: orderfile.sh BINARY FILE    BINARY with its symbols
set -eu
[ $# = 2 ] || { sed -n '4s/^# //p' "$0" >&2; exit 2; }
binary=$(readlink -f "$1") file=$2
here=$(dirname "$0")
command -v valgrind >/dev/null || "$here/apt.sh" install valgrind
work=$(mktemp -d)
pod=podlike-orderfile-$$
trap '{ docker stop "$pod"; docker rm -fv "$pod"; } >/dev/null 2>&1 || true; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# life LOGS OPTION...: runs a pod until it has nothing more to do, asks for its health, and ends it.
life() {
    logs=$1; shift
    docker run --detach --name "$pod" --ipc=shareable --volume /var/run/docker.sock:/var/run/docker.sock \
        --volume /usr:/usr:ro --volume /usr/lib:/lib:ro --volume /usr/lib64:/lib64:ro \
        --label podlike-build= --volume "$binary:/podlike:ro" --volume "$here/orderfile.sh:/etc/to-copy:ro" --volume "$work:/work" "$@" \
        --no-healthcheck --entrypoint /usr/bin/valgrind podlike-test/busybox --tool=callgrind --demangle=no \
        --show-below-main=yes --callgrind-out-file="/work/life.$logs" /podlike "-logs=$logs" >/dev/null
    sleep 20
    docker exec "$pod" /usr/bin/valgrind --tool=callgrind --demangle=no --show-below-main=yes \
        --callgrind-out-file="/work/check.$logs" /podlike healthcheck >/dev/null 2>&1 || { docker logs "$pod" >&2; exit 1; }
    docker kill --signal TERM "$pod" >/dev/null
    code=$(docker wait "$pod")
    [ "$code" = 0 ] || { docker logs "$pod" >&2; echo "orderfile.sh: a pod ended with $code" >&2; exit 1; }
    docker rm -v "$pod" >/dev/null
}

stays='{image: podlike-test/busybox, command: tail -f /dev/null}'
talks='{image: podlike-test/busybox, depends_on: {a: {condition: service_healthy}}, init: false, working_dir: /tmp,
    environment: {A: b}, command: [sh, -c, "trap exit TERM; while sleep 0.2; do echo out; echo err >&2; done"]}'
checked='{image: podlike-test/busybox, command: tail -f /dev/null, healthcheck: {test: "true", interval: 1s}}'
life false --label "pod.component.a=$stays" --label "pod.component.b=$stays" --label "pod.component.c=$stays"
# Some more, so that trees have a second level; the arguments of the script become options of the pod.
for number in $(seq 12); do set -- "$@" --label "pod.component.m$number=$stays"; done
shift 2
life true "$@" --label "pod.component.a=$checked" --label "pod.component.b=$talks" --label "pod.copy.b=/etc/to-copy:/tmp/copy"

# named FILE...: what was run, and called. Valgrind does not name what has no size, musl's assembler.
named() { sed -n "s/^c\{0,1\}fn=([0-9]*) \([_A-Za-z][^']*\).*/\1/p" "$@" | grep -v '^OUTLINED_FUNCTION' | LC_ALL=C sort -u; }
{
    printf '%s\n' _start _init _fini frame_dummy memcpy memmove memset __set_thread_area __clone __unmapself __restore_rt \
        __syscall_cp_asm
    named "$work"/check.*
    named "$work"/life.*
} | awk '!seen[$0]++' >"$file.new"
mv "$file.new" "$file"
echo "$file: $(wc -l <"$file") functions"
