# Every target does its own set-up in .venv, from the locks, and the second run of it takes no time.
# Needs: make, and Python 3.11 or newer with venv. Nothing else, and nothing outside this folder.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --no-input --quiet
LOCKED := $(PIP) install --require-hashes

# `make test JOBS=4 ARGS="-k failover --no-cov"`, `make incidents ONLY=INC-08,INC-15 QUICK=1`
JOBS ?= auto
ARGS ?=
ONLY ?=
SCREENSHOTS ?=
QUICK ?=

# --- set-up ------------------------------------------------------------------------------------

# The first interpreter that is new enough and can make a virtual environment; PYTHON=... comes first.
# Then Debian's own: it is optimised by profiles of real programs, which one that was built from
# source mostly is not, and needs two thirds of its time for the same work.
PYTHONS := $(PYTHON) /usr/bin/python3.11 python3.11 python3.12 python3.13 python3.14 python3

define FIND_PYTHON
found=""; old=1; \
for candidate in $(PYTHONS); do \
  "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
  old=0; \
  "$$candidate" -c 'import ensurepip, venv; ensurepip.version()' 2>/dev/null || continue; \
  found=$$candidate; break; \
done; \
if [ -z "$$found" ] && [ $$old = 1 ]; then \
  echo "tidegate needs Python 3.11 or newer; on Debian: apt-get install python3 python3-venv" >&2; exit 1; \
elif [ -z "$$found" ]; then \
  echo "this Python cannot make virtual environments; on Debian: apt-get install python3-venv" >&2; exit 1; \
fi
endef

# Stamps: each says that one lock is installed; a changed lock makes it stale.
$(VENV)/.venv-made:
	@$(FIND_PYTHON); echo "making $(VENV) with $$found"; rm -rf $(VENV) && "$$found" -m venv $(VENV)
	@touch $@

$(VENV)/.run-installed: $(VENV)/.venv-made requirements/run.lock requirements/build.lock
	@echo "installing requirements/run.lock"
	@$(LOCKED) -r requirements/run.lock -r requirements/build.lock
	@touch $@

# The project itself, in place: `proxy` is imported from this folder, `tidegate` is the command.
$(VENV)/.project-installed: $(VENV)/.run-installed pyproject.toml
	@$(PIP) install --no-deps --no-build-isolation --no-index --editable .
	@touch $@

# Further locks lie on top of those.
$(VENV)/.dev-installed $(VENV)/.compile-installed: $(VENV)/.project-installed
$(VENV)/.bench-installed $(VENV)/.browser-installed: $(VENV)/.dev-installed
$(VENV)/.%-installed: requirements/%.lock
	@echo "installing $<"
	@$(LOCKED) -r $<
	@touch $@

# --- what one does here --------------------------------------------------------------------------

.PHONY: help run test test-compiled browser lint format compiled bench incidents fuzz promcheck lock clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-22s%s\n", $$1, $$2}'

run: $(VENV)/.project-installed ## the sidecar with its sandbox partners; Ctrl-C ends all of it
	@exec $(VENV)/bin/tidegate sandbox up --config config/sandbox.yaml --ledgers .sandbox $(ARGS)

# The tests start hundreds of processes: each would compile the package anew without its bytecode.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(VENV)/.dev-installed ## all tests, in parallel, with branch coverage
	@$(PY) -m coverage erase
	@$(PY) -m pytest -n $(JOBS) --dist worksteal --cov --cov-report term $(ARGS)

# A browser is no package of Python's: where we may, it is installed as Debian has it (tools/needed.py).
browser: $(VENV)/.browser-installed ## the dashboard in a real Chromium; SCREENSHOTS=docs keeps pictures
	@$(PY) -m tools.needed browser
	@SCREENSHOTS=$(SCREENSHOTS) $(PY) -m pytest -n 0 --no-cov tests/browser $(ARGS)

