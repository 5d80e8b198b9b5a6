#!/bin/sh
# apt-get for the other scripts: quiet, unattended, and with fresh package lists where they are missing or old.
# Usage: apt.sh install PACKAGE...         needs root
#        apt.sh download DIR PACKAGE...    puts the .deb files into DIR, installs nothing
#        apt.sh foreign ARCHITECTURE DIR PACKAGE...    the same for another architecture than this machine's
#        apt.sh libraries PACKAGE...       prints the library packages that they need, and those that these need
set -eu
out=$(mktemp)
foreign= # the architecture, and the folder of what apt knows of it
trap 'rm -rf "$out" ${foreign:+"$foreign"}' EXIT

apt() {
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 \
        -o APT::Sandbox::User=root "$@" >>"$out" 2>&1
}

needs() { apt-cache depends --important "$@" 2>>"$out" | sed -n 's/^.*Depends: \(z\{0,1\}lib[^ ]*\)$/\1/p'; }

# From here on apt knows the packages of another architecture, and of Debian's main alone, in a state of its own.
# shellcheck disable=SC2016 # apt's own variables
go_foreign() {
    foreign=$(mktemp -d)
    mkdir -p "$foreign/lists/partial" "$foreign/cache/archives/partial"
    : >"$foreign/status"
    keys=/usr/share/keyrings/debian-archive-keyring.gpg
    apt-get indextargets --format '$(LABEL) $(COMPONENT) $(REPO_URI) $(RELEASE) main' |
        sed -n 's/^Debian main //p' | sort -u | sed "s|^|deb [signed-by=$keys] |" >"$foreign/sources"
    cat >"$foreign/apt.conf" <<CONF
APT::Architecture "$1";
#clear APT::Architectures;
APT::Architectures { "$1"; };
Acquire::Languages "none";
Dir::State "$foreign";
Dir::State::status "$foreign/status";
Dir::Cache "$foreign/cache";
Dir::Etc::sourcelist "$foreign/sources";
Dir::Etc::sourceparts "/dev/null";
CONF
    export APT_CONFIG="$foreign/apt.conf"
}

what=${1:-}
[ $# -lt 2 ] || shift
case $what in
    install) try() { apt install -y --no-install-recommends "$@"; } ;;
    download)
        mkdir -p "$1" && cd "$1" && shift
        try() { apt download "$@"; } ;;
    foreign)
        architecture=$1
        mkdir -p "$2" && cd "$2" && shift 2
        try() { [ -n "$foreign" ] || go_foreign "$architecture"; apt download "$@"; } ;;
    libraries)
        # shellcheck disable=SC2046,SC2086 # lists of words
        try() { direct=$(needs "$@") && [ -n "$direct" ] && printf '%s\n' $direct $(needs --recurse $direct) | sort -u; } ;;
    *) sed -n '3,6s/^# //p' "$0" >&2; exit 2 ;;
esac

command -v apt-get >/dev/null || { echo "apt.sh: no apt-get here: please provide by hand: $*" >&2; exit 1; }
try "$@" || { apt update && try "$@"; } || {
    cat "$out" >&2
    echo "apt.sh: could not $what: $* (is a Debian mirror reachable, and is this root?)" >&2
    exit 1
}
