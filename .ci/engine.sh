#!/bin/sh
# A Docker engine for the demo and the tests: one that answers is left alone, else Debian's docker.io is
# installed where it is missing, and started.
# Usage: engine.sh up        start it if need be, and wait until it answers
#        engine.sh down      stop it, if `up` started it (with systemd, the service is systemd's and stays)
#        engine.sh status    say what answers; exit code 1 if nothing does
# DOCKER_HOST is honoured. Without systemd dockerd runs detached, its output is in /var/log/podlike-engine.log.
set -eu
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
apt=$(dirname "$0")/apt.sh
log=/var/log/podlike-engine.log
pidfile=/var/run/docker.pid
mark=PODLIKE_ENGINE=1 # in the environment of a dockerd that is ours

fail() { echo "engine.sh: $*" >&2; exit 1; }

# The version of the engine, if it answers.
answer() { timeout 5 docker version --format '{{.Server.Version}}' 2>/dev/null; }

# alive PID: it runs and is not a zombie.
alive() { readlink "/proc/$1/exe" >/dev/null 2>&1; }

# is PIDFILE PROGRAM: the process named by the file lives and runs that program, not another one with a re-used number.
is() {
    case $(readlink "/proc/$(cat "$1" 2>/dev/null)/exe" 2>/dev/null) in
        */"$2" | */"$2 (deleted)") return 0 ;;
        *) return 1 ;;
    esac
}

# What an engine that was killed leaves behind: a new dockerd would refuse to start because of it, or wait in vain.
sweep() {
    rm -f "$pidfile"
    is /var/run/docker/containerd/containerd.pid containerd || rm -f /var/run/docker/containerd/containerd.pid
    grep -q ' /run/containerd/containerd.sock$' /proc/net/unix || rm -f /run/containerd/containerd.sock
    [ ! -d /var/run/docker.sock ] || rmdir /var/run/docker.sock # made by the bind mount of a missing socket
}

start() {
    if [ -d /run/systemd/system ]; then
        systemctl start docker || fail "systemctl start docker failed, see journalctl -u docker"
    elif ! is "$pidfile" dockerd; then # else one is just coming up
        sweep
        grep -q ' cgroup2\{0,1\} ' /proc/mounts || mount -t cgroup2 cgroup2 /sys/fs/cgroup
        env "$mark" setsid dockerd </dev/null >"$log" 2>&1 &
        pid=$!
    fi
}

up() {
    command -v docker >/dev/null || "$apt" install docker-cli 2>/dev/null || "$apt" install docker.io
    if version=$(answer); then
        echo "engine $version answers, left as it is"
        return
    fi
    case ${DOCKER_HOST:-} in
        '' | unix:///var/run/docker.sock | unix:///run/docker.sock) ;;
        *) fail "no engine answers at DOCKER_HOST=$DOCKER_HOST; unset it, and one is started here" ;;
    esac
    [ "$(id -u)" = 0 ] || fail "no engine answers, and only root can start one"
    command -v dockerd >/dev/null || "$apt" install docker.io

    pid=
    start
    deadline=$(($(date +%s) + 60))
    until version=$(answer); do
        if [ "$(date +%s)" -ge $deadline ] || { [ -n "$pid" ] && ! alive "$pid" && ! is "$pidfile" dockerd; }; then
            [ -n "$pid" ] || fail "the engine runs, but does not answer (pid $(cat "$pidfile" 2>/dev/null || echo unknown))"
            tail -n 20 "$log" >&2
            fail "dockerd does not answer; its last words are above, all of them in $log"
        fi
        sleep 0.2
    done
    echo "engine $version started"
}

down() {
    if ! is "$pidfile" dockerd || ! tr '\0' '\n' <"/proc/$(cat "$pidfile")/environ" | grep -qx "$mark"; then
        echo "no engine runs that engine.sh started"
        return
    fi
    pid=$(cat "$pidfile")
    kill "$pid"
    deadline=$(($(date +%s) + 60))
    while alive "$pid"; do
        [ "$(date +%s)" -lt $deadline ] || fail "dockerd (pid $pid) does not end, see $log"
        sleep 0.2
    done
    echo "engine stopped"
}

case ${1:-} in
    up) up ;;
    down) down ;;
    status)
        version=$(answer) || fail "no engine answers"
        echo "engine $version answers" ;;
    *) sed -n '4,6s/^# //p' "$0" >&2; exit 2 ;;
esac
