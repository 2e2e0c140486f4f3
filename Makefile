# qxld: `make help` lists what there is.
SHELL := /bin/bash
GUEST ?= tiny
PORT ?= 5930
PY := .venv/bin/python
JOBS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup setup-run setup-test run stop check lint types layers unit test \
	native asan fuzz interop system bench docs build format clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# -- two commands for everybody -------------------------------------------------------

run: setup-run ## start a guest (GUEST=tiny|desktop) with qxld; DETACH=1 returns when it is up
	@$(PY) tools/run_guest.py start --guest "$(GUEST)" --port "$(PORT)" $(if $(filter 1,$(DETACH)),--detach)

stop: ## end what `make run DETACH=1` started
	@$(PY) tools/run_guest.py stop

test: setup-test ## everything: check, C core under sanitizers, fuzzers, clients, guests
	@$(MAKE) --no-print-directory check
	@$(MAKE) --no-print-directory native asan fuzz
	@$(MAKE) --no-print-directory images
	@$(MAKE) --no-print-directory interop system

# -- the fast part --------------------------------------------------------------------

check: setup lint types layers unit ## lint, types, layers, unit and property tests (< 2 minutes)

lint: ## ruff, format
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: ## mypy --strict
	$(PY) -m mypy

layers: ## imports point down only
	.venv/bin/lint-imports

unit: ## unit, property and parity tests
	$(PY) -X dev -bb -m pytest -q -n $(JOBS) tests/unit tests/property tests/parity tests/fuzz

# -- the C core without Python ---------------------------------------------------------

native: ## plain-C tests of the core
	$(MAKE) -C spice_common/native check

asan: ## the same under ASan and UBSan
	$(MAKE) -C spice_common/native asan

fuzz: ## the fuzz targets, a short run each
	$(MAKE) -C spice_common/native fuzz

# -- real clients, real guests ---------------------------------------------------------

images: ## build the guest images that tests boot
	$(PY) guest_drivers/images/build_image.py tiny
	$(PY) guest_drivers/images/build_image.py desktop

interop: ## real SPICE and QMP clients
	$(PY) -X dev -m pytest -q tests/interop

system: ## real guests under QEMU
	$(PY) -X dev -m pytest -q tests/system

bench: setup-test ## measure; results in benchmarks/results
	$(PY) -m benchmarks

# -- the rest ---------------------------------------------------------------------------

setup:
	@tools/setup.sh build

setup-run:
	@tools/setup.sh run

setup-test:
	@tools/setup.sh test

format: ## rewrite sources the way lint wants them
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

build: setup ## sdist and abi3 wheel in dist/
	$(PY) -m pip wheel -q --no-deps --no-build-isolation -w dist .

clean: ## remove what was built; guest images too
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -f spice_common/_native*.so spice_common/_native*.c spice_common/*.o
	$(MAKE) -C spice_common/native clean
