# Everything a user or developer does often. `make` alone lists it.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed

.PHONY: help install install-slurm demo test test-quick check format bench clean

help:  ## list what can be done
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

install: $(INSTALLED)  ## set up everything in .venv, at the locked versions

# uv where it is there, else plain venv and pip; on Debian the venv module may be a package apart.
# pip compiles on one core, for about 40 s; compileall does so on all.
$(INSTALLED): requirements/dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "drp needs Python 3.11 or newer; $(PYTHON) is older."; exit 1; }
	@echo "Setting up .venv (about 0.6 GB, the first time only) ..."
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv --quiet --allow-existing --python "$(PYTHON)" .venv \
	  && uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/dev.lock \
	  && uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e . ; \
	else \
	  $(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
	    if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	      apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv; \
	    else \
	      echo "Python's venv module is missing: sudo apt-get install python3-venv"; exit 1; \
	    fi; }; \
	  $(PYTHON) -m venv .venv \
	  && $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	       --no-compile -r requirements/dev.lock \
	  && { $(BIN)/python -m compileall -qq -j 0 .venv/lib || true; } \
	  && $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
	       --no-build-isolation -e . ; \
	fi
	@$(BIN)/python -m compileall -q drp
	@touch $@

install-slurm: $(INSTALLED)  ## add what runs on a SLURM cluster need, at the locked versions
	@if command -v uv >/dev/null 2>&1; then \
	  uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/slurm.lock; \
	else \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	    -r requirements/slurm.lock; \
	fi

demo: $(INSTALLED)  ## compute the reports of the simulated run that ships with drp
	@$(BIN)/drp run

# Compiled files are kept even where the environment forbids it: the tests start some hundred
# processes, and each would compile drp and what it loads anew.
test: $(INSTALLED)  ## run every test
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test-quick: $(INSTALLED)  ## run the tests that take seconds
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder \
	  --hypothesis-profile=quick -m "not slow and not browser and not cluster"

check: $(INSTALLED)  ## look for faults without running: style, types, workflow, known vulnerabilities
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/snakefmt --check workflow
	@$(BIN)/python tools/audit.py

format: $(INSTALLED)  ## put code into the project's form
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format --quiet .
	@$(BIN)/snakefmt workflow 2>/dev/null
	@$(BIN)/python workflow/schemas/write.py

bench: $(INSTALLED)  ## measure; figures go to docs/performance.md by hand
	@for file in benchmarks/*.py; do $(BIN)/python "$$file"; done

clean:  ## remove results and reports, keep plates and configuration
	@rm -rf results logs .snakemake reports/*/ reports/index.html reports/quality.html
