# Two commands: `make run` and `make test`. Both make their own environment and can be repeated.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
EXAMPLE := examples/example_city/agency.toml
AGENCY ?= $(EXAMPLE)
PORT   ?= 8501
# `make run REPLACE=1` overwrites an earlier, different release that nobody outside has seen.
REPLACE ?=

.PHONY: run test release example site format clean

run: release
	@echo "Serving on http://localhost:$(PORT) (stop with Ctrl+C)"
	RELEASE_DIR=$$($(BIN)/python -m anonymize.where $(AGENCY) --show) $(BIN)/streamlit run service.py --server.port $(PORT)

ifeq ($(AGENCY),$(EXAMPLE))
release: build/example_city/data_public/approval.json
else
release: $(BIN)/.build
	$(BIN)/python -m anonymize build $(AGENCY) --out $$($(BIN)/python -m anonymize.where $(AGENCY)) $(if $(REPLACE),--replace)
endif

# Two releases, one after the other; made again only when the code or the agency file has changed.
build/example_city/data_public/approval.json: $(BIN)/.build $(EXAMPLE) $(wildcard anonymize/*.py anonymize/*/*.py)
	$(BIN)/python -m anonymize demo --release build/example_city

# What a checkout serves without a build: the example city's release as committed.
example: build/example_city/data_public/approval.json
	rm -rf data_public
	cp -r build/example_city/data_public data_public

# The static edition of what `make run` would serve, in build/site.
site: release
	rm -rf build/site
	$(BIN)/python -m dashboard export --release $$($(BIN)/python -m anonymize.where $(AGENCY) --show) --out build/site

test: $(BIN)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest

format: $(BIN)/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(BIN)/.build: requirements.txt requirements-build.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@echo "Making the environment in $(VENV) (a few minutes the first time) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on -q -r requirements-build.txt -c constraints.txt
	@touch $@

$(BIN)/.test: $(BIN)/.build requirements-test.txt
	@echo "Adding what the tests need ..."
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on -q -r requirements-test.txt -c constraints.txt
	@touch $@

clean:
	rm -rf $(VENV) build private .pytest_cache .mypy_cache .ruff_cache
