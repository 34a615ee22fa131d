# Chốt: every command a person or CI needs. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CHOT_DATA ?= ../shared/data
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help setup run test check format firmware chip outage rungs hardware misreads cuts fuzz lock clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.runtime ## set up the virtual environment for a gate, and start nothing

run: $(VENV)/.runtime ## set up and run the demo: hub, two lanes, kiosk at http://127.0.0.1:8080/
	@$(BIN)/chot demo

test: $(VENV)/.dev ## set up and run the default test suite
	$(BIN)/pytest --numprocesses 2 --dist loadfile

check: $(VENV)/.dev ## format and lint (ruff), types (mypy strict), import contracts (import-linter)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev ## let ruff rewrite what it can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

firmware: ## build the bridge's firmware (gcc-avr), check it (gcc -fanalyzer, cppcheck), print its size
	$(MAKE) -C firmware_bridge/firmware avr size analyse

chip: $(VENV)/.dev firmware ## the firmware on a simulated ATmega328P, on bad cables, beside its Python twin
	$(BIN)/pytest -m slow tests/firmware_bridge tests/contracts

outage: $(VENV)/.dev ## long runs: a minute without hub loses nothing, new rules arrive, plug-ins install
	CHOT_OUTAGE_S=60 $(BIN)/pytest -m slow tests/end_to_end tests/appliance

rungs: $(VENV)/.runtime ## learn the order of the decode ladder's rungs on the photographs of CHOT_DATA
	$(BIN)/chot bench order-rungs --corpus $(CHOT_DATA)/qr-photos --write benchmarks/rungs/order.json

hardware: $(VENV)/.dev ## a USB webcam and GPIO pins in a virtual machine (root once, to build the machine)
	$(BIN)/python -m tests.hardware.image
	$(BIN)/pytest -m slow tests/hardware

misreads: $(VENV)/.dev ## 40,000 garbled QR symbols: each reads as what is in it, or not at all
	$(BIN)/pytest -m slow tests/scanner/camera/symbol

cuts: $(VENV)/.dev ## power cuts at CHOT_CUTS (10,000) moments of a gate's life, replayed from its system calls
	$(BIN)/pytest -m slow tests/power_cuts

fuzz: $(VENV)/.dev ## hostile codes and documents for CHOT_FUZZ_S seconds of processor time (60)
	$(BIN)/pytest -m slow tests/fuzz

lock: ## resolve the dependencies anew into requirements/*.lock
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/pip --disable-pip-version-check --quiet install pip-tools
	$(VENV)-lock/bin/pip-compile --upgrade --quiet $(LOCK_OPTIONS) \
	  --output-file=requirements/runtime.lock requirements/build.in pyproject.toml
	$(VENV)-lock/bin/pip-compile --upgrade --quiet $(LOCK_OPTIONS) --extra=dev \
	  --constraint=requirements/runtime.lock --output-file=requirements/dev.lock \
	  requirements/build.in pyproject.toml
	rm -rf $(VENV)-lock

LOCK_OPTIONS := --allow-unsafe --generate-hashes --strip-extras --no-header --no-emit-index-url \
  --no-emit-options

clean: ## remove the virtual environment, caches and the demo's files
	rm -rf $(VENV) var build dist firmware_bridge/firmware/build .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info

# The package itself is installed without its dependencies: those come from the lock alone.
$(VENV)/.runtime: requirements/runtime.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Setting up $(VENV) ..."
	@$(PIP) install --require-hashes -r requirements/runtime.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.lock $(VENV)/.runtime
	@echo "Setting up $(VENV) for development ..."
	@$(PIP) install --require-hashes -r requirements/dev.lock
	@touch $@
