# Yigong Gateway: every verb a newcomer needs. `make` alone lists them.
PYTHON ?= python3
RUN := .venv-run/bin
TEST := .venv/bin
LINT := .venv-lint/bin
PIP := -m pip install --quiet --disable-pip-version-check --require-hashes
export PYTHONPATH :=

.DEFAULT_GOAL := help
.PHONY: help demo test test-long lint format types layers unit bench coverage-guide lock wheel clean

help: ## list the verbs
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv-run/ready ## set up and run the guided tour, then go on serving
	$(RUN)/gateway demo

test: .venv/ready .venv-lint/ready lint types layers unit ## set up and run every check: style, types, walls, tests on SQLite and PostgreSQL

test-long: .venv/ready ## the slow suites: fault plan in full counts, long properties
	$(TEST)/python -m pytest -m long --timeout 3600 -p no:cacheprovider tests

lint: .venv-lint/ready
	$(LINT)/ruff check .
	$(LINT)/ruff format --check .

format: .venv-lint/ready ## let ruff format the tree
	$(LINT)/ruff check --fix .
	$(LINT)/ruff format .

types: .venv/ready .venv-lint/ready
	$(LINT)/mypy --python-executable $(TEST)/python gateway

layers: .venv-lint/ready
	PYTHONPATH=. $(LINT)/lint-imports --no-cache

unit: .venv/ready
	rm -f .coverage .coverage.*
	COVERAGE_PROCESS_START=$(CURDIR)/pyproject.toml $(TEST)/python -m pytest -m "not long" -n 2 --dist loadgroup --cov --cov-report= tests
	$(TEST)/python -m coverage report --skip-covered --sort=cover --fail-under=95 | tail -n 25

bench: .venv/ready ## measure ingest against hl7apy alone (minutes; options: ARGS="--help")
	$(TEST)/python benchmarks/ingest.py $(ARGS)

coverage-guide: .venv/ready ## print how much of the HL7 v2-to-FHIR guide is covered (needs its tables in ../shared)
	$(TEST)/python -m tools.guide $(ARGS)

lock: ## renew the locks in requirements/ (hashes, no index address)
	$(PYTHON) -m venv .venv-lock && .venv-lock/bin/python -m pip install --quiet uv
	for group in build runtime test lint; do \
	  .venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    --no-emit-index-url --no-emit-find-links --output-file requirements/$$group.txt requirements/$$group.in || exit 1; done

wheel: .venv/ready ## build the wheel with mappings and profiles inside
	$(TEST)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

clean: ## remove environments, caches and the demo's data
	rm -rf .venv .venv-run .venv-lint .venv-lock build dist var .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv-run/ready: requirements/build.txt requirements/runtime.txt pyproject.toml
	$(PYTHON) -m venv .venv-run
	.venv-run/bin/python $(PIP) -r requirements/build.txt
	.venv-run/bin/python $(PIP) -r requirements/runtime.txt
	.venv-run/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

.venv/ready: requirements/build.txt requirements/test.txt pyproject.toml
	$(PYTHON) -m venv .venv
	.venv/bin/python $(PIP) -r requirements/build.txt
	.venv/bin/python $(PIP) -r requirements/test.txt
	.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

.venv-lint/ready: requirements/lint.txt
	$(PYTHON) -m venv .venv-lint
	.venv-lint/bin/python $(PIP) -r requirements/lint.txt
	touch $@
