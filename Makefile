PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
export UV_NO_PROGRESS := 1

.PHONY: help setup demo serve test lint format bench eval lock clean system-packages

help:
	@echo "make demo    install, build the demo world, run one sourcing run"
	@echo "make serve   the workbench in the browser, and the API"
	@echo "make test    run every test        make lint    style, types, layers"
	@echo "make bench   speed and optimality  make eval    closed-loop evaluation"

$(BIN)/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(VENV)/.runtime: requirements.lock pyproject.toml | $(BIN)/uv
	$(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r requirements.lock --python $(BIN)/python
	$(BIN)/uv pip install --quiet --no-deps --editable . --python $(BIN)/python
	@touch $@

$(VENV)/.development: requirements-dev.lock $(VENV)/.runtime
	$(BIN)/uv pip install --quiet --require-hashes -r requirements-dev.lock --python $(BIN)/python
	@touch $@

setup: $(VENV)/.runtime

demo: setup
	$(BIN)/jit demo

serve: setup
	$(BIN)/jit serve

system-packages:
	@sh scripts/system-packages.sh

test: $(VENV)/.development system-packages
	$(BIN)/pytest -n 2 --dist loadfile

lint: $(VENV)/.development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

format: $(VENV)/.development
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

eval: setup
	$(BIN)/jit eval

bench: $(VENV)/.development
	@for name in small_plans dual_sourcing ordering_scale ordering_throughput rolling_horizon replanning trigeiro graph_overhead alert_latency alert_burst closed_loop forecasting_speed lead_times drift forecasting_accuracy; do $(BIN)/python -m benchmarks.$$name --quick || exit 1; done

lock: $(BIN)/uv
	$(BIN)/uv pip compile pyproject.toml --python-version 3.11 --universal --generate-hashes \
		--no-annotate --no-header --quiet -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --group dev -c requirements.lock --python-version 3.11 --universal \
		--generate-hashes --no-annotate --no-header --quiet -o requirements-dev.lock

clean:
	rm -rf $(VENV) .jit
