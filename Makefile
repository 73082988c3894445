# `make run` and `make test` work on a fresh machine: Python 3.11 or newer, git and make.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
CLIENTS := .venv-clients
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
  command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PIP_CLIENTS := $(CLIENTS)/bin/python -m pip --disable-pip-version-check --quiet

.PHONY: run test docs clean bench hostile mutants servers record-fixtures clients clients-all

run: $(VENV)/.installed  ## judge the shipped recordings and write reports/
	@$(BIN)/chatconform run --recorded --fail-on never

test: $(VENV)/.developing  ## lint, types, tests with branch coverage, and the wheel
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n auto --dist loadfile --no-loadscope-reorder
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

docs: $(VENV)/.installed  ## write what docs/ has from the code: checks, coverage, proof, clients, and calibration where captures are
	@$(BIN)/chatconform docs --to docs $(if $(CHATCONFORM_MATERIAL),--corpus $(CHATCONFORM_MATERIAL)/corpus/captures.jsonl.gz)

hostile: $(VENV)/.developing  ## drive every hostile endpoint, and write what came of it to docs/hostile.md: some ten minutes
	@PYTHONPATH=suite:tests $(BIN)/python tests/hostile_page.py

bench: $(VENV)/.developing  ## what judging, capturing and judging in bulk cost, as ratios within one run
	@$(BIN)/python benchmarks/replay.py
	@$(BIN)/python benchmarks/capture.py
	@$(BIN)/python benchmarks/bulk.py

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "chatconform needs Python 3.11 or newer: install it (Debian: apt install python3 python3-venv), or name it: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) cannot make a virtual environment: install its venv module (Debian: apt install python3-venv)"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml requirements.txt
	@$(PIP) install --require-hashes --requirement requirements.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.developing: $(VENV)/.installed requirements-dev.txt
	@$(PIP) install --require-hashes --requirement requirements-dev.txt
	@touch $@

servers: $(VENV)/.serving  ## install the real servers that tests start: some 65 MB

record-fixtures: $(VENV)/.serving  ## record the real servers anew; what differs in ids and clocks alone is left as it is
	@PYTHONPATH=suite:tests $(BIN)/python -m servers.recording recordings

$(VENV)/.serving: $(VENV)/.developing requirements-servers.txt
	@$(PIP) install --require-hashes --no-deps --requirement requirements-servers.txt
	@touch $@

clients: $(CLIENTS)/.installed  ## openai-python in an environment of its own, for the tests that have it read: some 70 MB

clients-all: $(CLIENTS)/.all  ## langchain-openai and litellm beside it, to measure anew: some 430 MB

$(CLIENTS)/bin/python: $(VENV)/bin/python
	@$(BIN)/python -m venv $(CLIENTS)

$(CLIENTS)/.installed: $(CLIENTS)/bin/python requirements-clients.txt
	@$(PIP_CLIENTS) install --require-hashes --requirement requirements-clients.txt
	@touch $@

$(CLIENTS)/.all: $(CLIENTS)/.installed requirements-clients-all.txt
	@$(PIP_CLIENTS) install --require-hashes --requirement requirements-clients-all.txt
	@touch $@

mutants: $(VENV)/.developing  ## break what judges in small ways, a sample of them, and list what no test notices: some 20 minutes
	@$(BIN)/python tools/mutants.py

clean:  ## remove what was built
	rm -rf $(VENV) $(CLIENTS) build dist .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis
