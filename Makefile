# Everything runs in .venv, which is made on first use. Works with GNU and BSD make, with no environment active.
#   make PYTHON=python3.12 test     picks the interpreter a new .venv is made with (3.11, 3.12 or 3.13)

PYTHON ?=
WORKERS ?= auto
OUT ?= out/demo
BIN = .venv/bin
INSTALL = $(BIN)/python -m pip install --disable-pip-version-check --quiet --editable

.PHONY: help report test lint bench bench-full clean

help:
	@echo "make report   set up, run the demo study, and say where its report is"
	@echo "make test     set up, then lint, type checks and every test"
	@echo "make test-duckdb15   the tests that touch DuckDB, with the oldest release that is supported"
	@echo "make lint     set up, then ruff and mypy alone"
	@echo "make bench    set up, then how time and memory grow, up to a million events; bench-full: up to 100 million"
	@echo "make clean    remove .venv, caches and what the targets above wrote"
	@echo "Variables: PYTHON=python3.12 (for a new .venv), WORKERS=2 (test processes), OUT=out/demo (report folder)"

report: .venv/ready-to-run
	$(BIN)/discover demo --out "$(OUT)"
	@echo "Open $(OUT)/report.html in a browser."

test: lint
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --durations=40

# Older DuckDB lies beside .venv and comes first; nothing else differs.
test-duckdb15: .venv/duckdb15/ready
	PYTHONPATH=.venv/duckdb15 $(BIN)/python -c "import duckdb; assert duckdb.__version__.startswith('1.5.')"
	PYTHONPATH=.venv/duckdb15 OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) \
		tests/engines/test_duckdb.py tests/engines/test_remembering.py tests/exposure tests/cache \
		$(addprefix tests/intake/test_,$(addsuffix .py,checks coding columns files identity json_files sources times))

.venv/duckdb15/ready: .venv/ready-to-test
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --upgrade --no-deps --target .venv/duckdb15 "duckdb>=1.5,<1.6"
	@touch $@

lint: .venv/ready-to-test
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy

bench: .venv/ready-to-test
	$(BIN)/python -m benchmarks.scale --events 0.1 1 --page out/scale/performance.md

bench-full: .venv/ready-to-test
	$(BIN)/python -m benchmarks.scale --events 1 3 10 30 100 --accounts 1000000

clean:
	rm -rf .venv out build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/ready-to-run: .venv/made pyproject.toml
	$(INSTALL) .
	@touch $@

.venv/ready-to-test: .venv/made pyproject.toml
	$(INSTALL) ".[test,notebooks]"
	@touch .venv/ready-to-run $@

.venv/made:
	@suits='import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'; \
	if .venv/bin/python -c "import pip; $$suits" 2>/dev/null; then touch $@; exit 0; fi; \
	set -- "$(PYTHON)"; \
	if [ -z "$$1" ]; then set -- python3 python3.13 python3.12 python3.11; fi; \
	for python in "$$@"; do \
		if "$$python" -c "$$suits" 2>/dev/null; then \
			echo "Making .venv with $$python"; \
			rm -rf .venv && "$$python" -m venv .venv && touch $@; exit; \
		fi; \
	done; \
	echo "Python 3.11, 3.12 or 3.13 with venv is needed; tried: $$*." >&2; \
	echo "Name one, as in: make PYTHON=/path/to/python3.12 (on Debian, venv is the package python3-venv)." >&2; \
	exit 1
