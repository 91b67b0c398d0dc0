# Two commands do everything on a fresh machine: `make tour` and `make test`.
.PHONY: tour test test-all bench lint docs clean

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { \
	  echo "make: no virtual environment could be made; on Debian: apt-get install python3-venv"; exit 1; }
	@echo "installing unteach and its tools into .venv (once, some minutes)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]" \
	  2>.venv/pip.log || { cat .venv/pip.log; exit 1; }
	@touch $(STAMP)

tour: $(STAMP)
	@$(BIN)/unteach tour

lint: $(STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet src tests benchmarks examples docs/generate.py
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

test: lint
	@$(BIN)/python -m pytest -q -m "not slow" -n 2 --dist worksteal --durations=10

test-all: lint
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal

bench: $(STAMP)
	@for script in benchmarks/bench_*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

docs: $(STAMP)
	@$(BIN)/python docs/generate.py

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis unteach-tour
