# Everything sets itself up: `make drive` and `make test` work on a machine with Python 3.11 and nothing else.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: drive test check bench lint clean help gpu-check carla-check

help:
	@echo "make drive   set up, drive three routes with the embedded model, write a scored report"
	@echo "make test    set up, fast tests (at most 12 minutes on two cores)"
	@echo "make check   everything: whole drives, kills, a tiny training (at most 75 minutes)"
	@echo "make bench   how fast it is on this machine"
	@echo "make lint    formatting, types, import contracts"
	@echo "make gpu-check WEIGHTS=FOLDER     what MiMo-Embodied-7B does on this machine's card"
	@echo "make carla-check HOST=... PORT=.. a drive on a real CARLA that runs there"

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

# Two processes: CARLA's client can take the process down that holds it, a while after the server at its other end is gone.
# Its tests then run once more, whole; a test that fails is never repeated.
CLIENT := tests/client tests/conformance tests/golden
OTHERS := $(addprefix --ignore ,$(CLIENT))
AGAIN := "a signal ended the process that holds CARLA's client: its tests once more"

test: .venv/.test lint
	@run() { $(BIN)/pytest -m "not slow" $(CLIENT) $(ARGS); }; run || { [ $$? -ge 128 ] && echo $(AGAIN) && run; }
	@$(BIN)/pytest -m "not slow" $(OTHERS) $(ARGS)

check: .venv/.test lint
	@run() { $(BIN)/pytest $(CLIENT) $(ARGS); }; run || { [ $$? -ge 128 ] && echo $(AGAIN) && run; }
	@$(BIN)/pytest $(OTHERS) $(ARGS)

# with a card and the weights: loads, weighs and asks them in every precision that fits
gpu-check: .venv/.test
	@$(BIN)/python -m drive_agent.models.vlm $(or $(WEIGHTS),XiaomiMiMo/MiMo-Embodied-7B) $(or $(DEVICE),cuda)

# on a real CARLA: the privileged driver over one random route of the town
carla-check: .venv/.drive
	@test -n "$(HOST)" || { echo "give HOST=, where CARLA runs: make carla-check HOST=127.0.0.1 PORT=2000 TOWN=Town10HD_Opt"; exit 2; }
	@$(BIN)/drive-agent drive carla=remote carla.host=$(HOST) carla.port=$(or $(PORT),2000) model=expert video=false \
		town=$(or $(TOWN),Town10HD_Opt) routes=random:1 $(ARGS)

bench: .venv/.test
	@$(BIN)/python -m tests.bench $(ARGS)

lint: .venv/.test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --config .importlinter
	@$(BIN)/basedpyright --level error

clean:
	rm -rf .venv build dist *.egg-info
