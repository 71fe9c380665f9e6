# make demo    set up, run the quickstart deck on 2 ranks, make pictures
# make test    set up, then lint and the whole test suite, serial and MPI
# make env     set up only       make bench   all benchmarks       make lint   style, types, layers
SHELL := /bin/bash
export OMP_NUM_THREADS ?= 1
RANKS ?= 2
BIN := .venv/bin
SETUP := pyproject.toml scripts/setup.sh scripts/requirements.py

.PHONY: env demo test bench lint clean

env: .venv/all.stamp

# Stamps make a set-up that is complete cost nothing; what the later stage installs serves the earlier one.
.venv/all.stamp: $(SETUP)
	@scripts/setup.sh all
	@touch .venv/run.stamp $@

.venv/run.stamp: $(SETUP)
	@scripts/setup.sh run
	@touch $@

demo: .venv/run.stamp
	$(BIN)/plexus run input_decks/quickstart.yaml -n $(RANKS)
	$(BIN)/plexus-post info runs/quickstart
	$(BIN)/plexus-post plot runs/quickstart -o runs/quickstart

test: env
	@scripts/test.sh

bench: env
	@scripts/setup.sh bench
	$(BIN)/plexus bench

lint: env
	@scripts/lint.sh

clean:
	rm -rf .venv runs build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
