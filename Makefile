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

# Three processes. CARLA's client aborts its process a while after a traffic manager in it has lost its server; and the
# simulator's own tests, which lay out many towns, are kept from the heap that the others leave (torch, ffmpeg, OpenCV).
CLIENT := tests/conformance tests/golden
SERVER := tests/unit/sim
OTHERS := $(addprefix --ignore ,$(CLIENT) $(SERVER))

test: .venv/.test lint
	@$(BIN)/pytest -m "not slow" $(CLIENT) $(ARGS)
	@$(BIN)/pytest -m "not slow" $(SERVER) $(ARGS)
	@$(BIN)/pytest -m "not slow" $(OTHERS) $(ARGS)

check: .venv/.test lint
	@$(BIN)/pytest $(CLIENT) $(ARGS)
	@$(BIN)/pytest $(SERVER) $(ARGS)
	@$(BIN)/pytest $(OTHERS) $(ARGS)

bench: .venv/.test
	@$(BIN)/python -m tests.bench $(ARGS)

lint: .venv/.test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --config .importlinter
	@$(BIN)/basedpyright --level error

clean:
	rm -rf .venv build dist *.egg-info
