# The lab's commands. `make app` and `make test` are all a newcomer needs.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 7860
BIN := .venv/bin

# COMET needs other versions of the same libraries, so it has an environment of its own, laid over
# this one; a run, the app and the tests find it through this variable.
export MTLAB_COMET_ENV ?= $(CURDIR)/.venv-comet
# Two OpenMP threads that spin while they wait make a second process crawl.
export OMP_WAIT_POLICY ?= PASSIVE

.PHONY: app test check screenshots bench soak clean

app: .venv/.app
	HOST=$(HOST) PORT=$(PORT) $(BIN)/python app.py

test: .venv/.dev
	sh tests/install_chromium.sh $(BIN)/python
	$(BIN)/python -m mtlab.scoring.comet_env
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m tests.audit

screenshots: .venv/.dev
	$(BIN)/python -m tests.screenshots

bench: .venv/.dev
	$(BIN)/python -m mtlab bench decode

soak: .venv/.dev
	$(BIN)/python -m benchmarks.soak

clean:
	rm -rf .venv .venv-comet .pytest_cache .mypy_cache .ruff_cache mtlab.egg-info

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "mtlab needs Python 3.11 or newer; name one with make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv

.venv/.app: requirements.txt pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

.venv/.dev: requirements-dev.txt .venv/.app
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@
