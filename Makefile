# One verb a line. `make` lists them; each makes its own .venv first.
.DEFAULT_GOAL := help
.PHONY: help render infra infra-validate infra-plan test-infra validate test test-apiserver cluster cluster-sync cluster-down test-cluster shop test-shop loadtest bench-shop images lint format schemas tools control-plane docs bench lock clean
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ENV ?= dev
CLUSTER := PYTHONPATH=tests $(BIN)/python -m cluster
INSTALLED := $(VENV)/.installed
INFRA := PYTHONPATH=.:infra-cdktf $(BIN)/python -m dhakacart_infra
INFRA_SYNTH := infra-cdktf/.venv/.installed
INFRA_INSTALLED := infra-cdktf/.venv/.installed-dev
CHECKOV := infra-cdktf/.venv-checkov/.installed
SHOP := cd service && .venv/bin/python
SHOP_RUNTIME := service/.venv/.installed
SHOP_INSTALLED := service/.venv/.installed-dev
PIP_INSTALL := install --quiet --disable-pip-version-check --no-deps
export PATH := $(CURDIR)/.cache/bin:$(PATH)

help: ## list the verbs
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /\1|/' | while IFS='|' read -r verb words; do printf '  make %-16s %s\n' "$$verb" "$$words"; done

render: $(INSTALLED) schemas ## environments/ and apps/ → clusters/, checked (ARGS="--env prod --dry-run")
	@$(BIN)/dhakacart render $(ARGS)
	@$(INFRA) stale $(if $(findstring --dry-run,$(ARGS)),|| true,>/dev/null || $(MAKE) --no-print-directory infra ARGS=)

test-infra: $(INFRA_INSTALLED) $(CHECKOV) ## the stacks, by synthesis, Terraform, moto and checkov (ARGS="-k network")
	@cd infra-cdktf && .venv/bin/python -m pytest $(ARGS)

infra: $(INSTALLED) $(INFRA_SYNTH) ## environments/ → clusters/<env>/terraform/, by CDKTF, what has changed (ARGS=--force)
	@PYTHONPATH=.:infra-cdktf infra-cdktf/.venv/bin/python -m dhakacart_infra synth $(ARGS)

infra-validate: $(INFRA_SYNTH) ## `terraform validate` over every stack (needs Terraform on the PATH)
	@$(MAKE) --no-print-directory infra ARGS= >&2
	@cd infra-cdktf && PYTHONPATH=..:. .venv/bin/python -m verify validate $(ARGS)

infra-plan: $(INFRA_INSTALLED) ## what Terraform would add, change and destroy (ENV=prod ARGS="--offline", "--format json")
	@$(MAKE) --no-print-directory infra ARGS= >&2
	@cd infra-cdktf && PYTHONPATH=..:. .venv/bin/python -m verify plan $(ENV) $(ARGS)

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
	@$(if $(TESTS),$(BIN)/python -m pytest -m cluster $(TESTS),$(CLUSTER).lanes) $(ARGS)

shop: $(SHOP_RUNTIME) ## the shop on this machine, on SQLite, with goods and pages; prints its address
	@service/.venv/bin/python service/web/build.py
	@$(SHOP) -m shop demo --web web/dist $(ARGS)

test-shop: $(SHOP_INSTALLED) ## all tests of the shop, with coverage (PostgreSQL from the PATH or from Debian; ARGS="-m 'not slow'")
	@$(SHOP) -m pytest --cov --cov-report=term $(ARGS)

loadtest: $(SHOP_INSTALLED) ## shoppers against a shop and a PostgreSQL of its own, then the verdict of the database
	@$(SHOP) -m loadtest $(ARGS)

bench-shop: $(SHOP_INSTALLED) ## speed of the shop, as ratios to peers in the same run (ARGS="--quick", ARGS=--write)
	@$(SHOP) -m bench $(ARGS)

BUILDER ?= docker build
images: ## both images of the shop, as service/docker/README.md says (BUILDER="buildah bud", RDS_BUNDLE_SHA256=…, BUILD_ARGS=…)
	@$(BUILDER) -f service/docker/backend.Dockerfile --build-arg RDS_BUNDLE_SHA256=$(RDS_BUNDLE_SHA256) $(BUILD_ARGS) -t shop-backend service
	@$(BUILDER) -f service/docker/frontend.Dockerfile $(BUILD_ARGS) -t shop-frontend service

