#!/bin/sh
# Builds the static binary again, in a copy of this folder under another name, and by another name of cargo's home; and tells
# whether the bytes are the same. What is built there stays, so that the next time only what has changed is built.
# Usage: reproducible.sh BINARY WORK TARGET [MAKE-VARIABLE...]    WORK is a folder for the copy
set -eu
[ $# -ge 3 ] || { sed -n '4s/^# //p' "$0" >&2; exit 2; }
binary=$1 target=$3
mkdir -p "$2"
work=$(cd "$2" && pwd)
shift 3
cd "$(dirname "$0")/.."

# Files keep their times, by which cargo knows what has changed; those that are gone must not stay.
copy=$work/a-folder-with-quite-another-name
mkdir -p "$copy" "$work/home"
for folder in src tests examples .ci; do rm -rf "${copy:?}/$folder"; done
cp -pR src tests examples .ci Cargo.toml Cargo.lock Makefile "$copy/"

# The same crates by another name, for their paths are what could get into the binary.
home=${CARGO_HOME:-$HOME/.cargo}
for entry in "$home"/* "$home"/.[a-z]*; do
    [ ! -e "$entry" ] || ln -sfn "$entry" "$work/home/${entry##*/}"
done

env -u CARGO_TARGET_DIR -u MAKEFLAGS -u MAKELEVEL PATH="$PATH:$home/bin" RUSTUP_HOME="${RUSTUP_HOME:-$HOME/.rustup}" \
    CARGO_HOME="$work/home" "${MAKE:-make}" -C "$copy" static TARGET="$target" "$@"
again=$copy/target/$target/release/podlike
if ! cmp "$binary" "$again"; then
    echo "reproducible.sh: the same input, but not the same bytes: $binary and $again" >&2
    exit 1
fi
echo "the same bytes again: $(sha256sum <"$binary" | cut -d' ' -f1)"
