# make report | make test | make lab: everything else is set up on first use.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help report test lab app lint types notebooks reference docs bench lock clean

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

lock:  ## refresh uv.lock and requirements.lock (needs uv)
	uv lock
	uv export --quiet --all-extras --no-emit-project --format requirements-txt --output-file requirements.lock
