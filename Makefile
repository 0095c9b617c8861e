# The two commands: `make run` does the main job on the sample and serves the site; `make test` passes the tests.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PY := .venv/bin/python
SCALE ?= 0.01
FUZZ_SECONDS ?= 600
SEEDS ?= 100
GATE_SEEDS ?= 10000
SCENARIOS ?= tests/scenario

.PHONY: help run test scenarios check bench fuzz soak docs messages lock screenshots clean

help: ## Show these targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

run: ## Do the main job on the sample, then serve the site (RUN_ONCE=1: end after the table)
	@bin/setup run
	@.venv/bin/zhengka run --scale $(SCALE)

test: ## Set up whatever is missing and run the whole suite
	@bin/setup test
	@$(PY) -m pytest -q -n 2 --dist loadgroup

scenarios: ## The scenario tests alone, such as on the server that DATABASE_URL names
	@bin/setup test
	@$(PY) -m pytest -q -n 2 --dist loadgroup -m "not own_home" $(SCENARIOS)

check: ## Style, types, imports, sizes, stale files
	@bin/setup test
	$(PY) -m ruff check .
	$(PY) -m mypy
	.venv/bin/lint-imports --verbose 2>/dev/null || .venv/bin/lint-imports
	$(PY) bin/limits
	$(PY) frontend/check
	.venv/bin/zhengka docs check

bench: ## Print speed and memory as ratios to a floor measured in the same run
	@bin/setup test
	@$(PY) -m tests.bench

fuzz: ## Fuzz what reads bytes from cards, makers and files (FUZZ_SECONDS=600 for four parsers, half of it on top for the rest)
	@bin/setup test
	@FUZZ_SECONDS=$(FUZZ_SECONDS) $(PY) -m tests.fuzz

soak: ## Break batches at seeded points and look whether they add up (SEEDS=100); simulate gates (GATE_SEEDS=10000)
	@bin/setup test
	@SEEDS=$(SEEDS) $(PY) -m pytest -q tests/scenario/test_soak.py
	@GATE_SEEDS=$(GATE_SEEDS) $(PY) -m pytest -q -n 2 tests/property/test_gates_simulated.py

docs: ## Write docs/reference from the code
	@bin/setup run
	@.venv/bin/zhengka docs write

messages: ## Collect and compile the texts of every language
	@bin/messages

screenshots: ## Take the README's screenshots in a real browser
	@bin/setup test
	@$(PY) bin/screenshots

lock: ## Rewrite the hashed lock files
	@bin/lock

clean: ## Remove the environment and everything that the platform kept
	@[ ! -x .venv/bin/zhengka ] || .venv/bin/zhengka db stop || true
	rm -rf .venv var
