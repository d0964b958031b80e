# Two commands: `make run` and `make test`; `make check` while working. All make their own environment and can be repeated.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
AUDIT  := $(VENV)-audit
EXAMPLE := examples/example_city/agency.toml
# `make run EXPORT=calls.csv` shows a file of calls by guesses alone; `EXPORT="calls.csv beats.geojson"` where there is more than one.
EXPORT ?=
AGENCY ?= $(if $(EXPORT),build/preview/agency.toml,$(EXAMPLE))
PORT   ?= 8501
# `make run REPLACE=1` overwrites an earlier, different release that nobody outside has seen.
REPLACE ?=

.PHONY: run check test lint release example site messages format clean spark bench mutations load soak lock audit

run: release
	@echo "Serving on http://localhost:$(PORT) (stop with Ctrl+C)"
	RELEASE_DIR=$$($(BIN)/python -m anonymize.paths $(AGENCY) --show) $(BIN)/streamlit run service.py --server.port $(PORT)

ifeq ($(AGENCY),$(EXAMPLE))
release: build/example_city/data_public/approval.json
else
release: $(BIN)/.build
	$(if $(EXPORT),$(BIN)/python -m anonymize init $(EXPORT) --out $(AGENCY) --preview --overwrite)
	$(BIN)/python -m anonymize build $(AGENCY) --out $$($(BIN)/python -m anonymize.paths $(AGENCY)) $(if $(REPLACE),--replace)
endif

# Two releases, one after the other; made again only when the code or the agency file has changed.
build/example_city/data_public/approval.json: $(BIN)/.build $(EXAMPLE) $(wildcard examples/example_city/lists/*.csv anonymize/*.py anonymize/*/*.py)
	$(BIN)/python -m anonymize demo --release build/example_city

# What a checkout serves without a build: the example city's release as committed.
example: build/example_city/data_public/approval.json
	rm -rf data_public
	cp -r build/example_city/data_public data_public

# The static edition of what `make run` would serve, in build/site.
site: release
	rm -rf build/site
	$(BIN)/python -m dashboard export --release $$($(BIN)/python -m anonymize.paths $(AGENCY) --show) --out build/site

# While working: style, types, imports and what needs no build, page or server; under a minute on two cores.
check: lint
	$(BIN)/pytest -n 2 --dist worksteal tests/unit

# One process for each core, since some tests hold a time against a limit; the longest files first (tests/longest_first.py).
JOBS ?= 2
test: lint
	$(BIN)/pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

lint: $(BIN)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --scripts-are-modules pages/*.py
	$(BIN)/lint-imports

# The catalogues of `dashboard/locale/`, up to date with what the sources say.
messages: $(BIN)/.test
	$(BIN)/python -m tools.messages

format: $(BIN)/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --progress-bar on -q --require-hashes

$(BIN)/.build: lock/build.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@echo "Making the environment in $(VENV) (a few minutes the first time) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) -r lock/build.txt
	@touch $@

$(BIN)/.test: $(BIN)/.build lock/test.txt
	@echo "Adding what the tests need ..."
	$(INSTALL) -r lock/test.txt
	@touch $@

# The Spark engine's own tests, on a cluster of two workers on this machine (needs Java 17).
spark: $(BIN)/.test
	$(INSTALL) -r lock/spark.txt
	$(BIN)/pytest tests/spark

# Long runs, each a command of its own; figures go into BENCHMARKS.md.
bench: $(BIN)/.test
	for size in 1 10 100; do for kind in parquet csv; do $(BIN)/python -m tests.benchmark.records $$size $$kind; done; done

# Faults planted in a module, one at a time: which of them do its tests not see?
MODULE ?= dashboard/numbers/year_trend.py
TESTS  ?= tests/unit/test_change.py
SAMPLE ?= 20
mutations: $(BIN)/.test
	$(BIN)/python -m tests.mutations $(MODULE) $(TESTS) --sample $(SAMPLE)

load: $(BIN)/.test
	$(BIN)/python -m tests.load

soak: $(BIN)/.test
	SOAK=1 $(BIN)/pytest tests/soak tests/builds/test_readme_commands.py tests/package tests/generative tests/property/test_no_cascade.py tests/property/test_same_on_every_machine.py tests/property/test_two_worlds.py tests/property/test_two_worlds_of_everything.py

# After a change of requirements*.txt: every dependency again with its hashes, for all platforms.
lock: $(BIN)/.audit
	for set in :app -build:build -test:test -spark:spark -audit:audit; do $(AUDIT)/bin/uv pip compile -q --universal --generate-hashes --no-emit-index-url \
	  --no-header --python-version 3.11 requirements$${set%%:*}.txt -o lock/$${set##*:}.txt || exit 1; done

# The bill of materials and the notice, which are kept with each release of the app, then known weaknesses of what is locked. Asks the public advisory
# service; where that is out of reach, `make audit ADVISORIES=all.zip` looks into a copy of it (OSV's export for PyPI, or a folder or zip of PyPA's
# advisory database).
ADVISORIES ?=
audit: $(BIN)/.audit $(BIN)/.test
	$(BIN)/python -m tools.bill
	$(BIN)/python -m tools.notice
ifeq ($(ADVISORIES),)
	$(AUDIT)/bin/pip-audit --disable-pip --require-hashes -r lock/test.txt
else
	$(BIN)/python -m tools.advisories $(ADVISORIES)
endif

$(BIN)/.audit: lock/audit.txt
	$(PYTHON) -m venv $(AUDIT)
	$(AUDIT)/bin/python -m pip install --disable-pip-version-check -q --require-hashes -r lock/audit.txt
	@mkdir -p $(BIN) && touch $@

clean:
	rm -rf $(VENV) $(AUDIT) build private .pytest_cache .mypy_cache .ruff_cache
