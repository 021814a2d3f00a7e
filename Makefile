# Every target works from a clean clone: the environment is made on first need. See CONTRIBUTING.md.

# The interpreter that .venv is made with; empty: the first of at least 3.11 on the path.
PYTHON ?=
# Where `make run` keeps its store: outside data/, which is the committed baseline.
DATA_DIR ?= var/data
# Further options for pytest, such as PYTEST_ARGS="-k journal -x".
PYTEST_ARGS ?=

BIN := .venv/bin
INSTALLED := .venv/.installed

.PHONY: help setup run lint check test verify soak bench clean
.DEFAULT_GOAL := help

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name text; do printf '%-8s %s\n' "$$name" "$$text"; done

$(INSTALLED): pyproject.toml tools/setup
	@PYTHON="$(PYTHON)" ./tools/setup

setup: $(INSTALLED) ## make .venv and install everything into it

run: $(INSTALLED) ## start the server on $(DATA_DIR)
	$(BIN)/calotype serve --data-dir "$(DATA_DIR)"

lint: $(INSTALLED) ## format, lint, types, import contracts, docstrings
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/interrogate --quiet assets calotype metadata server

check: lint ## lint, and the tests of the documentation and of the repository itself
	$(BIN)/pytest --quiet tests/docs tests/repository $(PYTEST_ARGS)

# All of `check` is part of `test`: the documentation's tests run with the others, not twice.
test: lint ## everything: what has to be green before a commit lands
	$(BIN)/pytest --quiet -n 2 --dist loadfile $(PYTEST_ARGS)

# The same tests with larger counts: more Hypothesis examples, more rounds, more processes (see tests/conftest.py).
verify: lint ## the whole suite with 5 times the counts
	CALOTYPE_TEST_SCALE=5 $(BIN)/pytest -n 2 --dist loadfile --timeout=1200 $(PYTEST_ARGS)

soak: $(INSTALLED) ## the tests of races, crashes and properties with 50 times the counts, for a night
	CALOTYPE_TEST_SCALE=50 $(BIN)/pytest --timeout=0 -m "heavy or hypothesis or promise" $(PYTEST_ARGS)

bench: $(INSTALLED) ## measure this machine: hashing, durable appends, whole files, planning a collection, a check, long chats, an import of cards, pictures, bytes beside other servers
	$(BIN)/python bench/floor.py
	$(BIN)/python bench/gc.py
	$(BIN)/python bench/verify.py
	$(BIN)/python -m bench.lists
	$(BIN)/python -m bench.importing --count 750
	$(BIN)/python bench/chat.py
	$(BIN)/python bench/images.py
	$(BIN)/python -m bench.serving

clean: ## remove the environment and every cache; data is left alone
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
