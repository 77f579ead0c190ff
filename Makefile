# Everything a person or CI types. `make help` lists it. Each target does its own set-up.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= python3
CLUSTER ?= auto
# Empty is none, but that `make test` runs what is behind it where the provider's binary is in the cache already.
AWS ?=
# Where packages go, and an image tarball, `none`, or the base to build one on: written into what is built, never in here.
REGISTRY ?=
IMAGE ?=
BASE ?=
export CLUSTER AWS REGISTRY IMAGE BASE

# Three where there are two cores: tests on a cluster wait for most of their time.
WORKERS ?= 3

# How much `make soak` does: examples of each test of hostile input, seeds of each test of faults, orders and storms.
EXAMPLES ?= 100000
SEEDS ?= 20
# `make bench WHOLE=yes` times Terraform's plan too, by OpenTofu and Terraform's AWS provider: an hour and 35 GB to build.
WHOLE ?=

VENV := .venv
BIN := $(VENV)/bin
# Made again when the pins, the entry points or the interpreter change.
STAMP := $(VENV)/.ready

.PHONY: help
help: ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  \033[1mmake %-10s\033[0m %s\n", $$1, $$2}'
	@printf '\n  CLUSTER=auto|embedded|kind|node|current chooses where it runs (now: %s).\n' '$(CLUSTER)'
	@printf '  AWS=moto puts the real AWS provider and moto behind it (embedded alone; built once, an hour and 35 GB).\n'

$(STAMP): requirements/uv.txt requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "error: $(PYTHON) is older than 3.11; run \`make PYTHON=python3.12 …\` or install Python 3.11 or later" >&2; exit 1; }
	@echo "==> Python environment in $(VENV)"
	@$(PYTHON) -m venv --clear $(VENV) \
	  || { echo "error: $(PYTHON) cannot make a virtual environment; install its venv module (Debian: apt-get install python3-venv)" >&2; exit 1; }
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@# uv leaves no bytecode unless it is told to: every process would compile what it imports, half a second of tap.
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q xrds compositions functions operator cli cluster tests
	@touch $@

.PHONY: setup
setup: $(STAMP) ## Make the Python environment (.venv)

.PHONY: up
up: $(STAMP) ## Start the cluster and install everything on it; a no-op when it is up
	@$(BIN)/python -m tap_cluster up

.PHONY: down
down: $(STAMP) ## Stop what `make up` started; data stays for the next `make up`
	@$(BIN)/python -m tap_cluster down

.PHONY: status
status: $(STAMP) ## Say what runs where
	@$(BIN)/python -m tap_cluster status

.PHONY: demo
demo: $(STAMP) ## Run the main job: claims/prod.yaml becomes three regions, shown live
	@$(BIN)/python -m tap_cluster demo

.PHONY: synth generate
synth: generate ## Write every generated file (XRDs, CRD, Compositions, activation policy, catalogue)
generate: $(STAMP)
	@$(BIN)/python compositions/emit.py
	@$(BIN)/python charts/emit.py
	@$(BIN)/tap synth

.PHONY: package
package: $(STAMP) ## Build both packages and the images into dist/, for REGISTRY=
	@$(BIN)/python -m tap_cluster package

.PHONY: publish
publish: $(STAMP) ## Build them and push them to REGISTRY= (default: the embedded cluster's)
	@$(BIN)/python -m tap_cluster publish

.PHONY: check
check: $(STAMP) ## Lint, types, layers, spelling, alert rules, and whether generated files are fresh
	@echo "==> ruff"; $(BIN)/ruff check . && $(BIN)/ruff format --check .
	@echo "==> mypy"; $(BIN)/mypy && $(BIN)/mypy xrds/emit.py && $(BIN)/mypy compositions/emit.py && $(BIN)/mypy charts/emit.py
	@echo "==> import layers"; $(BIN)/lint-imports
	@echo "==> yamllint"; $(BIN)/yamllint --strict .
	@echo "==> codespell"; git ls-files -z | xargs -0 $(BIN)/codespell
	@echo "==> alert rules"; promtool="$$($(BIN)/python -m tap_cluster tool promtool)" && \
	  "$$promtool" check rules charts/operator/files/alerts.yaml
	@echo "==> generated files"; $(BIN)/tap synth --check && $(BIN)/python compositions/emit.py --check && \
	  $(BIN)/python charts/emit.py --check

.PHONY: test
test: $(STAMP) ## Run every test, the ones on a real control plane included
	@# Before the tests, which it would starve.
	@for tool in promtool kube-score; do $(BIN)/python -m tap_cluster tool $$tool >/dev/null || exit 1; done
	@$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.PHONY: soak
soak: $(STAMP) ## Run the long tests (hours): EXAMPLES= of hostile input, SEEDS= of faults, orders and storms of claims
	@$(BIN)/pytest tests/unit/hostile --examples $(EXAMPLES) --timeout 3600 -s
	@$(BIN)/pytest tests/cluster/test_cidrs.py tests/cluster/test_drift.py tests/cluster/test_faults.py \
	  tests/cluster/test_restore.py tests/cluster/test_teardown.py tests/cluster/test_whole_stack.py \
	  tests/aws/test_real_provider.py --seeds $(SEEDS) --timeout 1200 -s -v
	@$(BIN)/pytest tests/node --node -s -v

.PHONY: bench
bench: $(STAMP) ## Time admission at 10, 1,000 and 10,000 claims, and a plan beside the Terraform CDK's successor (WHOLE=yes: its plan too)
	@$(BIN)/python bench/admission.py
	@cmp -s requirements/bench.txt .venv-bench/bench.txt || { $(PYTHON) -m venv --clear .venv-bench && \
	  $(BIN)/uv pip install --quiet --compile-bytecode --python .venv-bench/bin/python --require-hashes -r requirements/bench.txt && \
	  .venv-bench/bin/npm ci --prefix bench/cdktn-cli --no-audit --no-fund --loglevel=error && \
	  cp requirements/bench.txt .venv-bench/; }
	@# As people have it: installed by itself, with what it needs and no more.
	@$(PYTHON) -m venv --clear .venv-tap && \
	  $(BIN)/uv pip install --quiet --compile-bytecode --python .venv-tap/bin/python --constraint requirements/dev.txt .
	@set -- --tap .venv-tap/bin/tap --peer-python .venv-bench/bin/python --peer-cli bench/cdktn-cli/node_modules/.bin/cdktn; \
	  if [ -n "$(WHOLE)" ]; then \
	    tofu="$$($(BIN)/python -m tap_cluster tool tofu)" && \
	    provider="$$($(BIN)/python -m tap_cluster tool terraform-provider-aws)" || exit 1; \
	    set -- "$$@" --tofu "$$tofu" --provider "$$provider"; \
	  fi; \
	  $(BIN)/python bench/plan.py "$$@"

.PHONY: unit
unit: $(STAMP) ## Run the tests that need no cluster
	@$(BIN)/pytest tests/unit tests/golden tests/schema

.PHONY: format
format: $(STAMP) ## Format the code and mend what ruff can mend
	@$(BIN)/ruff check --fix-only --quiet . ; $(BIN)/ruff format .

.PHONY: lock
lock: $(STAMP) ## Pin the newest versions that pyproject.toml admits, with hashes
	@for extra in dev function operator sbom checkov bench; do \
	  $(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-header --no-annotate \
	    --python-version 3.11 --extra $$extra pyproject.toml --output-file requirements/$$extra.txt; done

.PHONY: clean
clean: ## Remove the environment, the cluster's data and caches of tools (run `make down` first)
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m tap_cluster down; fi
	@rm -rf $(VENV) .venv-* bench/cdktn-cli/node_modules .tap dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
