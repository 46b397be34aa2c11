# make demo     a mesh from the sample image, with the shipped weights
# make serve    the web page on http://127.0.0.1:8000
# make blender  the extension for Blender, as a zip in dist/
# make test     linter, format check, type check and all tests
#               three workers on two cores, because they often wait for each other's training run;
#               the type checker runs beside them
# make clean    removes the environment and the caches, never data or runs
#
# All install into .venv only. To use another interpreter: make demo PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
# Constraints pin the exact versions of requested packages and install nothing else.
INSTALL := $(RUN) -m pip install --quiet --disable-pip-version-check -c requirements.txt -e

.PHONY: demo serve blender test types suite clean

demo: $(VENV)/core.stamp
	$(RUN) -m experiments.extract

serve: $(VENV)/serve.stamp
	$(RUN) -m experiments.serve

blender:
	$(PYTHON) integrations/blender/build.py dist

test: $(VENV)/test.stamp
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(MAKE) --jobs=2 --no-print-directory types suite

types: $(VENV)/test.stamp
	$(RUN) -m mypy imfield_jax

suite: $(VENV)/test.stamp
	$(RUN) -m pytest -n 3 --dist worksteal

# venv writes pip last, so an interrupted environment is recreated.
$(VENV)/bin/pip:
	@command -v $(PYTHON) >/dev/null || { echo "imfield_jax needs Python 3.11 or newer, and $(PYTHON) was not found"; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and "imfield_jax needs Python 3.11 or newer, \
	and $(PYTHON) is %d.%d; name another one: make demo PYTHON=python3.12" % v[:2])'
	$(PYTHON) -m venv $(VENV)

# With the stamps, pip runs again only when the requirements have changed.
$(VENV)/core.stamp: setup.cfg requirements.txt pyproject.toml | $(VENV)/bin/pip
	@echo "installing the core packages into $(VENV), about 1 GB"
	$(INSTALL) .
	@touch $@

$(VENV)/serve.stamp: setup.cfg requirements.txt pyproject.toml | $(VENV)/bin/pip
	@echo "installing the core packages and the server into $(VENV), about 1 GB"
	$(INSTALL) '.[serve]'
	@touch $@ $(VENV)/core.stamp

$(VENV)/test.stamp: setup.cfg requirements.txt pyproject.toml | $(VENV)/bin/pip
	@echo "installing the packages of data preparation, training and tests into $(VENV), about 3 GB"
	$(INSTALL) '.[test]'
	@touch $@ $(VENV)/core.stamp $(VENV)/serve.stamp

clean:
	rm -rf $(VENV) .cache .pytest_cache .ruff_cache build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
