# make demo   everything from an empty checkout to a reader (README)
# make test   lint, types and tests, as CI runs them
# make packages   Debian's fonts and word lists that some recipes and benchmarks render with (as root)
# The first two make a .venv of their own and install into it; nothing outside the checkout is touched, except that a Debian
# machine without the venv module gets it with apt-get, and that `make test` as root installs Chromium, Node.js and npm there when they
# are missing. Where they cannot be had, the tests that need them are skipped.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

BROWSER := chromium nodejs npm fonts-liberation

.PHONY: demo test test-all lint packages browser clean

demo: $(VENV)/.installed-train
	$(BIN)/glyphlet demo

test: lint browser
	$(BIN)/python -m pytest -m "not slow"

test-all: lint browser
	$(BIN)/python -m pytest

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

browser:
	@if ! { command -v chromium && command -v node && command -v npm; } >/dev/null && command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  { apt-get update && apt-get install -y --no-install-recommends $(BROWSER); } || \
	  echo "No Chromium or npm could be installed: the tests of the page are skipped."; fi

packages:
	grep -v '^#' recipes/packages.txt | xargs apt-get install -y --no-install-recommends

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Glyphlet needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { apt-get update && apt-get install -y python3-venv; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed-%: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[$*]'
	@touch $@

clean:
	rm -rf $(VENV) build dist demo runs .pytest_cache .mypy_cache .ruff_cache .hypothesis
