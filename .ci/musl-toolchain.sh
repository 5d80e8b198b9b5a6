#!/bin/sh
# A Rust compiler that builds for musl, out of Debian's packages alone (rustc-web and the LLVM that it was built with), for
# a machine where `rustup target add` cannot download. The target is x86_64-unknown-linux-musl, aarch64-unknown-linux-musl
# or armv7-unknown-linux-musleabihf.
# Usage: musl-toolchain.sh FOLDER TARGET, which prints a PREFIX; then RUSTC=PREFIX/rustc CC_<target>=PREFIX/cc-TARGET \
#        CARGO_TARGET_<TARGET>_LINKER=rust-lld cargo build --target TARGET
# Installs nothing. Takes some 120 MB of downloads and 800 MB on disk, and two minutes for each target, once. Each version
# of this script has a PREFIX of its own in FOLDER.
set -eu
[ $# = 2 ] || { sed -n '5,6s/^# //p' "$0" >&2; exit 2; }
target=$2
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
prefix=$(cd "$1" && pwd)/musl-$(sha256sum <"$0" | cut -c1-12)
apt=$here/apt.sh

fail() { echo "musl-toolchain.sh: $*; with rustup: rustup target add $target" >&2; exit 1; }

# What Debian calls it, and what LLVM does.
case $target in
    x86_64-unknown-linux-musl) debian=amd64 triple=x86_64-linux-musl ;;
    aarch64-unknown-linux-musl) debian=arm64 triple=aarch64-linux-musl ;;
    armv7-unknown-linux-musleabihf) debian=armhf triple=arm-linux-musleabihf ;;
    *) fail "knows no target '$target'" ;;
esac

# The compiler, the source of its std, and the libraries that it loads (but those of every Debian); with clang and lld, for
# the C that is in ring and the link of other architectures.
make_compiler() {
    echo "making a Rust compiler in $prefix" >&2
    rm -rf "$prefix.new"
    mkdir -p "$prefix.new"
    cd "$prefix.new"
    libraries=$("$apt" libraries libstd-rust-web-dev | grep -vx 'libc6\|libgcc-s1\|libstdc++6')
    llvm=$(echo "$libraries" | sed -n 's/^libllvm\([0-9]*\)$/\1/p')
    [ -n "$llvm" ] || fail "Debian has no rustc-web here, or it names no LLVM"
    echo "$llvm" >llvm
    # shellcheck disable=SC2086 # a list of words
    "$apt" download debs rustc-web rust-web-src libstd-rust-web-dev $libraries \
        "clang-$llvm" "libclang-cpp$llvm" "libclang-common-$llvm-dev" "lld-$llvm" || fail "cannot download the compiler"
    for deb in debs/*.deb; do
        case $deb in
            */rust-web-src_*) dpkg --fsys-tarfile "$deb" | tar -x --wildcards './usr/lib/rustlib/*' './usr/src/rustc-*/library' ;;
            *) dpkg -x "$deb" . ;;
        esac
    done
    rm -r debs

    cat >rustc <<'EOT'
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
export LD_LIBRARY_PATH="$here/usr/lib/x86_64-linux-gnu:$here/lib/x86_64-linux-gnu"
exec "$here/usr/bin/rustc" "$@"
EOT
    chmod +x rustc
    # Where rustup has it, so that rustc finds it by its name alone.
    mkdir -p usr/lib/rustlib/x86_64-unknown-linux-gnu/bin
    ln -s "../../../llvm-$llvm/bin/lld" usr/lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld
    rm -rf "$prefix"
    mv "$prefix.new" "$prefix"
}

# A C compiler with the headers of musl alone; rustc links by itself.
make_cc() {
    if [ $debian = amd64 ]; then
        compiler=gcc headers="\$(gcc -print-file-name=include)"
    else
        compiler="$prefix/usr/lib/llvm-$llvm/bin/clang --target=$triple" headers="$prefix/usr/lib/llvm-$llvm/lib/clang/$llvm/include"
    fi
    cat >"$1" <<EOT
#!/bin/sh
export LD_LIBRARY_PATH="$prefix/usr/lib/x86_64-linux-gnu:$prefix/lib/x86_64-linux-gnu"
exec $compiler -nostdinc -isystem "$prefix/$target/usr/include/$triple" -isystem "$headers" "\$@"
EOT
    [ $debian != amd64 ] || sed -i '/^export/d' "$1"
    chmod +x "$1"
}

# What the target has in self-contained/ when it comes from rustup: musl, and what stands around and below a program.
make_self_contained() {
    musl=usr/lib/$triple
    gcc_version=$(gcc -dumpversion | cut -d. -f1)
    if [ $debian = amd64 ]; then
        "$apt" download debs musl-dev "libunwind-$llvm-dev"
    else
        "$apt" foreign $debian debs musl-dev "libgcc-$gcc_version-dev" libunwind-19-dev
    fi || fail "cannot download what a program for $target needs"
    for deb in debs/*.deb; do dpkg -x "$deb" .; done
    rm -r debs
    mkdir -p self-contained
    cp "$musl"/*.o "$musl"/lib*.a self-contained/
    for file in crtbegin.o crtbeginS.o crtend.o crtendS.o; do
        if [ $debian = amd64 ]; then from=$(gcc -print-file-name=$file); else from=$(echo usr/lib/gcc/*/*/$file); fi
        cp "$from" self-contained/
    done
    cp usr/lib/llvm-*/lib/libunwind.a self-contained/
    # LLVM's libunwind was built against glibc: give it the checked functions that musl lacks.
    cat >chk.c <<'EOT'
typedef __builtin_va_list list;
struct file;
int vfprintf(struct file *, const char *, list);
int vsnprintf(char *, __SIZE_TYPE__, const char *, list);
int __vfprintf_chk(struct file *f, int flag, const char *format, list args) { return vfprintf(f, format, args); }
int __vsnprintf_chk(char *to, __SIZE_TYPE__ max, int flag, __SIZE_TYPE__ size, const char *format, list args)
{
    return vsnprintf(to, max, format, args);
}
int __fprintf_chk(struct file *f, int flag, const char *format, ...)
{
    list args;
    __builtin_va_start(args, format);
    int n = vfprintf(f, format, args);
    __builtin_va_end(args);
    return n;
}
int __snprintf_chk(char *to, __SIZE_TYPE__ max, int flag, __SIZE_TYPE__ size, const char *format, ...)
{
    list args;
    __builtin_va_start(args, format);
    int n = vsnprintf(to, max, format, args);
    __builtin_va_end(args);
    return n;
}
EOT
    "$prefix/cc-$target.new" -w -Os -fPIC -fno-stack-protector -c chk.c -o chk.o
    chmod u+w self-contained/libunwind.a
    ar r self-contained/libunwind.a chk.o 2>/dev/null
}

# std, built once; panic_abort alone with the abort strategy, as rustc's own build does.
make_std() {
    cat >wrap <<'EOT'
#!/bin/sh
case " $* " in *" --crate-name panic_abort "*) exec "$@" -C panic=abort ;; esac
exec "$@"
EOT
    chmod +x wrap
    mkdir -p std/src
    : >std/src/lib.rs
    printf '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n' >std/Cargo.toml
    source=$(echo "$prefix"/usr/src/rustc-*/library)
    (
        cd std
        unset CARGO_TARGET_DIR CARGO_BUILD_TARGET
        export CARGO_PROFILE_RELEASE_OPT_LEVEL=z
        export RUSTC="$prefix/rustc" RUSTC_WRAPPER="$prefix/$target/wrap" RUSTC_BOOTSTRAP=1
        export RUSTFLAGS="-C embed-bitcode=yes -C panic=abort -C force-unwind-tables=no \
            --remap-path-prefix=$prefix/usr/lib/rustlib/src/rust=/rust --remap-path-prefix=$source=/rust/library \
            --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
        cargo build --quiet --release --target "$target" -Z build-std=std,panic_abort -Z build-std-features=optimize_for_size
    ) || fail "cannot build std"
    rm -f "std/target/$target"/release/deps/libempty-*
}

make_target() {
    llvm=$(cat "$prefix/llvm")
    echo "making what $target needs in $prefix, this takes two minutes" >&2
    rm -rf "${prefix:?}/$target"
    mkdir -p "$prefix/$target"
    cd "$prefix/$target"
    make_cc "$prefix/cc-$target.new"
    make_self_contained
    make_std
    new=$prefix/$target/lib.new
    mkdir -p "$new/lib"
    mv self-contained "$new/lib/"
    cp "std/target/$target"/release/deps/lib*.rlib "$new/lib/"
    rm -rf std wrap chk.c chk.o usr/lib usr/share "$prefix/usr/lib/rustlib/$target"
    mv "$prefix/cc-$target.new" "$prefix/cc-$target"
    mv "$new" "$prefix/usr/lib/rustlib/$target"
}

# What takes its final name last is complete.
exec 9>"$prefix.lock"
flock -w 900 9 || fail "another run holds $prefix.lock since 15 minutes"
if [ ! -d "$prefix/usr/lib/rustlib/$target" ]; then
    [ "$(uname -m)" = x86_64 ] || fail "only on x86_64"
    for tool in gcc ar cargo; do command -v $tool >/dev/null || fail "needs $tool"; done
    [ -x "$prefix/rustc" ] || (make_compiler) || exit 1
    (make_target) || exit 1
fi
echo "$prefix"
