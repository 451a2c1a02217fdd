PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
export UV_NO_PROGRESS := 1

.PHONY: help setup demo serve test lint format bench eval week lock build fresh clean system-packages

help:
	@echo "make demo    install, build the demo world, run one sourcing run"
	@echo "make serve   the workbench in the browser, and the API"
	@echo "make test    run every test        make lint    style, types, layers"
	@echo "make bench   speed and optimality  make eval    closed-loop evaluation"
	@echo "make week    a company's week by real commands, server and page (ITEMS=200 DAYS=3: the short form)"
	@echo "make fresh   all of it as a new user has it: a new clone, the run-time lock, the wheel"

$(BIN)/uv:
	@sh scripts/set-up.sh environment $(PYTHON) $(VENV) $(UV_VERSION)

$(VENV)/.runtime: requirements.lock pyproject.toml | $(BIN)/uv
	@sh scripts/set-up.sh install $(VENV) --require-hashes -r requirements.lock
	@sh scripts/set-up.sh install $(VENV) --no-deps --editable .
	@sh scripts/set-up.sh ahead $(VENV)
	@touch $@

$(VENV)/.development: requirements-dev.lock $(VENV)/.runtime
	@sh scripts/set-up.sh install $(VENV) --require-hashes -r requirements-dev.lock
	@touch $@

setup: $(VENV)/.runtime

demo: setup
	$(BIN)/jit demo

serve: setup
	$(BIN)/jit serve

system-packages:
	@sh scripts/system-packages.sh

test: $(VENV)/.development system-packages
	$(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/hadolint Dockerfile

format: $(VENV)/.development
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

eval: setup
	$(BIN)/jit eval

week: ITEMS ?= 1000
week: DAYS ?= 7
week: $(VENV)/.development system-packages
	$(BIN)/python -m scripts.week --items $(ITEMS) --days $(DAYS)

bench: $(VENV)/.development
	@for name in import small_plans dual_sourcing ordering_scale ordering_throughput rolling_horizon replanning trigeiro graph_overhead whole_run gates alert_latency alert_burst ledger_simulation one_need_once start closed_loop forecasting_speed lead_times drift forecasting_accuracy; do $(BIN)/python -m benchmarks.$$name --quick || exit 1; done

lock: $(BIN)/uv
	$(BIN)/uv pip compile pyproject.toml --python-version 3.11 --universal --generate-hashes \
		--no-annotate --no-header --quiet -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --group dev -c requirements.lock --python-version 3.11 --universal \
		--generate-hashes --no-annotate --no-header --quiet -o requirements-dev.lock

build: setup
	@rm -rf build dist jit_sourcing.egg-info
	$(BIN)/uv build --quiet --require-hashes --build-constraints requirements-dev.lock --python $(BIN)/python --out-dir dist

fresh:
	$(PYTHON) scripts/fresh

clean:
	rm -rf $(VENV) .jit build dist
