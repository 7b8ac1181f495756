# `make` alone lists what can be made.
.DEFAULT_GOAL := help
.PHONY: help setup demo test tables bench verdicts clinic grid faults attacks soak fuzz lint kernels \
	monitoring deb wheel image packages docs clean

BIN := .venv/bin
# Tracing needs root. What Python then would cache would be root's.
AS_ROOT := $(if $(filter-out 0,$(shell id -u)),sudo env PYTHONDONTWRITEBYTECODE=1)
# Not as root for the user behind sudo.
AS_ROOTS_OWN := $(if $(AS_ROOT),sudo env -u SUDO_UID -u SUDO_GID PYTHONDONTWRITEBYTECODE=1 CI="$(CI)")
PYTEST := $(BIN)/python -m pytest
NO_CACHE := $(if $(AS_ROOT),-p no:cacheprovider)
# What passes at the second try is a fault, too: its first one is shown.
KERNEL_TESTS := $(PYTEST) $(NO_CACHE) --rerun-show-tracebacks --durations=40 --durations-min=1

help:  ## list what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup:  ## install what is missing (distribution packages, .venv with iotrace in it)
	@.ci/setup

demo: setup  ## trace a bundled server under load and print the report
	$(AS_ROOT) $(BIN)/iotrace demo --model epoll

test:  ## run all tests: the unit tests, and on the real kernel tests/kernel and tests/attacks
	@.ci/setup tests
	$(PYTEST) -n auto tests/unit
	@# As root's own: what iotrace does for the user behind sudo is tested by tests that say so.
	$(AS_ROOTS_OWN) $(KERNEL_TESTS) -n 2 --dist loadfile -m "side_by_side and not thorough" \
		tests/kernel tests/attacks
	$(AS_ROOTS_OWN) $(KERNEL_TESTS) -m "not side_by_side and not thorough" tests/kernel

# What it measures is kept in benchmarks/results.json, unless QUICK=1.
bench: setup  ## what tracing costs, beside other tracers (QUICK=1: roughly; WORKLOADS="echo ...")
	$(AS_ROOT) $(BIN)/python -m benchmarks $(if $(QUICK),--quick) \
		$(if $(WORKLOADS),--workloads $(WORKLOADS))
ifeq ($(WORKLOADS),)
	$(AS_ROOT) $(BIN)/python -m benchmarks.scale $(if $(QUICK),--quick)
	$(AS_ROOT) $(BIN)/python -m benchmarks.walks $(if $(QUICK),--quick)
	$(AS_ROOT) $(BIN)/python -m benchmarks.requests $(if $(QUICK),--quick)
endif

RUNS ?= 20

verdicts: setup  ## run the reference servers RUNS times: how often is each label right
	$(AS_ROOT) $(BIN)/python -m benchmarks.verdict_table --runs $(RUNS)

clinic: setup  ## set up problems that people reported: is their cause named? (CASES="NAME ...")
	$(AS_ROOT) $(BIN)/python -m clinic $(CASES)
	$(BIN)/python -m clinic --write-docs

grid: setup  ## faults in many kinds of programs: NUMBER of them by lot (CELLS="FAULT@PROGRAM ..." SEED=1)
	$(AS_ROOT) $(BIN)/python -m clinic.grid $(if $(NUMBER),--number $(NUMBER)) \
		$(if $(SEED),--seed $(SEED)) $(CELLS)

thorough: setup  ## the kernel tests of which make test has some only (absent features, servers, ...)
	@.ci/setup tests
	$(AS_ROOTS_OWN) $(KERNEL_TESTS) -m thorough tests/kernel tests/attacks

attacks: setup  ## try what other users of a host can do to iotrace; prints what happens now
	@.ci/setup tests
	$(AS_ROOTS_OWN) $(PYTEST) -q -p no:cacheprovider tests/attacks

soak: setup  ## trace a program that never rests for SOAK_SECONDS (1200): nothing may grow or get lost
	$(AS_ROOT) nice $(BIN)/python -m tests.soak $(or $(SOAK_SECONDS),1200)

TIMES ?= 5
FAULTS ?= tests/kernel/faults

faults: setup  ## try each fault TIMES times (make test: once); what fails is not tried again
	$(AS_ROOT) env IOTRACE_TIMES=$(TIMES) $(PYTEST) -p no:rerunfailures $(FAULTS)

pythons: setup  ## what is read of every Python on this machine, 20 stalls of each kind (make test: of some)
	@.ci/setup tests
	$(BIN)/python -m tests.sid_pythons debug
	$(AS_ROOT) env IOTRACE_ALL_PYTHONS=1 IOTRACE_TEST_STALLS=20 $(PYTEST) tests/kernel/python

fuzz: setup  ## feed FUZZ_INPUTS (120000) damaged inputs to everything that reads what others wrote
	$(BIN)/python -m tests.fuzz $(or $(FUZZ_INPUTS),120000)

lint: setup  ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@# Types are checked in the shape of the installed package: servers/ is iotrace.servers.
	@rm -rf .mypy_cache/package && mkdir -p .mypy_cache/package/iotrace
	@ln -s $(CURDIR)/iotrace/* $(CURDIR)/servers $(CURDIR)/probes .mypy_cache/package/iotrace
	cd .mypy_cache/package && \
		$(CURDIR)/$(BIN)/mypy --config-file $(CURDIR)/pyproject.toml --cache-dir .. iotrace

monitoring: setup  ## let a real Prometheus scrape the agent; try the alerts and the dashboard
	@.ci/setup tests
	$(AS_ROOTS_OWN) $(PYTEST) -q -p no:cacheprovider tests/monitoring

kernels: setup  ## check iotrace on kernels in QEMU (KERNELS="bookworm sid:arm64 host" RUNS=20 DETAIL=full DOCS=1)
	$(AS_ROOT) $(BIN)/python -m tests.kernels \
		$(if $(RUNS),--runs $(RUNS)) $(if $(DETAIL),--detail $(DETAIL)) $(if $(DOCS),--write-docs) $(KERNELS)

deb:  ## build dist/iotrace_VERSION_all.deb of HEAD (Debian 12 and later, Ubuntu 24.04 and later)
	packaging/deb.sh

wheel: setup  ## build dist/iotrace-VERSION-py3-none-any.whl of HEAD
	packaging/wheel.sh

image:  ## build the container image iotrace:VERSION of HEAD with podman (BASE=... of another base)
	packaging/image.sh

packages: setup  ## install .deb and wheel in fresh systems, trace a server (PACKAGES="--way deb noble")
	$(AS_ROOT) $(BIN)/python -m tests.packages $(PACKAGES)

docs: setup  ## write again what is generated in docs/
	$(BIN)/python -m iotrace.report.schema > docs/report.schema.json
	$(BIN)/python -m iotrace.report.schema tasks > docs/tasks.schema.json
	$(BIN)/python -m tests.unit.project.commands_page
	$(BIN)/python -m tests.unit.project.reading_page
	$(BIN)/python -m tests.unit.project.metrics_page
	$(BIN)/python -m iotrace.cli.manual > docs/iotrace.1
	$(BIN)/python -m benchmarks --write-docs
	$(BIN)/python -m benchmarks.requests --write-docs
	$(BIN)/python -m clinic --write-docs

# pytest fails where it wrote something.
tables: setup  ## draw the tables that the tests expect anew; git diff shows what changed
	-$(PYTEST) -q --inline-snapshot=fix tests/unit/output
	git diff --stat tests/unit/output

clean:  ## remove .venv and everything else that was made
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
