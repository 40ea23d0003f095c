# The few verbs of this project. Each one sets up .venv first if that is needed, so `make test` works in a fresh clone.
#
#   make demo          train LeNet-5 on handwritten digits, export it and verify the export
#   make test          everything that must hold: lint, format, types, the whole suite
#   make setup         create .venv and install striate with all extras into it, editable
#   make lint          ruff's rules, layout  make format    let ruff and striate fmt rewrite the layout
#   make check         lint, format and types without the tests
#   make bench         the benchmarks        make wheel-test  the suite against the installed wheel
#   make fuzz          random texts, guided by coverage, for a minute per target (make FUZZ_SECONDS=600 fuzz)
#   make clean         remove build products and caches (not .venv)
#
# Choices:  make PYTHON=python3.12 test        another interpreter (.venv is made anew)
#           make PIP_ARGS="..." setup          further arguments for pip, such as --extra-index-url
#           make PYTEST_ARGS="-k conv" test    further arguments for pytest

PYTHON ?= python3
PIP_ARGS ?=
PYTEST_ARGS ?=
FUZZ_SECONDS ?= 60

VENV := .venv
BIN := $(VENV)/bin
# Two stamps: the interpreter's name is in the first, so choosing another one makes .venv anew; the second is out of date
# whenever the dependencies or the version change.
CREATED := $(VENV)/.created-by-$(subst /,_,$(PYTHON))
INSTALLED := $(VENV)/.installed

# The folders with .cnn files of our own.
NETWORKS := benchmarks examples plugins

# As many processes as there are processors, up to eight; tests that share something costly stay together.
SPREAD := -n auto --maxprocesses 8 --dist loadgroup

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test check lint format types bench bench-peers fuzz wheel-test clean

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

setup: $(INSTALLED)
	@echo "striate is installed in $(VENV): $(BIN)/striate --help"

$(CREATED):
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "striate needs Python 3.11, 3.12 or 3.13, and '$(PYTHON)' is none of them." >&2; \
	  echo "Name one that is installed, for example:  make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "'$(PYTHON)' cannot create virtual environments: its venv module is not installed." >&2; \
	  echo "Debian and Ubuntu:  sudo apt install python3-venv   (or python3.12-venv and so on, to match $(PYTHON))" >&2; \
	  exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(INSTALLED): $(CREATED) pyproject.toml constraints.txt engine/striate/version.py
	@echo "Installing striate with everything it needs into $(VENV): about a minute, several where CUDA is downloaded."
	$(BIN)/python -m pip install -qq $(PIP_ARGS) -c constraints.txt -e '.[all,dev]'
	@touch $@

demo: $(INSTALLED)
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh examples/digits.sh

# Training has processes of its own: those that have run all other tests end without a word once Lightning begins in
# them. Nothing selected there is no failure (pytest's exit code 5), so that PYTEST_ARGS can choose any tests.
test: check
	@$(BIN)/python -m pytest $(SPREAD) tests/engine/train $(PYTEST_ARGS) || [ $$? -eq 5 ]
	@$(BIN)/python -m pytest $(SPREAD) --ignore=tests/engine/train $(PYTEST_ARGS)

check: lint types

lint: $(INSTALLED)
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m striate fmt --check $(NETWORKS)

format: $(INSTALLED)
	$(BIN)/python -m ruff check --fix-only .
	$(BIN)/python -m ruff format .
	$(BIN)/python -m striate fmt $(NETWORKS)

types: $(INSTALLED)
	$(BIN)/python -m mypy

bench: $(INSTALLED)
	@$(BIN)/python -m benchmarks

bench-peers: $(INSTALLED)
	@$(BIN)/python benchmarks/peer_tools.py

# atheris has wheels for some versions of Python only, so nothing else needs it.
fuzz: $(INSTALLED)
	@$(BIN)/python -c 'import atheris' 2>/dev/null || $(BIN)/python -m pip install -qq $(PIP_ARGS) -c constraints.txt -e '.[fuzz]'
	@$(BIN)/python tests/fuzz/campaign.py --seconds $(FUZZ_SECONDS)

wheel-test: $(INSTALLED)
	@$(BIN)/python -m tests.packaging.installed $(SPREAD) $(PYTEST_ARGS)

clean:
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
