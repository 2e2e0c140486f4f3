#!/bin/bash
# Install what a target needs: Debian packages, .venv, the compiled core.
# usage: tools/setup.sh build|run|test
#
# Each step is skipped when nothing changed.  Without root the missing packages are
# named and the rest is done as far as it goes.
set -eu
cd "$(dirname "$0")/.."
level=${1:?usage: tools/setup.sh build|run|test}

build=(gcc libc6-dev make pkg-config python3 python3-dev python3-venv libpixman-1-dev
    libspice-protocol-dev)
run=(qemu-system-x86 qemu-utils mmdebstrap e2fsprogs cpio busybox-static kmod xz-utils
    zstd bzip2 bc bison flex libelf-dev gcc-12 fakeroot)
test=(spice-client-gtk virt-viewer xvfb xauth xdotool imagemagick
    python3-gi gir1.2-spiceclientglib-2.0 python3-pil python3-cryptography openssl
    x11-utils clang libclang-rt-14-dev llvm-14 qemu-system-modules-spice clang-format)

say() { printf '[setup] %s\n' "$*" >&2; }
die() { printf 'qxld: %s\n' "$*" >&2; exit 1; }

packages=("${build[@]}")
[ "$level" = build ] || packages+=("${run[@]}")
[ "$level" = test ] && packages+=("${test[@]}")

missing_packages() {
    local p
    for p in "${packages[@]}"; do
        dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || echo "$p"
    done
}

install_packages() {
    local missing sudo=()
    command -v dpkg-query >/dev/null || { say "not a Debian system: packages are not checked"; return; }
    mapfile -t missing < <(missing_packages)
    [ "${#missing[@]}" = 0 ] && return
    if [ "$(id -u)" != 0 ]; then
        if sudo -n true 2>/dev/null; then
            sudo=(sudo)
        else
            say "no root rights; please install:  apt-get install ${missing[*]}"
            say "going on with what is there"
            return
        fi
    fi
    say "installing ${#missing[@]} packages: ${missing[*]}"
    mkdir -p build
    if ! { "${sudo[@]}" apt-get update -q &&
        DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -q \
            --no-install-recommends "${missing[@]}"; } >build/apt.log 2>&1; then
        tail -n 5 build/apt.log >&2
        die "installing packages failed; all of it is in build/apt.log"
    fi
}

find_python() {
    local p
    for p in python3 /usr/bin/python3; do
        if "$p" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$p"
            return
        fi
    done
    die "Python 3.11 or later with venv is needed (Debian: python3 python3-venv)"
}

make_venv() {
    local stamp want
    stamp=.venv/.qxld-stamp
    want=$(sha256sum pyproject.toml tools/setup.sh | sha256sum)
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ] && return
    say "preparing .venv"
    [ -x .venv/bin/python ] || "$(find_python)" -m venv .venv
    mkdir -p build
    if ! {
        .venv/bin/python -m pip install -q --disable-pip-version-check -U 'pip>=25.1' 'setuptools>=77' wheel cffi &&
            .venv/bin/python -m pip install -q --disable-pip-version-check --group dev &&
            .venv/bin/python -m pip install -q --disable-pip-version-check --no-build-isolation -e .
    } >build/pip.log 2>&1; then
        tail -n 5 build/pip.log >&2
        die "installing Python packages failed; all of it is in build/pip.log"
    fi
    echo "$want" >"$stamp"
}

build_core() {
    local out
    out=$(find spice_common -maxdepth 1 -name '_native*.so' -print -quit)
    if [ -n "$out" ] && [ -z "$(find spice_common/native/{include,src,build.py} -newer "$out" -print -quit)" ]; then
        return
    fi
    say "compiling the C core"
    mkdir -p build
    if ! .venv/bin/python setup.py -q build_ext --inplace >build/core.log 2>&1; then
        tail -n 20 build/core.log >&2
        die "the C core does not compile; all of it is in build/core.log"
    fi
}

room=$(df -Pk . | awk 'NR == 2 {print $4}')
[ "$room" -gt 500000 ] || die "no disk: $((room / 1024)) MiB free here, 500 MiB are needed"
[ -w . ] || die "no right to write in $PWD"
install_packages
make_venv
build_core
