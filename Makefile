# `make demo` and `make test` are all a new user needs; `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
SCENARIO ?= bad-image
SOURCES := main.py drill.py app.py worker.py flow.py nodes.py cli domain utils evidence policy journal receive analyze execute report web mcp_servers sandbox tests

.PHONY: help demo serve test check lint types tests test-slow test-kube test-prom drill drill-kube bench-sandbox clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: $(VENV)/service ## break something in the embedded cluster and watch it being mended (SCENARIO=…)
	@$(PY) main.py demo $(SCENARIO)

serve: $(VENV)/service ## the service on port 10000 with the embedded cluster
	@$(PY) main.py serve --sandbox

test: check ## everything that has to hold: lint, types, house, all tests

check: lint
	@$(MAKE) --no-print-directory -j2 types tests

lint: $(VENV)/checks
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

types: $(VENV)/checks
	$(VENV)/bin/mypy $(SOURCES)

tests: $(VENV)/checks
	$(PY) -m pytest -n 3 --dist worksteal

test-slow: $(VENV)/checks ## what takes longer: every scenario, every README command, a real Prometheus
	$(PY) -m pytest -n 3 --dist worksteal -m slow

test-kube: $(VENV)/checks ## the contract suites on a real Kubernetes control plane, where one can be had
	tests/with_control_plane.sh $(PY) -m pytest -rs tests/contract/kube tests/contract/tools

test-prom: $(VENV)/checks ## the sandbox's metrics and alerts against a real Prometheus and Alertmanager
	$(PY) -m pytest tests/real_prometheus/check_queries.py tests/real_prometheus/check_alerts.py
	PROM_CONTRACT=real $(PY) -m pytest -rs tests/contract/prom -m "slow or not slow"

drill: $(VENV)/service ## all drills, beside two analysts that understand nothing
	@$(PY) main.py drill --baselines

drill-kube: $(VENV)/checks ## ten drills on a real control plane: the same outcomes as in the sandbox
	tests/with_control_plane.sh $(PY) -m tests.drill_kube.play

bench-sandbox: $(VENV)/checks ## size and speed of the sandbox
	$(PY) -m tests.bench.bench_sandbox_api
	$(PY) -m tests.bench.bench_sandbox_cluster

$(VENV)/service: requirements.txt
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/checks: requirements.txt requirements-dev.txt
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/service

rbac: $(VENV)/service ## write deploy/rbac from what the tools declare
	$(PY) -m mcp_servers.describe roles

docs-tools: $(VENV)/checks ## write docs/tools.md from the tool servers, with examples from the sandbox
	$(PY) -m tests.contract.tools.examples
	$(PY) -m mcp_servers.describe tools

bench-tools: $(VENV)/checks ## time the Kubernetes tools in-process and over stdio, and count their tokens
	$(PY) -m tests.bench.bench_tools

clean: ## forget the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache
