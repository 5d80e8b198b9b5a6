#!/bin/sh
# A Rust compiler that builds for x86_64-unknown-linux-musl, out of Debian's packages alone (rustc-web and the LLVM
# that it was built with), for a machine where `rustup target add` cannot download.
# Usage: musl-toolchain.sh PREFIX; then RUSTC=PREFIX/rustc CC_x86_64_unknown_linux_musl=PREFIX/cc \
#        cargo build --target x86_64-unknown-linux-musl
# Installs nothing. Takes some 100 MB of downloads, 600 MB on disk and two minutes, once: a finished PREFIX is left as it is.
set -eu
target=x86_64-unknown-linux-musl
: "${1:?usage: musl-toolchain.sh PREFIX}"
mkdir -p "$(dirname "$1")"
prefix=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
apt=$(cd "$(dirname "$0")" && pwd)/apt.sh

# gcc with the headers of musl, for the little C that is in ring; rustc links by itself.
make_cc() {
    cat >"$1/cc" <<'EOT'
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
exec gcc -nostdinc -isystem "$here/usr/include/x86_64-linux-musl" -isystem "$(gcc -print-file-name=include)" "$@"
EOT
    chmod +x "$1/cc"
}
fail() { echo "musl-toolchain.sh: $*; with rustup: rustup target add $target" >&2; exit 1; }

exec 9>"$prefix.lock"
flock -w 900 9 || fail "another run holds $prefix.lock since 15 minutes"
if [ -x "$prefix/rustc" ]; then
    [ -x "$prefix/cc" ] || make_cc "$prefix"
    exit 0
fi
[ "$(uname -m)" = x86_64 ] || fail "only for x86_64"
for tool in gcc ar cargo; do command -v $tool >/dev/null || fail "needs $tool"; done

# Everything happens in a folder of its own, which takes its final name when it is complete.
echo "making a musl toolchain in $prefix, this takes two minutes" >&2
rm -rf "$prefix.tmp"
mkdir -p "$prefix.tmp/debs"
cd "$prefix.tmp"
new=$PWD

# The compiler, the source of its std, the libraries that it loads (but those of every Debian), musl and an unwinder.
libraries=$("$apt" libraries libstd-rust-web-dev | grep -vx 'libc6\|libgcc-s1\|libstdc++6')
llvm=$(echo "$libraries" | sed -n 's/^libllvm\([0-9]*\)$/\1/p')
[ -n "$llvm" ] || fail "Debian has no rustc-web here, or it names no LLVM"
# shellcheck disable=SC2086 # a list of words
"$apt" download debs rustc-web rust-web-src libstd-rust-web-dev $libraries "libunwind-$llvm-dev" musl-dev ||
    fail "cannot download the compiler"
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
make_cc .

# What the target has in self-contained/ when it comes from rustup.
lib=$new/usr/lib/rustlib/$target/lib
mkdir -p "$lib/self-contained"
for file in crt1.o Scrt1.o rcrt1.o crti.o crtn.o libc.a; do cp "usr/lib/x86_64-linux-musl/$file" "$lib/self-contained/"; done
for file in crtbegin.o crtbeginS.o crtend.o crtendS.o; do cp "$(gcc -print-file-name=$file)" "$lib/self-contained/"; done
cp "usr/lib/llvm-$llvm/lib/libunwind.a" "$lib/self-contained/"
# LLVM's libunwind was built against glibc: give it the checked functions that musl lacks.
cat >chk.c <<'EOT'
typedef __builtin_va_list list;
struct file;
int vfprintf(struct file *, const char *, list);
int vsnprintf(char *, unsigned long, const char *, list);
int __vfprintf_chk(struct file *f, int flag, const char *format, list args) { return vfprintf(f, format, args); }
int __vsnprintf_chk(char *to, unsigned long max, int flag, unsigned long size, const char *format, list args)
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
EOT
gcc -Os -fPIC -fno-stack-protector -c chk.c -o chk.o
chmod u+w "$lib/self-contained/libunwind.a"
ar r "$lib/self-contained/libunwind.a" chk.o

# std, built once; panic_abort alone with the abort strategy, as rustc's own build does.
cat >wrap <<'EOT'
#!/bin/sh
case " $* " in *" --crate-name panic_abort "*) exec "$@" -C panic=abort ;; esac
exec "$@"
EOT
chmod +x wrap
mkdir -p std/src
: >std/src/lib.rs
printf '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n' >std/Cargo.toml
source=$(echo "$new"/usr/src/rustc-*/library)
hash=$(./rustc -vV | sed -n 's/^commit-hash: //p')
(
    cd std
    unset CARGO_TARGET_DIR CARGO_BUILD_TARGET
    export RUSTC="$new/rustc" RUSTC_WRAPPER="$new/wrap" RUSTC_BOOTSTRAP=1
    export RUSTFLAGS="-C embed-bitcode=yes -C force-unwind-tables=yes \
        --remap-path-prefix=$new/usr/lib/rustlib/src/rust=/rustc/$hash \
        --remap-path-prefix=$source=/rustc/$hash/library \
        --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
    cargo build --quiet --release --target $target -Z build-std=std,panic_abort,test
) || fail "cannot build std"
rm -f std/target/$target/release/deps/libempty-*
cp std/target/$target/release/deps/lib*.rlib "$lib/"
rm -r std wrap chk.c chk.o usr/src

rm -rf "$prefix"
mv "$new" "$prefix"
