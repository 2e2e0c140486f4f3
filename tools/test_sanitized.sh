#!/bin/bash
# Run pytest on a core built with ASan and UBSan, beside the usual one.
# usage: tools/test_sanitized.sh [PYTEST OPTION]... TEST...
set -eu
cd "$(dirname "$0")/.."
export NATIVE_SANITIZE=1
python=$PWD/.venv/bin/python
build=build/sanitized

# A copy of the package that is links, but for the core; it comes first in sys.path.
mkdir -p $build/spice_common
ln -sf "$PWD"/spice_common/*.py $build/spice_common/
core=$build/spice_common/_native.abi3.so
if [ -n "$(find spice_common/native/{include,src,build.py} setup.py -newer $core -print -quit 2>&1)" ]; then
    echo "compiling the C core with sanitizers" >&2
    "$python" setup.py -q build_ext --force --build-lib $build --build-temp $build/temp
fi

# The interpreter itself is not instrumented: leaks are its own, and its small blocks
# must come from malloc to be watched.
export PYTHONMALLOC=malloc
export ASAN_OPTIONS=detect_leaks=0:abort_on_error=1:${ASAN_OPTIONS-}
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1:${UBSAN_OPTIONS-}
LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)"
export LD_PRELOAD
export PYTHONPATH=$PWD/$build:$PWD
# A report is written to the file descriptor, which must not be pytest's.
exec "$python" -P -X dev -bb -c '
import sys
import pytest
from spice_common import _native
if not _native.__file__.startswith(sys.argv[1]):
    sys.exit(f"{_native.__file__} is not the core that was built with sanitizers")
sys.exit(pytest.main(sys.argv[2:]))' "$PWD/$build" \
    -o pythonpath="$build ." -p no:cacheprovider --capture=sys "$@"
