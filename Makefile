# Needs Python 3.11 or newer, make and git. Everything else is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null || echo $(BIN)/uv)
LOWEST := .venv-lowest
LOWEST_PYTHON := $(shell sed -n 's/^requires-python = ">=\(.*\)"/\1/p' pyproject.toml)
# Whoever has the data sets beside the checkout gets the checks that need them.
AUTOMORPH_DATA ?= $(abspath $(wildcard ../shared/data))
export AUTOMORPH_DATA

.PHONY: help env demo test test-all test-lowest lint audit format docs clean

help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

env: $(BIN)/.installed ## make the environment in .venv

$(BIN)/.installed: pyproject.toml constraints.txt setup.py
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x "$(UV)" || $(BIN)/python -m pip install --quiet uv
	@# Compiled once here, or by every process where PYTHONDONTWRITEBYTECODE is set.
	$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt -e '.[dev]'
	@touch $@

demo: env ## see the main job done on embedded real data, in about two minutes
	$(BIN)/automorph quickstart
	@echo
	@echo 'The commands above need automorph on the path; run once per shell: source $(VENV)/bin/activate'

# Tests run side by side, each on one thread: more threads would wait for each other.
test test-all test-lowest: export OMP_NUM_THREADS = 1

test: env ## run the tests (minutes)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/check_imports.py
	$(BIN)/python benchmarks/tables.py --check
	$(BIN)/python -m pytest -n 2 -m 'not slow' tests
	$(BIN)/python -m pytest -n 2 --doctest-modules src

test-all: env ## run all tests, the slow ones too
	$(BIN)/python -m pytest -n 2 tests
	$(BIN)/python -m pytest -n 2 --doctest-modules src

test-lowest: $(LOWEST)/.installed ## run the fast tests on the lowest versions that pyproject.toml allows
	$(LOWEST)/bin/python -m pytest -n 2 -m 'not slow' tests

# Made anew whenever a bound changes, so that nothing stays from before.
$(LOWEST)/.installed: pyproject.toml setup.py
	@test -x "$(UV)" || test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x "$(UV)" || $(BIN)/python -m pip install --quiet uv
	rm -rf $(LOWEST)
	$(UV) venv --quiet --python $(LOWEST_PYTHON) $(LOWEST)
	$(UV) pip install --quiet --python $(LOWEST)/bin/python --resolution lowest-direct -e '.[dev]'
	@touch $@

lint: env ## check style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/check_imports.py

audit: env ## look for known holes in the packages, and for unsafe code in ours
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive src
	$(BIN)/pip-audit --strict --no-deps --disable-pip --requirement constraints.txt --progress-spinner off

format: env ## put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: env ## build the documentation into docs/_build
	$(BIN)/python -m sphinx -W --keep-going -q docs docs/_build

clean: ## remove what was built
	rm -rf build docs/_build docs/reference/_generated .mypy_cache .ruff_cache .hypothesis
