#!/bin/sh
# Links a program with rustc's own lld, so that what a pod's life runs stands together: memory holds but that part.
# .ci/orderfile has the names of these functions, from another build: those are taken for the same that are so without the
# hashes of crates, the places that a name refers back to, the numbers of copies, and the crate that made it of something
# generic. `make orderfile` writes it.
# Usage: link.sh -flavor gnu ARGUMENT...    as rustc has it with -C linker-flavor=ld.lld; SYMBOLS=kept in the environment
set -eu
orderfile=$(dirname "$0")/orderfile
order=$(mktemp)
trap 'rm -f "$order"' EXIT

objects=$(for argument; do case $argument in *.o) echo "$argument" ;; esac; done)
# shellcheck disable=SC2086 # a list of words; paths of a build have no blanks
nm --defined-only --format=posix $objects | awk '
    function plain(name) {
        gsub(/Cs[0-9A-Za-z]+_/, "C_", name)
        gsub(/B[0-9A-Za-z]+_/, "B_", name)
        sub(/(\.llvm)?\.[0-9]+$/, "", name)
        if (match(name, /C_[0-9]+[a-z0-9_]+$/)) {
            maker = substr(name, RSTART + 2)
            if (length(maker) == length(maker + 0) + maker) name = substr(name, 1, RSTART - 1)
        }
        return name
    }
    FILENAME != "-" { rank[plain($1)] = NR; next }
    $2 !~ /^[tTwW]$/ { next }
    plain($1) in rank { print rank[plain($1)], $1 }
    /^OUTLINED_FUNCTION_/ { print 1000000, $1 }' "$orderfile" - | sort -n -k1,1 -k2,2 | cut -d' ' -f2 >"$order"
# Those of libc are in an archive.
grep -v '^_R' "$orderfile" >>"$order"
flavor=$2
shift 2
for argument; do
    shift
    if [ "$argument" = --strip-all ] && [ "${SYMBOLS-}" = kept ]; then continue; fi
    set -- "$@" "$argument"
done
rust-lld -flavor "$flavor" --symbol-ordering-file="$order" --no-warn-symbol-ordering "$@"
