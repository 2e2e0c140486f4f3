# qxld: `make help` lists what there is.
SHELL := /bin/bash
GUEST ?= tiny
PORT ?= 5930
JOBS ?= 2
# Recorded desktops.
STREAMS ?= ../shared/corpus/qxl
# Fuzzing: seconds per target in C, inputs per target in Python, and where to begin.
TIME ?= 20
RUNS ?= 2000
SEED ?= 1

PY := .venv/bin/python
PYTEST := $(PY) -X dev -bb -m pytest -q
NATIVE := $(MAKE) --no-print-directory -C spice_common/native

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run stop test check lint types layers unit native asan fuzz images interop \
	streams system bench build format clean setup setup-run setup-test

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# -- two commands for everybody -------------------------------------------------------

run: setup-run ## start a guest (GUEST=tiny|desktop, PORT=5930); DETACH=1 returns when it is up
	@$(PY) tools/run_guest.py start --guest "$(GUEST)" --port "$(PORT)" $(if $(filter 1,$(DETACH)),--detach)

stop: ## end what `make run DETACH=1` started
	@if [ -e build/run.json ]; then $(PY) tools/run_guest.py stop; else echo "nothing is running"; fi

test: setup-test check native asan fuzz images interop system ## everything: all of the below up to `system`

# -- the fast part --------------------------------------------------------------------

check: lint types layers unit ## lint, types, layers, unit: under 2 minutes

lint: setup ## ruff: rules and format; spelling
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m codespell_lib

types: setup ## mypy --strict
	$(PY) -m mypy

layers: setup ## imports point down only
	.venv/bin/lint-imports --no-logo

unit: setup ## unit, property and parity tests
	$(PYTEST) -n $(JOBS) tests/unit tests/property tests/parity

# -- the C core -------------------------------------------------------------------------

native: setup ## plain-C tests of the core
	$(NATIVE) check

asan: setup ## these, and the Python tests that reach the core, under ASan and UBSan
	$(NATIVE) asan
	tools/test_sanitized.sh -q tests/unit/spice_common tests/property

fuzz: setup-test ## fuzz targets: TIME=20 seconds each in C, RUNS=2000 inputs each in Python, SEED=1
	$(NATIVE) fuzz TIME=$(TIME) SEED=$(SEED)
	@for target in tests/fuzz/fuzz_*.py; do \
		echo "$$target"; $(PY) -X dev -bb $$target --random $(RUNS) --seed $(SEED) || exit 1; \
	done

# -- real clients, real guests ---------------------------------------------------------

images: setup-run ## build the guest images that tests boot, and a newer QEMU, once
	@for image in "build_image.py tiny" "build_image.py tiny --kernel 6.12" \
		"build_image.py desktop" newer_qemu.py; do \
		$(PY) guest_drivers/images/$$image >/dev/null || \
		if [ "$$(id -u)" = 0 ]; then exit 1; else echo "no root rights: tests of this guest are skipped"; fi; \
	done

interop: setup-test ## real SPICE and QMP clients
	$(PYTEST) tests/interop

streams: setup-test ## recorded desktops to their ends in every mode: STREAMS=folder
	QXLD_STREAMS="$(STREAMS)" $(PYTEST) tests/interop/test_replay_pictures.py

system: setup-test images ## real guests under QEMU
	$(PYTEST) tests/system

# -- the rest ---------------------------------------------------------------------------

bench: setup-test images ## measure; results in benchmarks/results
	$(PY) -m benchmarks

build: setup ## sdist and abi3 wheel in dist/
	@tools/build_dist.sh dist

format: setup ## rewrite sources the way lint wants them
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

clean: ## remove what was built, guest images too; .venv stays
	@if [ -e build/run.json ]; then $(PY) tools/run_guest.py stop; fi
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	rm -f spice_common/_native*.so spice_common/_native*.c spice_common/*.o
	$(NATIVE) clean

setup:
	@tools/setup.sh build

setup-run:
	@tools/setup.sh run

setup-test:
	@tools/setup.sh test
