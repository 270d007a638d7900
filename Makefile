# Everything sets itself up: `make drive` and `make test` work on a machine with Python 3.11 and nothing else.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: drive test check bench lint clean help

help:
	@echo "make drive   set up, drive three routes with the embedded model, write a scored report"
	@echo "make test    set up, fast tests (at most 12 minutes on two cores)"
	@echo "make check   everything: whole drives, kills, a tiny training (at most 75 minutes)"
	@echo "make bench   how fast it is on this machine"
	@echo "make lint    formatting, types, import contracts"

.venv/bin/python:
	@echo "setting up .venv (a few minutes the first time)"
	@$(PYTHON) -m venv .venv

# The stamps hold what was installed last: a change of pyproject.toml or constraints.txt installs again.
.venv/.drive: .venv/bin/python pyproject.toml constraints.txt
	@echo "installing packages"
	@$(INSTALL) -e .
	@$(BIN)/python -m drive_agent.sim.warmup
	@touch $@

.venv/.test: .venv/.drive
	@echo "installing test packages"
	@$(INSTALL) -e '.[dev,quant,served,nuscenes]'
	@touch $@

drive: .venv/.drive
	@$(BIN)/drive-agent drive $(ARGS)

# two processes: CARLA's client aborts its process a while after a traffic manager in it has lost its server
test: .venv/.test lint
	@$(BIN)/pytest -m "not slow" tests/conformance tests/golden $(ARGS)
	@$(BIN)/pytest -m "not slow" --ignore tests/conformance --ignore tests/golden $(ARGS)

check: .venv/.test lint
	@$(BIN)/pytest tests/conformance tests/golden $(ARGS)
	@$(BIN)/pytest --ignore tests/conformance --ignore tests/golden $(ARGS)

bench: .venv/.test
	@$(BIN)/python -m tests.bench $(ARGS)

lint: .venv/.test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --config .importlinter
	@$(BIN)/basedpyright --level error

clean:
	rm -rf .venv build dist *.egg-info
