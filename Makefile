.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || echo python3)
STAMP := .venv/.installed

.PHONY: help install demo test types faults mutants

help: ## show the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

install: $(STAMP) ## make .venv and install pav with the versions of constraints.txt

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	@echo 'installing the versions of constraints.txt into .venv (a few minutes)'
	@.venv/bin/python -m pip install -q -c constraints.txt -e '.[dev]'
	@touch $(STAMP)

demo: install ## install, then run quickstart: from problems to a report in ./store
	.venv/bin/pav run

test: install types ## install, lint, types, import contracts, tests
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/python -m pytest -n 2 --dist loadfile -m "not faults and not gpu"

types:
	@mkdir -p build/types/pav
	@for d in configs flows models sql tasks; do ln -sfn ../../../$$d build/types/pav/$$d; done

faults: install ## kill and resume every stage
	.venv/bin/python -m pytest -m faults

mutants: install ## change the code in 300 places, one at a time; which changes does no test notice?
	.venv/bin/python tests/mutants.py
