# make run    the demonstration: three emulated modules and the controlling host
# make test   the whole test suite
# make check  format, lint, types, requirements, news fragments, documentation
#
# Everything is installed into .venv, once; after that, run, test, check and docs need no network.
# The checkout is installed in place, so a changed file needs no new installation.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := $(wildcard atrunproto tests tools bench twisted/plugins)

.PHONY: run test check format lint types requirements news docs bench clean

run: $(VENV)/.installed-run
	$(BIN)/python -m atrunproto.demo

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n 2 $(ARGS)

check: lint types requirements news docs

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

types: $(VENV)/.installed-dev
	$(BIN)/mypy $(SOURCES)

# Which requirement is proven by which test; UPDATE=1 records what is covered now.
requirements:
	$(PYTHON) tools/requirements.py $(if $(UPDATE),--update)

# The next release's page can be made of the fragments in docs/changes.
news: $(VENV)/.installed-dev
	$(BIN)/towncrier build --config docs/towncrier.toml --draft --version next >/dev/null

docs: $(VENV)/.installed-dev docs/_build/twisted/objects.inv
	$(BIN)/pydoctor
	$(BIN)/python -m sphinx -b html -n -W --keep-going -q docs docs/_build/html

# Twisted's names, read from the installed copy, so that links to them are checked without a network.
docs/_build/twisted/objects.inv: $(VENV)/.installed-dev
	mkdir -p $(@D)
	cd $(@D) && $(abspath $(BIN))/pydoctor --make-intersphinx --docformat=epytext --html-output=. \
	  "$$($(abspath $(BIN))/python -c 'import os, twisted; print(os.path.dirname(twisted.__file__))')" >/dev/null

bench: $(VENV)/.installed-run
	$(BIN)/python -m bench

clean:
	rm -rf $(VENV) build docs/_build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(BIN)/pip:
	$(PYTHON) -m venv $(VENV)

INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check

$(VENV)/.installed-run: setup.cfg pyproject.toml | $(BIN)/pip
	$(INSTALL) --editable .
	touch $@

$(VENV)/.installed-test: setup.cfg pyproject.toml | $(BIN)/pip
	$(INSTALL) --editable '.[test]'
	touch $@ $(VENV)/.installed-run

$(VENV)/.installed-dev: setup.cfg pyproject.toml | $(BIN)/pip
	$(INSTALL) --editable '.[dev]'
	touch $@ $(VENV)/.installed-run $(VENV)/.installed-test
