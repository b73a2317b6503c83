# make report | make test | make lab: everything else is set up on first use.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
AUDIT  := .audit

.DEFAULT_GOAL := help
.PHONY: help report test lab app lint types notebooks gallery docs bench audit sbom lock

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */  make \1|/' | column -t -s '|'

$(READY): requirements.lock pyproject.toml
	@echo "Setting up $(VENV) from requirements.lock (once, about a minute) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

report: $(READY)  ## run the whole pipeline and write reports/index.html
	@$(BIN)/headache-evidence report

test: $(READY) lint types  ## unit tests, notebook tests (nbval), lint and types
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile
	@$(BIN)/python -m pytest -p no:cacheprovider --nbval --nbval-current-env --nbval-cell-timeout=120 notebooks

lab: $(READY)  ## open JupyterLab
	@$(BIN)/jupyter lab notebooks

app: $(READY)  ## explore the evidence in the browser, no code shown (Voila)
	@JUPYTER_PATH=notebooks $(BIN)/voila notebooks/explore.ipynb --template=explorer

docs: $(READY)  ## build the documentation into docs/_build/html
	@$(BIN)/sphinx-build -q -W --keep-going -b html docs docs/_build/html && echo docs/_build/html/index.html

bench: $(READY)  ## timings in one table, side by side with metafor where Rscript has it
	@$(BIN)/python benchmarks/side_by_side.py

lint: $(READY)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports

types: $(READY)
	@$(BIN)/mypy

notebooks: $(READY)  ## run the committed notebooks in place (after a change of code or data)
	@$(BIN)/python -m headache_evidence.reports.refresh_notebooks notebooks/*.ipynb notebooks/tutorials/*.ipynb

gallery: $(READY)  ## write docs/figures.md and its images from the gallery notebook
	@$(BIN)/python benchmarks/draw_gallery.py

$(AUDIT)/.ready:
	@echo "Setting up $(AUDIT) (once) ..."
	@$(PYTHON) -m venv $(AUDIT)
	@$(AUDIT)/bin/pip install --quiet pip-audit cyclonedx-bom
	@touch $@

audit: $(AUDIT)/.ready  ## look the locked packages up among known vulnerabilities (needs PyPI)
	@failed=0; for lock in requirements.lock cluster/requirements.lock; do \
	    if $(AUDIT)/bin/pip-audit --strict --require-hashes --disable-pip --progress-spinner off \
	        --requirement $$lock 2> $(AUDIT)/messages.txt; then echo "$$lock: no known vulnerability"; \
	    elif grep -q '^Found .*vulnerabilit' $(AUDIT)/messages.txt; then \
	        failed=1; echo "$$lock: $$(grep '^Found .*vulnerabilit' $(AUDIT)/messages.txt)"; \
	    else failed=1; echo "$$lock: NOT CHECKED. The advisory database of PyPI gave no answer for every package:"; \
	        echo "    $$(tail -n 1 $(AUDIT)/messages.txt | cut -c 1-200)"; \
	        echo "    This is not a pass: repeat where pypi.org is reachable directly."; fi; done; exit $$failed

sbom: $(AUDIT)/.ready  ## write sbom.json, the software bill of materials of requirements.lock (CycloneDX)
	@$(AUDIT)/bin/cyclonedx-py requirements requirements.lock --output-reproducible --output-file sbom.json \
	    && echo "sbom.json: $$(grep -c '"bom-ref"' sbom.json) components"

lock:  ## refresh uv.lock and requirements.lock (needs uv)
	uv lock
	uv export --quiet --all-extras --no-emit-project --format requirements-txt --output-file requirements.lock
