# Visavis: `make help` lists what can be done.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
OUT ?= out
DESK ?= demo
# Half of the suite's time is waiting. More at once than this, and tests of sound in real time would stumble.
SIDE_BY_SIDE ?= -n logical --maxprocesses 2 --dist loadfile
# Without compiled modules every command takes seconds longer to start; they lie beside the installed packages.
unexport PYTHONDONTWRITEBYTECODE
HOST ?= 127.0.0.1
PORT ?= 8600
# Who tells `make eval` the visitor's words: "script", or the "desk" with its own recognizer (fetch Whisper first).
HEARING ?= script

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test unit lint format bench eval lock clean

help: ## say what there is to do
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## make .venv from the lock and warm the caches

$(READY): requirements.lock pyproject.toml .ci/setup
	@PYTHON="$(PYTHON)" sh .ci/setup $(VENV)
	@touch $@

demo: setup ## ask the demo desk by text and by voice, write clips and a page that shows them
	@$(BIN)/visavis demo --out $(OUT)/demo

serve: setup ## run the live conversation of the demo desk on this machine
	@$(BIN)/visavis serve $(DESK) --host $(HOST) --port $(PORT)

test: setup ## run the whole suite
	@sh .ci/test-tools
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/pytest $(SIDE_BY_SIDE)

unit: setup ## run only what is quick
	@$(BIN)/pytest $(SIDE_BY_SIDE) -m "not e2e"

lint: setup ## check style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: setup ## mend style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: setup ## measure the whole chain and each stage
	@$(BIN)/visavis bench

eval: setup ## replay the desk's scripted conversations from audio in to audio out, and write a report
	@$(BIN)/visavis eval $(DESK) --mode audio --hearing $(HEARING) --report $(OUT)/eval

lock: setup ## resolve the dependencies anew
	@$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q \
		--upgrade --extra dev --extra piper --extra face --extra turn --extra postgres --extra embed --extra mcp --extra recommend pyproject.toml -o requirements.lock
	@echo presidio-analyzer | $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q \
		--upgrade -c requirements.lock - -o requirements-presidio.lock
	@echo ray | $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q \
		--upgrade -c requirements.lock - -o requirements-scale.lock

clean: ## remove what was built, not the models and not the desks' state
	@rm -rf $(VENV) $(OUT) build dist *.egg-info .mypy_cache .ruff_cache .hypothesis