lint: $(INSTALLED) $(SHOP_INSTALLED) $(INFRA_INSTALLED) ## ruff and mypy --strict
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(SHOP) -m mypy
	@cd infra-cdktf && .venv/bin/python -m mypy

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

COMPILE := .cache/lock/bin/pip-compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --strip-extras --allow-unsafe
lock: ## resolve the locks anew from pyproject.toml and service/pyproject.toml
	@$(PYTHON) -m venv .cache/lock && .cache/lock/bin/pip install --quiet --disable-pip-version-check pip-tools==7.6.2
	@$(COMPILE) --extra dev --output-file requirements.lock pyproject.toml
	@$(COMPILE) --output-file infra-cdktf/requirements.lock infra-cdktf/pyproject.toml
	@$(COMPILE) --extra dev --output-file infra-cdktf/requirements-dev.lock infra-cdktf/pyproject.toml
	@$(COMPILE) --output-file infra-cdktf/checkov.lock infra-cdktf/checkov.in
	@$(COMPILE) --output-file service/requirements.lock service/pyproject.toml
	@$(COMPILE) --extra dev --output-file service/requirements-dev.lock service/pyproject.toml

clean: ## remove what can be made again
	rm -rf $(VENV) .cache build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
	cd infra-cdktf && rm -rf .venv .venv-checkov .mypy_cache .pytest_cache
	cd service && rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage* web/dist bench/express/node_modules

define python-of-today
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name one with PYTHON=python3.12" >&2; exit 2; }
endef

$(INSTALLED): requirements.lock pyproject.toml
	@echo "making .venv (about half a minute) …"
	@$(python-of-today)
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip $(PIP_INSTALL) --require-hashes -r requirements.lock
	@$(BIN)/pip $(PIP_INSTALL) --no-build-isolation --config-settings editable_mode=compat -e .
	@touch $@

# jsii, Node and the bindings of AWS: only who synthesizes needs them.
$(INFRA_SYNTH): infra-cdktf/requirements.lock
	@echo "making infra-cdktf/.venv (about a minute) …"
	@$(python-of-today)
	@$(PYTHON) -m venv infra-cdktf/.venv
	@infra-cdktf/.venv/bin/pip $(PIP_INSTALL) --require-hashes -r infra-cdktf/requirements.lock
	@touch $@

$(INFRA_INSTALLED): $(INFRA_SYNTH) infra-cdktf/requirements-dev.lock
	@echo "adding what tests need to infra-cdktf/.venv (about a minute) …"
	@infra-cdktf/.venv/bin/pip $(PIP_INSTALL) --require-hashes -r infra-cdktf/requirements-dev.lock
	@touch $@

# In a venv of its own: it pins half of what the others need otherwise.
$(CHECKOV): infra-cdktf/checkov.lock
	@echo "making infra-cdktf/.venv-checkov (about a minute) …"
	@$(python-of-today)
	@$(PYTHON) -m venv infra-cdktf/.venv-checkov
	@infra-cdktf/.venv-checkov/bin/pip $(PIP_INSTALL) --require-hashes -r infra-cdktf/checkov.lock
	@touch $@

# What the image has, and no more: enough to run the shop.
$(SHOP_RUNTIME): service/requirements.lock
	@echo "making service/.venv (about half a minute) …"
	@$(python-of-today)
	@$(PYTHON) -m venv service/.venv
	@service/.venv/bin/pip $(PIP_INSTALL) --require-hashes -r service/requirements.lock
	@touch $@

$(SHOP_INSTALLED): $(SHOP_RUNTIME) service/requirements-dev.lock service/pyproject.toml
	@echo "adding what tests need to service/.venv (about a minute) …"
	@service/.venv/bin/pip $(PIP_INSTALL) --require-hashes -r service/requirements-dev.lock
	@service/.venv/bin/pip $(PIP_INSTALL) --no-build-isolation --config-settings editable_mode=compat -e service
	@touch $@
