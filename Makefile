# Every command a person types. `make` alone lists them.

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 3000
MODEL ?= all
DATA ?= shared

SERVE := .venv-serve/bin
DEV := .venv/bin
PIP := -m pip --quiet --disable-pip-version-check install --constraint constraints.txt

# Programs of npm that tests ask: validators and a driver of browsers. Without npm those tests skip.
NODE := $(if $(shell command -v npm),$(patsubst %/package-lock.json,%/node_modules/.package-lock.json,$(wildcard tests/*/package-lock.json)))

.DEFAULT_GOAL := help
.PHONY: help serve setup test check train cards docs offline ui bench clean

help:  ## list the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

serve: .venv-serve/.installed  ## install what serving needs, and serve the released models
	$(SERVE)/python -m serving --host $(HOST) --port $(PORT)

setup: .venv/.installed  ## install everything, for development

test: .venv/.installed $(NODE)  ## run the whole suite
	$(DEV)/python -m pytest --numprocesses auto --dist loadfile

check: .venv/.installed  ## style, types, import contracts, docstrings, model cards
	$(DEV)/ruff check .
	$(DEV)/ruff format --check .
	$(DEV)/mypy
	$(DEV)/lint-imports
	@# Conditions of rules have a line each: they are read beside rules.toml.
	$(DEV)/numpydoc lint $$(git ls-files 'src/cdss/*.py' ':!src/cdss/guidelines/*/*.py')
	$(DEV)/python -m training cards --check

train: .venv/.installed  ## train MODEL=id (default all) on DATA=shared or pypi
	$(DEV)/python -m training train --model $(MODEL) --data $(DATA)

cards: .venv/.installed  ## write the model cards of the shipped bundles
	$(DEV)/python -m training cards

offline: .venv/.installed  ## build the offline edition into build/offline
	$(DEV)/python -m serving.offline build/offline

docs: .venv/.installed  ## write what cdss says of five patients
	$(DEV)/python docs/patients.py

ui: .venv/.installed  ## look at the training runs in MLflow
	$(DEV)/mlflow ui --backend-store-uri sqlite:///mlflow.db --host $(HOST) --port 5000

bench: .venv/.installed .venv-serve/.installed  ## measure ours and the alternatives in one run
	$(DEV)/python -m training.benchmarks.explained_graph
	$(DEV)/python -m training.benchmarks.assess
	$(DEV)/python -m training.benchmarks.batch --rows 1000000
	$(DEV)/python -m training.benchmarks.spark
	$(DEV)/python -m training.benchmarks.population
	$(DEV)/python -m serving.benchmarks.http --python $(SERVE)/python
	$(DEV)/python -m serving.benchmarks.emr
	$(DEV)/python -m serving.benchmarks.page --python $(SERVE)/python

clean:  ## remove what the commands above made, except the tracking database
	rm -rf .venv .venv-serve build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

.venv-serve/.installed: pyproject.toml constraints.txt
	$(call new_venv,.venv-serve)
	$(SERVE)/python $(PIP) --editable '.[serve]'
	@touch $@

# torch first and alone: resolved together with the rest it can end in a build for GPUs.
.venv/.installed: pyproject.toml constraints.txt
	$(call new_venv,.venv)
	$(DEV)/python $(PIP) torch
	$(DEV)/python $(PIP) --editable '.[dev]'
	@touch $@

tests/%/node_modules/.package-lock.json: tests/%/package-lock.json
	@echo "installing into $(@D) ..."
	@npm ci --prefix $(<D) --silent --no-audit --no-fund
	@touch $@

define new_venv
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	|| { echo "cdss needs Python 3.11 or later: make PYTHON=python3.11 ..."; exit 1; }
@echo "installing into $(1) ..."
@$(PYTHON) -m venv --clear $(1)
endef
