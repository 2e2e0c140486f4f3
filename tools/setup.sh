#!/bin/bash
# Install what a target needs: Debian packages, .venv, the compiled core.
# usage: tools/setup.sh build|run|test
#
# A step is skipped when nothing changed.  Without root the missing packages are named
# and the rest is done as far as it goes.
set -eu
cd "$(dirname "$0")/.."
level=${1:?usage: tools/setup.sh build|run|test}

# The core and `make check`.
build=(gcc libc6-dev make pkg-config libpixman-1-dev libspice-protocol-dev
    liblz4-dev libturbojpeg0-dev zlib1g-dev python3 libpython3-dev python3-venv)
# QEMU, and what images are made with; objtool, which compiles modules, needs libelf1.
run=(qemu-system-x86 mmdebstrap e2fsprogs gcc-12 libelf1)
# Clients, one of them in a browser, and the screens they open, the server that judges
# them and its client, the fuzzers' compiler and its symbolizer.
test=(spice-client-gtk virt-viewer gir1.2-spiceclientglib-2.0 python3-gi
    xvfb xdotool xclip imagemagick openssl libspice-server-dev libglib2.0-dev
    libssl-dev zstd sasl2-bin libsasl2-modules
    clang libclang-rt-14-dev llvm spice-html5 chromium-headless-shell
    libnss3-tools spice-vdagent)

case $level in
build) packages=("${build[@]}") ;;
run) packages=("${build[@]}" "${run[@]}") ;;
test) packages=("${build[@]}" "${run[@]}" "${test[@]}") ;;
*) level=; packages=() ;;
esac

say() { printf '[setup] %s\n' "$*" >&2; }
die() { printf 'qxld: %s\n' "$*" >&2; exit 1; }

# Show every now and then how far a log is.
follow() {
    local second=0 line
    while sleep 1 >/dev/null 2>&1; do
        second=$((second + 1))
        [ $((second % 15)) = 0 ] || continue
        line=$(tail -n 1 "$1" | tr -d '\r' | cut -c 1-64)
        say "  $second s${line:+: $line}"
    done
}

# Run a command with its output in a log.
logged() {
    local log=$1 result=0
    shift
    follow "$log" 9>&- &
    follower=$!
    "$@" >"$log" 2>&1 9>&- </dev/null || result=$?
    kill $follower
    follower=
    return $result
}
follower=
trap '[ -z "$follower" ] || kill $follower 2>/dev/null || true' EXIT
exec 8>&2 # while a command runs, 2 is its log
trap 'say interrupted 2>&8; exit 130' INT TERM

# The line of a log that says why: its first one that looks like a cause.
reason() {
    {
        grep -m 1 -o -E "No space left on device|Temporary failure( [a-z]+)+( '[^']*')?|Connection (refused|timed out)|Network is unreachable" "$1" ||
            grep -m 1 -E "^E: |[Ee]rror:" "$1" ||
            tail -n 1 "$1"
    } | sed 's/^ *//'
}

# Only what is to be installed takes room (MiB).
need_room() {
    local free
    free=$(df -Pk . 2>/dev/null | awk 'NR == 2 {print int($4 / 1024)}')
    [ "${free:-$1}" -ge "$1" ] || die "no disk: $free MiB are free in $PWD, $1 MiB are needed"
}

missing_packages() {
    comm -23 <(printf '%s\n' "${packages[@]}" | sort) \
        <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${packages[@]}" 2>/dev/null |
            awk '$2 == "installed" {print $1}' | sort)
}

apt_get() {
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@"
}

update_and_install() {
    apt_get update || true # one of several mirrors may be away
    apt_get install -y --no-install-recommends "$@"
}

install_packages() {
    local missing sudo=()
    if ! command -v dpkg-query >/dev/null; then
        say "not a Debian system: packages are not checked"
        return
    fi
    mapfile -t missing < <(missing_packages)
    [ "${#missing[@]}" != 0 ] || return 0
    if [ "$(id -u)" != 0 ]; then
        if ! sudo -n true 2>/dev/null; then
            say "no root rights; please install:  apt-get install --no-install-recommends ${missing[*]}"
            say "going on with what is there"
            return
        fi
        sudo=(sudo -n)
    fi
    say "installing ${#missing[@]} packages: ${missing[*]}"
    logged build/apt.log update_and_install "${missing[@]}" ||
        die "installing packages failed: $(reason build/apt.log) (see build/apt.log)"
}

find_python() {
    local python
    for python in python3 /usr/bin/python3; do
        if "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$python"
            return
        fi
    done
    return 1
}

# What goes into .venv depends on these, and .venv on where it is.
stamp=.venv/.qxld-stamp
wanted() { { pwd; cat pyproject.toml setup.py tools/setup.sh; } | sha256sum; }

pip() { .venv/bin/python -m pip "$@"; }

make_venv() {
    local python
    [ "$(cat $stamp 2>/dev/null)" != "$(wanted)" ] || return 0
    need_room 400
    if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
        python=$(find_python) ||
            die "Python 3.11 or later with venv is needed (Debian: python3 python3-venv)"
        say "preparing .venv"
        logged build/pip.log "$python" -m venv --clear .venv ||
            die "no .venv: $(reason build/pip.log) (see build/pip.log)"
    fi
    say "installing Python packages into .venv"
    export PIP_DISABLE_PIP_VERSION_CHECK=1
    { logged build/pip.log pip install -U 'pip>=25.1' 'setuptools>=77' 'cffi>=2.0' &&
        logged build/pip.log pip install --group dev; } ||
        die "installing Python packages failed: $(reason build/pip.log) (see build/pip.log)"
}

# This compiles the core, too.
install_qxld() {
    [ "$(cat $stamp 2>/dev/null)" != "$(wanted)" ] || return 0
    say "compiling the C core, installing qxld into .venv"
    logged build/core.log pip install --no-build-isolation -e . ||
        die "installing qxld into .venv failed: $(reason build/core.log) (see build/core.log)"
    wanted >$stamp
}

compile() {
    # Python prefers a name with its own tag to that of the stable ABI.
    rm -f spice_common/_native.cpython-*.so
    .venv/bin/python setup.py -q build_ext --inplace --force
}

build_core() {
    local core=spice_common/_native.abi3.so changed
    changed=$(find spice_common/native/{include,src,build.py} setup.py -newer $core -print -quit 2>&1) || true
    [ -n "$changed" ] || return 0
    say "compiling the C core"
    logged build/core.log compile ||
        die "the C core does not compile: $(reason build/core.log) (see build/core.log)"
}

[ -n "$level" ] || die "usage: tools/setup.sh build|run|test"
[ -w . ] || die "no right to write in $PWD"
mkdir -p build
# Two of us at once would be in each other's way.
exec 9>build/setup.lock
flock -n 9 || { say "waiting for another set-up"; flock 9; }
install_packages
make_venv
install_qxld
build_core
