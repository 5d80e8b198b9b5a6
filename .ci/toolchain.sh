#!/bin/sh
# What cargo needs in its environment to build for a musl target, as lines for the shell to take over: a linker, and a C
# compiler for ring; where rustup's target is not installed, the compiler of musl-toolchain.sh, too.
# Usage: eval "$(toolchain.sh FOLDER TARGET)"    musl-toolchain.sh makes its compiler in FOLDER
# What is in the environment already is left as it is.
set -eu
[ $# = 2 ] || { sed -n '4s/^# //p' "$0" >&2; exit 2; }
target=$2
here=$(cd "$(dirname "$0")" && pwd)
cc=CC_$(echo "$target" | tr - _)
linker=CARGO_TARGET_$(echo "$target" | tr a-z- A-Z_)_LINKER

# give NAME VALUE: unless the environment has it.
give() { printenv "$1" >/dev/null || echo "export $1='$2'"; }

# installed COMMAND PACKAGE...: the command is there, or its packages are installed.
installed() {
    command=$1; shift
    command -v "$command" >/dev/null || printenv "$cc" >/dev/null || "$here/apt.sh" install "$@"
    give "$cc" "$command"
}

if ls "$("${RUSTC:-rustc}" --print sysroot)/lib/rustlib/$target"/lib/libstd-*.rlib >/dev/null 2>&1; then
    case $target in
        x86_64-*) installed musl-gcc musl-tools ;;
        aarch64-*) installed aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu libc6-dev-arm64-cross ;;
        armv7-*) installed arm-linux-gnueabihf-gcc gcc-arm-linux-gnueabihf libc6-dev-armhf-cross ;;
        *) echo "toolchain.sh: knows no C compiler for '$target'" >&2; exit 1 ;;
    esac
else
    prefix=$("$here/musl-toolchain.sh" "$1" "$target")
    echo "export RUSTC='$prefix/rustc' $cc='$prefix/cc-$target'"
fi
# Cargo does not know what link.sh reads, but links again where a flag is another.
order=order_$(cat "$here/link.sh" "$here/orderfile" | sha256sum | cut -c1-16)
printenv "$linker" >/dev/null ||
    printf "export %s='%s' RUSTFLAGS=\"\$RUSTFLAGS -C linker-flavor=ld.lld --cfg %s\"\n" "$linker" "$here/link.sh" "$order"
