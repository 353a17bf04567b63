# Needs Python 3.11 or later with pip and venv, and make; everything else comes with `make run`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(VENV)/.app-installed
DEV := $(VENV)/.dev-installed
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help run test check fix proof smoke bench lock clean
export PORT RATE REVIEWERS

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(RUN) ## start everything on http://127.0.0.1:8000/ (PORT=, RATE=items per second, REVIEWERS=, DATABASE_URL=, DATABASE_OWNER_URL=, REDIS_URL=)
	@exec $(BIN)/python -m reviewqueue.embedded.run

test: $(DEV) ## all tests but the long ones
	@if $(BIN)/python tools/browser.py; then $(BIN)/python -m pytest -n 2 -m "not proof"; else \
	  $(BIN)/python -m pytest -n 2 -m "not proof and not browser"; result=$$?; \
	  echo "LEFT OUT: the tests marked 'browser', since there is no browser." >&2; exit $$result; fi

check: $(DEV) ## format, lint, types, migrations, templates, API description, translations; under a minute
	@$(BIN)/python tools/check.py

fix: $(DEV) ## mend what a program can mend: format, API description, translation catalogues
	$(BIN)/python -m ruff check --fix-only --quiet .
	$(BIN)/python -m ruff format --quiet .
	$(BIN)/python tools/schema.py
	$(BIN)/python tools/messages.py

proof: $(DEV) ## the long tests: kills, races, tampering; at most 45 minutes
	@$(BIN)/python -m pytest -n 2 --dist worksteal -m proof

smoke: $(DEV) ## what a new user does: a fresh clone, make run, one item all the way, Ctrl-C
	@$(BIN)/python tools/smoke.py

bench: $(DEV) ## speed, as ratios to what the same server does bare
	@$(BIN)/python -m tests.bench

lock: ## pin requirements/*.txt anew from pyproject.toml
	$(PYTHON) -m venv .run/pins
	.run/pins/bin/python -m pip install --quiet uv
	.run/pins/bin/uv pip compile $(LOCK) pyproject.toml --output-file requirements/app.txt
	.run/pins/bin/uv pip compile $(LOCK) pyproject.toml --group dev --output-file requirements/dev.txt
LOCK := --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links --quiet

clean: ## stop the embedded servers and remove what running left: data, logs, the virtual environment
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m reviewqueue.embedded remove; fi
	rm -rf .run $(VENV) staticfiles .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or later is needed; name one: make PYTHON=python3.13 ...")'
	$(PYTHON) -m venv $(VENV)

$(RUN): requirements/app.txt | $(VENV)/bin/python
	@echo "Installing what the application needs (requirements/app.txt)"
	@$(PIP) install --require-hashes -r requirements/app.txt
	@touch $@

$(DEV): requirements/dev.txt | $(VENV)/bin/python
	@echo "Installing what development needs (requirements/dev.txt)"
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@ $(RUN)
