#!/bin/bash
# Make a source distribution, and the wheel from nothing but that.
# usage: tools/build_dist.sh FOLDER
set -eu
cd "$(dirname "$0")/.."
folder=${1:?usage: tools/build_dist.sh FOLDER}
python=.venv/bin/python
mkdir -p "$folder" build

make_both() {
    local sdist
    sdist=$("$python" -c '
import contextlib, sys
from setuptools.build_meta import build_sdist
with contextlib.redirect_stdout(sys.stderr):
    name = build_sdist(sys.argv[1])
print(name)' "$folder")
    "$python" -m pip wheel -q --disable-pip-version-check --no-deps --no-build-isolation \
        -w "$folder" "$folder/$sdist"
}

if ! make_both 2>build/dist.log; then
    tail -n 20 build/dist.log >&2
    echo "qxld: no wheel; all of it is in build/dist.log" >&2
    exit 1
fi
ls -l "$folder"
