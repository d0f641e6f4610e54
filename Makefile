# Every target sets up what it needs, as root or not, from any folder: make -C path/to/clarion test
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
# The system's own Python where it will do: distributions build it for speed, which one built by pyenv is not (a sixth slower).
PYTHON ?= $(shell /usr/bin/python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo /usr/bin/python3 || echo python3)
BIN := .venv/bin
WORKERS ?= 3
TESTS ?= tests
ROUNDS ?= 10
RECIPIENTS ?= 20000
BENCHES ?=
MAILS ?= 100000
ROWS ?= 50000000
COMPILE ?= --compile-bytecode

# Bytecode is kept: each of the many processes starts in half the time.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo up test check format schemas lock audit browser-test bench chaos clean

help: ## what can be made
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

.venv/ready: requirements.lock pyproject.toml
	@test -e .venv/made || { echo "making .venv"; rm -rf .venv; $(PYTHON) -m venv .venv; touch .venv/made; }
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 ..."; exit 1; }
	@$(BIN)/uv --version >/dev/null 2>&1 || $(BIN)/python -m pip install --quiet --disable-pip-version-check --force-reinstall uv
	@echo "installing the locked dependencies"
	@VIRTUAL_ENV="$(CURDIR)/.venv" $(BIN)/uv pip sync --quiet $(COMPILE) --require-hashes requirements.lock
	@VIRTUAL_ENV="$(CURDIR)/.venv" $(BIN)/uv pip install --quiet --no-build-isolation --no-deps --editable .
	@touch $@

setup: .venv/ready ## the environment and the embedded broker's jars
	@$(BIN)/python -m clarion.runtime.embedded.prefetch

demo: setup ## the main job once, on an embedded stack of its own
	@$(BIN)/clarion demo

up: setup ## everything on this machine until Ctrl-C
	@$(BIN)/clarion up --sample-data

test: setup ## all tests, on a real PostgreSQL, Apache Kafka and SMTP server
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --ignore=tests/browser $(TESTS)

browser-test: setup ## the pages and mails in Chromium (the system's, at /usr/bin/chromium)
	@$(BIN)/python -m pytest tests/browser

bench: setup ## how fast it is, kept in docs/benchmarks: make bench BENCHES="pipeline ledger" MAILS=100000 ROWS=5000000
	@$(BIN)/python scripts/record_benches.py --recipients $(MAILS) --rows $(ROWS) $(BENCHES)

chaos: setup ## calls under `kill -9`: make chaos ROUNDS=100 RECIPIENTS=20000
	@$(BIN)/clarion bench chaos --rounds $(ROUNDS) --recipients $(RECIPIENTS)

check: .venv/ready ## format, lint, types, imports, migrations, schemas
	@$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python scripts/check_house.py
	@$(BIN)/squawk --config .squawk.toml $$(find clarion -path '*/migrations/*.sql' | sort)

format: .venv/ready ## put the code in shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

schemas: .venv/ready ## write JSON Schemas, AsyncAPI, OpenAPI and what the operator's guide takes from them
	@$(BIN)/python scripts/write_schemas.py
	@$(BIN)/python scripts/write_openapi.py
	@$(BIN)/python scripts/write_guides.py

lock: .venv/ready ## pin the dependencies anew, with hashes
	@VIRTUAL_ENV="$(CURDIR)/.venv" $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-emit-index-url --extra traces --group dev pyproject.toml --output-file requirements.lock

audit: .venv/ready ## known vulnerabilities of what requirements.lock pins
	@$(BIN)/python scripts/audit.py

clean: ## remove the environment and the embedded data
	rm -rf .venv .clarion .mypy_cache .ruff_cache .pytest_cache .hypothesis