lint: $(VENV)/.dev-installed ## style, types, import rules, sizes, mirror, purity, locks, dashboards, Dockerfile
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports --no-logo
	@$(PY) -m tools.size_ratchet
	@$(PY) -m tools.tests_mirror
	@$(PY) -m tools.pure_check
	@$(PY) -m tools.lock_check
	@$(PY) -m tools.monitoring_check
	@$(VENV)/bin/hadolint Dockerfile

format: $(VENV)/.dev-installed ## rewrites the code in the house format
	@$(VENV)/bin/ruff check --fix-only --quiet .
	@$(VENV)/bin/ruff format .

# The compiled package, as the image has it; needs a C compiler and Python's headers. With gcc it is
# compiled twice, with a run of the sidecar between; `PROFILE=` leaves that out, for half of the time.
PROFILE ?= yes
compiled: $(VENV)/.compile-installed ## the package with its hot rooms in C, in build/compiled: some minutes; PROFILE= is quicker
	@$(PY) -m tools.compile build/compiled $(if $(PROFILE),,--no-profile)

test-compiled: compiled $(VENV)/.dev-installed ## the tests of the real process, against the compiled package
	@TIDEGATE_PACKAGE=$(CURDIR)/build/compiled $(PY) -m pytest -n $(JOBS) --no-cov tests/wire tests/contract $(ARGS)

# `make bench COMPILED=` measures the sources as they are.
COMPILED ?= yes
PACKAGE = $(if $(COMPILED),TIDEGATE_PACKAGE=$(CURDIR)/build/compiled)
bench: $(VENV)/.bench-installed $(if $(COMPILED),compiled) ## calls per second and added latency beside other proxies
	@$(PACKAGE) $(PY) -m loadtests.bench $(ARGS)

incidents: $(VENV)/.bench-installed ## replays real incidents; ONLY=INC-08,INC-15 QUICK=1 KILLS=10000
	@$(PY) -m loadtests.incidents $(if $(ONLY),--only $(ONLY)) $(if $(QUICK),--quick) \
	  $(if $(KILLS),--kills $(KILLS)) $(ARGS)

fuzz: $(VENV)/.dev-installed ## 2 million generated requests against the process
	@$(PY) -m loadtests.fuzz $(ARGS)

promcheck: $(VENV)/.dev-installed ## dashboards, alerts and metrics before a real Prometheus (Debian's package)
	@$(PY) -m tools.needed promcheck
	@$(PY) -m loadtests.promcheck

# pip-compile's options are in pyproject.toml. `make lock ARGS=--upgrade` takes newer versions.
PIP_COMPILE := CUSTOM_COMPILE_COMMAND="make lock" $(VENV)/bin/pip-compile $(ARGS)
EXTRAS := --extra postgres --extra grpc

lock: $(VENV)/.dev-installed ## the lock files again, from pyproject.toml; ARGS=--upgrade for newer
	$(PIP_COMPILE) --only-build-deps --build-deps-for wheel -o requirements/build.lock pyproject.toml
	$(PIP_COMPILE) $(EXTRAS) -c requirements/build.lock -o requirements/run.lock pyproject.toml
	$(PIP_COMPILE) $(EXTRAS) --extra dev -c requirements/build.lock -c requirements/run.lock \
	  -o requirements/dev.lock pyproject.toml
	$(PIP_COMPILE) $(EXTRAS) --extra compile -c requirements/dev.lock -o requirements/compile.lock pyproject.toml
	$(PIP_COMPILE) --extra browser -c requirements/dev.lock -o requirements/browser.lock pyproject.toml
	$(PIP_COMPILE) $(EXTRAS) --extra bench -c requirements/dev.lock -o requirements/bench.lock pyproject.toml

clean: ## removes what the other targets made here
	rm -rf $(VENV) .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache \
	  .hypothesis .sandbox build dist loadtests/out
	find proxy tests loadtests tools -name __pycache__ -type d -prune -exec rm -rf {} +
