#!/bin/sh
# A throw-away Swarm of three nodes: engines of engines.sh, each with a network namespace that a cable leads out of, and a
# bridge between the cables in a namespace of its own. Nothing is added to the network of this machine.
# Usage: swarm.sh up                      start the nodes, join them, and wait until all of them are ready
#        swarm.sh load IMAGE[=NAME]...    give every node images of this machine's engine, by other names where it says so,
#                                         and those that stand in for public ones (.ci/stand-ins)
#        swarm.sh unplug|plug NODE        pull the cable of a node, put it back
#        swarm.sh halt|start NODE         end a node as a power cut does, start it again with its data
#        swarm.sh status                  the nodes, how to reach them, and the services
#        swarm.sh down                    end all of it, and remove all that it had
#        swarm.sh with COMMAND...         up, run a command, down whatever came of it, unless it was up before
# The nodes are swarm-1, the manager, and swarm-2 and swarm-3. `engines.sh host NODE` says what DOCKER_HOST is for one.
# A machine has one such Swarm: it belongs to the PODLIKE_ENGINES that it was brought up with, and others leave it alone.
set -eu
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
here=$(cd "$(dirname "$0")" && pwd)
nodes='swarm-1 swarm-2 swarm-3'  # the first is the manager
bridge=podlike-swarm # its network namespace
owner=/run/$bridge.owner # has the folder of the engines that the cables lead to

fail() { echo "swarm.sh: $*" >&2; exit 1; }
on() {
    host=$("$here/engines.sh" host "$1")
    shift
    DOCKER_HOST=$host docker "$@"
}
address() { echo "10.99.0.${1##*-}"; }
# The folder of our engines, and that of those that are up if it is another one.
ours() { host=$("$here/engines.sh" host swarm-1) && host=${host#unix://} && echo "${host%/swarm-1/*}"; }
others() { [ -e $owner ] && [ "$(cat $owner)" != "$(ours)" ] && cat $owner; }
only_ours() { ! others=$(others) || fail "the Swarm of another checkout is up; to end it: PODLIKE_ENGINES=$others $0 down"; }

# From now on the Swarm is ours, if nobody was faster.
claim() {
    [ "$(id -u)" = 0 ] || fail "only root can start engines"
    (set -C && ours >$owner) 2>/dev/null || only_ours
}

has_network() { [ -e "/run/netns/podlike-$1" ]; }

# A fresh network namespace for a node, with a cable to the bridge.
wire() {
    unwire "$1"
    own=podlike-$1
    ip netns add "$own"
    ip -n "$own" link set lo up
    ip -n $bridge link add "$1" type veth peer name eth0 netns "$own"
    ip -n $bridge link set "$1" master bridge up
    ip -n "$own" addr add "$(address "$1")/24" dev eth0
    ip -n "$own" link set eth0 up
}

unwire() {
    ip -n $bridge link del "$1" 2>/dev/null || true
    ! has_network "$1" || ip netns del "podlike-$1"
}

start() {
    has_network "$1" || wire "$1"
    "$here/engines.sh" up "$1"
}

state_of() { on "$1" info --format '{{.Swarm.LocalNodeState}}'; }
ready() { on swarm-1 node ls --format '{{.Status}}' | grep -cx Ready || true; }

join() {
    [ "$(state_of swarm-1)" = active ] || on swarm-1 swarm init --advertise-addr "$(address swarm-1)" >/dev/null
    token=$(on swarm-1 swarm join-token --quiet worker)
    for node in $nodes; do
        [ "$(state_of "$node")" = active ] ||
            on "$node" swarm join --advertise-addr "$(address "$node")" --token "$token" "$(address swarm-1):2377" >/dev/null
    done
    deadline=$(($(date +%s) + 60))
    until [ "$(ready)" = "$(echo "$nodes" | wc -w)" ]; do
        [ "$(date +%s)" -lt $deadline ] || { on swarm-1 node ls >&2; fail "not all nodes are ready within a minute"; }
        sleep 0.2
    done
}

up() {
    claim
    command -v ip >/dev/null || "$here/apt.sh" install iproute2
    if [ ! -e /run/netns/$bridge ]; then
        ip netns add $bridge
        ip -n $bridge link add bridge type bridge
        ip -n $bridge addr add 10.99.0.254/24 dev bridge
        ip -n $bridge link set bridge up
    fi
    for node in $nodes; do start "$node"; done
    join
    echo "Swarm of 3 nodes ready"
}

# What a user needs to know of it.
tell() {
    for node in $nodes; do echo "$node: DOCKER_HOST=$("$here/engines.sh" host "$node"), ports at $(address "$node")"; done
    echo "such as: docker stack deploy --resolve-image never ...; ip netns exec $bridge curl $(address swarm-1):PORT"
    [ -e /proc/net/ip_vs ] || cat <<'END'
This kernel has no IPVS, so that every service of a stack needs, and those of examples/ do not have:
    deploy: {endpoint_mode: dnsrr}
    ports: [{target: 80, published: 8080, mode: host}]   # a port of the node that has the task
END
}

load() {
    stand_ins=$(sed '/^#/d' "$here/stand-ins")
    for image in "$@" $stand_ins; do
        from=${image%%=*} name=${image#*=}
        id=$(docker image inspect --format '{{.Id}}' "$from")
        for node in $nodes; do
            [ "$(on "$node" image inspect --format '{{.Id}}' "$name" 2>/dev/null)" != "$id" ] || continue
            on "$node" image inspect "$id" >/dev/null 2>&1 || docker save "$from" | on "$node" load --quiet >/dev/null
            on "$node" tag "$id" "$name"
        done
    done
}

down() {
    # shellcheck disable=SC2086 # a list of words
    "$here/engines.sh" down $nodes
    if others=$(others); then
        echo "the Swarm that is up is left alone, it belongs to PODLIKE_ENGINES=$others"
        return
    fi
    for node in $nodes; do unwire "$node"; done
    [ ! -e /run/netns/$bridge ] || ip netns del $bridge
    rm -f $owner
}

with() {
    claim
    [ -e /run/netns/$bridge ] || trap 'down >/dev/null' EXIT
    trap 'exit 130' INT TERM
    up
    "$@"
}

usage() { sed -n '4,11s/^# //p' "$0" >&2; exit 2; }

known() { case " $nodes " in *" $1 "*) ;; *) fail "no node '$1', there are: $nodes" ;; esac; }

what=${1:-}
[ $# = 0 ] || shift
case $what in load | unplug | plug | halt | start | status) only_ours ;; esac
case $what,$# in
    up,0) up ;;
    down,0) down ;;
    status,0) tell && on swarm-1 node ls && on swarm-1 service ls ;;
    load,0 | with,0) usage ;;
    load,*) load "$@" ;;
    with,*) with "$@" ;;
    unplug,1) known "$1" && ip -n $bridge link set "$1" down ;;
    plug,1) known "$1" && ip -n $bridge link set "$1" up ;;
    halt,1) known "$1" && "$here/engines.sh" halt "$1" && unwire "$1" ;;
    start,1) known "$1" && start "$1" ;;
    *) usage ;;
esac
