# `make help` lists the targets. Everything is installed into .venv; nothing outside this folder is touched.

PYTHON ?= python3
PORT ?= 8000
# Processes of the tests, three for two cores: many tests wait for something. Each takes whole files, in order: the browser tests
# come last.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 2) * 3 // 2)')
FRAMES ?= 100000
DEST ?= /opt/medonline
KILLS ?= 100
VENV := .venv
INDEPENDENT := tests/providers/oidc_provider
BROWSER := browser
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Every process of the tests and every server that they start reads the same modules.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run wheel install test test-postgresql screens check release-check code-check format lock clean benchmark bench faults fuzz model

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: $(VENV)/run.stamp ## the portal in demo mode: make run [PORT=8123]
	@medonline serve --mode demo --port $(PORT)

wheel: $(VENV)/run.stamp ## the package with the built pages, in dist/, and the lock of what it runs with
	@MEDONLINE_MODE=demo medonline build
	@rm -rf dist build
	@pip wheel -q --no-deps --no-build-isolation --wheel-dir dist .
	@rm -rf build
	@python tools/runtime_lock.py > dist/requirements.lock
	@ls -l dist

install: wheel ## the package in a venv of its own, which needs no Node.js: make install [DEST=/opt/medonline]
	$(PYTHON) -m venv $(DEST)
	$(DEST)/bin/pip install -q --no-deps --require-hashes -r dist/requirements.lock
	$(DEST)/bin/pip install -q --no-deps --no-index --force-reinstall dist/medonline-*.whl
	@$(DEST)/bin/medonline --version

test: $(VENV)/dev.stamp $(INDEPENDENT)/node_modules/.ready $(BROWSER)/node_modules/.ready ## all tests [WORKERS=4]; installs what they need
	@python tools/ensure_browser.py
	@python tools/ensure_servers.py
	@MEDONLINE_MODE=demo medonline build
	python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test-postgresql: $(VENV)/dev.stamp ## the tests of the services on PostgreSQL
	@python tools/ensure_servers.py
	python -m pytest -n $(WORKERS) --dist loadfile --database postgresql tests/services

screens: $(VENV)/dev.stamp ## pictures of every screen at four widths, light and dark, with a page that shows them: docs/screens/index.html
	@python tools/ensure_browser.py
	@MEDONLINE_MODE=demo medonline build
	python -m pytest -q -n $(WORKERS) --dist loadfile --screens docs/screens tests/e2e

check: code-check ## style, types of Python and of the scripts, import contracts, house rules, known vulnerabilities
	python tools/audit.py

release-check: code-check ## the same before a release: what could not be audited fails, too
	python tools/audit.py --release

code-check: $(VENV)/dev.stamp $(BROWSER)/node_modules/.ready
	ruff check .
	ruff format --check .
	mypy
	cd $(BROWSER) && npx --no-install tsc
	lint-imports
	python tools/house_rules.py

format: $(VENV)/dev.stamp ## put the code in shape
	ruff check --fix .
	ruff format .

benchmark: $(VENV)/dev.stamp ## measured claims, as ratios within one run
	python benchmarks/password_hashing.py
	python -m benchmarks.known_and_unknown 20
	python -m benchmarks.spray 500

bench: $(VENV)/dev.stamp ## the portal under load, over real sockets, moderate sizes (half an hour); numbers go to var/benchmarks
	@MEDONLINE_MODE=demo medonline build
	python -m benchmarks.journey --journeys 300 --concurrency 16
	python -m benchmarks.busy --patients 10 25 50 100 200
	python -m benchmarks.idle --pages 1000
	python -m benchmarks.wait --tabs 200
	python -m benchmarks.herd --pages 200
	python -m benchmarks.shared_address
	python -m benchmarks.growth --accounts 100000 --journal 500000
	python -m benchmarks.first_load

faults: $(VENV)/dev.stamp ## journeys while something breaks, an hour or more: make faults [KILLS=100] [SEED=7] [ONLY="kill-sqlite disk"]; the disk needs root
	@python tools/ensure_servers.py
	@MEDONLINE_MODE=demo medonline build
	python -m benchmarks.faults --kills $(KILLS) $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only $(ONLY))

fuzz: $(VENV)/dev.stamp ## malformed frames by the hundred thousand: make fuzz [FRAMES=100000] [SEED=7]
	@MEDONLINE_MODE=demo medonline build
	python -m tests.attacks.fuzzing --frames $(FRAMES) $(if $(SEED),--seed $(SEED))

model: $(VENV)/dev.stamp ## random walks against a model of recoveries and sessions: 20 000 steps each on both databases [MODEL_SEED=…]; guesses at 200 codes
	@python tools/ensure_servers.py
	LONG_RUN=1 python -m pytest $(addprefix tests/services/,password_recovery/test_model.py login/test_sessions_model.py codes/test_parallel_guesses.py)

LOCKING := uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-package pip

lock: $(VENV)/dev.stamp ## resolve the dependencies again (needs the package registries)
	pip install -q uv
	$(LOCKING) --upgrade --extra build -o requirements.lock pyproject.toml tools/build-requirements.in
	$(LOCKING) --upgrade --extra build --extra dev -c requirements.lock -o requirements-dev.lock pyproject.toml tools/build-requirements.in

clean: ## remove what was installed and built (var/ with the data stays)
	rm -rf $(VENV) .web .build build dist $(INDEPENDENT)/node_modules $(BROWSER)/node_modules test-results .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv $(VENV) || { echo "The venv module is needed (Debian: apt install python3-venv)."; exit 1; }

# The lock files are whole, so nothing is resolved: a resolver would take a newer granian for `granian[reload]` and then refuse it.
$(VENV)/run.stamp: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing the packages (about a minute, only when they changed) ..."
	@pip install -q --no-deps --require-hashes -r requirements.lock
	@pip install -q --no-deps --no-build-isolation -e .
	@touch $@

# An OpenID provider that nobody here wrote, for the contract test of the `oidc` adapter, which says so when it is missing.
$(INDEPENDENT)/node_modules/.ready: $(INDEPENDENT)/package-lock.json | $(VENV)/dev.stamp
	@echo "Installing the independent OpenID provider of the tests ..."
	@cd $(INDEPENDENT) && npm ci --silent --no-audit --no-fund && touch node_modules/.ready \
		|| echo "NOT INSTALLED: the contract test against the independent OpenID provider will be skipped."

$(BROWSER)/node_modules/.ready: $(BROWSER)/package-lock.json | $(VENV)/dev.stamp
	@echo "Installing the type checker of the scripts and axe ..."
	@cd $(BROWSER) && npm ci --silent --no-audit --no-fund && touch node_modules/.ready

$(VENV)/dev.stamp: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing the packages for development (about a minute, only when they changed) ..."
	@pip install -q --no-deps --require-hashes -r requirements-dev.lock
	@pip install -q --no-deps --no-build-isolation -e .
	@touch $@
