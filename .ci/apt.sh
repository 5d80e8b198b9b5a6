#!/bin/sh
# apt-get for the other scripts: quiet, unattended, and with fresh package lists where they are missing or old.
# Usage: apt.sh install PACKAGE...         needs root
#        apt.sh download DIR PACKAGE...    puts the .deb files into DIR, installs nothing
#        apt.sh libraries PACKAGE...       prints the library packages that they need, and those that these need
set -eu
out=$(mktemp)
trap 'rm -f "$out"' EXIT

apt() {
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 \
        -o APT::Sandbox::User=root "$@" >>"$out" 2>&1
}

needs() { apt-cache depends --important "$@" 2>>"$out" | sed -n 's/^.*Depends: \(z\{0,1\}lib[^ ]*\)$/\1/p'; }

what=${1:-}
[ $# -lt 2 ] || shift
case $what in
    install) try() { apt install -y --no-install-recommends "$@"; } ;;
    download)
        mkdir -p "$1" && cd "$1" && shift
        try() { apt download "$@"; } ;;
    libraries)
        # shellcheck disable=SC2046,SC2086 # lists of words
        try() { direct=$(needs "$@") && [ -n "$direct" ] && printf '%s\n' $direct $(needs --recurse $direct) | sort -u; } ;;
    *) sed -n '3,5s/^# //p' "$0" >&2; exit 2 ;;
esac

command -v apt-get >/dev/null || { echo "apt.sh: no apt-get here: please provide by hand: $*" >&2; exit 1; }
try "$@" || { apt update && try "$@"; } || {
    cat "$out" >&2
    echo "apt.sh: could not $what: $* (is a Debian mirror reachable, and is this root?)" >&2
    exit 1
}
