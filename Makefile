# One verb a line. `make` lists them; each makes its own .venv first.
.DEFAULT_GOAL := help
.PHONY: help render validate test test-apiserver cluster cluster-sync cluster-down test-cluster lint format schemas tools control-plane docs bench lock clean
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ENV ?= dev
CLUSTER := PYTHONPATH=tests $(BIN)/python -m cluster
INSTALLED := $(VENV)/.installed
export PATH := $(CURDIR)/.cache/bin:$(PATH)

help: ## list the verbs
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /\1|/' | while IFS='|' read -r verb words; do printf '  make %-16s %s\n' "$$verb" "$$words"; done

render: $(INSTALLED) schemas ## environments/ and apps/ → clusters/, checked (ARGS="--env prod --dry-run")
	@$(BIN)/dhakacart render $(ARGS)

validate: $(INSTALLED) schemas ## every check, nothing written (ARGS="--format json")
	@$(BIN)/dhakacart validate $(ARGS)

test: $(INSTALLED) schemas ## the quick tests, with coverage (ARGS="-k emit")
	@$(BIN)/python -m pytest -m "not apiserver and not cluster" --cov --cov-report=term $(ARGS)

test-apiserver: $(INSTALLED) schemas ## a real API server takes every object (needs KUBEBUILDER_ASSETS and kubectl)
	@$(BIN)/python -m pytest -m apiserver tests/apiserver $(ARGS)

cluster: $(INSTALLED) schemas ## a whole cluster without containers, in which Argo CD syncs what is committed (ENV=dev)
	@KUBEBUILDER_ASSETS="$$(PYTHON=$(PYTHON) tools/control-plane.sh)" && export KUBEBUILDER_ASSETS && $(CLUSTER) up $(ENV) $(ARGS)

cluster-sync: $(INSTALLED) ## commit the work tree to that cluster, and show what Argo CD changes
	@$(CLUSTER) sync $(ENV) $(ARGS)

cluster-down: $(INSTALLED) ## end that cluster
	@$(CLUSTER) down $(ENV)

test-cluster: $(INSTALLED) schemas ## the committed tree lives in a real control plane (make control-plane, redis-server, egctl)
	@$(BIN)/python -m pytest -m cluster $(or $(TESTS),tests/cluster) $(ARGS)

lint: $(INSTALLED) ## ruff and mypy --strict
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(INSTALLED) ## let ruff put the code in form
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

schemas: $(INSTALLED) ## CRDs of the pinned charts into .cache (nothing to do where CRD_MANIFESTS is set)
	@$(if $(CRD_MANIFESTS),:,$(BIN)/dhakacart fetch-schemas)

tools: $(INSTALLED) ## pinned kubeconform into .cache/bin, by Go (TOOLS="helm egctl" for bench and cluster)
	@tools/install.sh $(or $(TOOLS),kubeconform)

control-plane: ## build the programs of the test bed once, a quarter of an hour; prints their folder
	@PYTHON=$(PYTHON) tools/control-plane.sh

docs: $(INSTALLED) ## the generated pages and the editors' schema
	@$(BIN)/dhakacart docs --write
	@$(BIN)/dhakacart schema --write

bench: $(INSTALLED) schemas ## speed and memory, as ratios to Helm and kustomize in the same run
	@$(BIN)/python -m bench $(ARGS)

lock: $(INSTALLED) ## resolve requirements.lock anew from pyproject.toml
	@$(BIN)/python -m venv .cache/lock && .cache/lock/bin/pip install --quiet pip-tools==7.6.2
	@.cache/lock/bin/pip-compile --quiet --extra dev --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --strip-extras --allow-unsafe --output-file requirements.lock pyproject.toml

clean: ## remove what can be made again
	rm -rf $(VENV) .cache build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage

$(INSTALLED): requirements.lock pyproject.toml
	@echo "making .venv (about half a minute) …"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name one with PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --config-settings editable_mode=compat -e .
	@touch $@
