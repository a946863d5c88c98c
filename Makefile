# Everything a newcomer needs: `make demo` and `make test` set up what they need by themselves, and
# do it once. Each recipe is a plain command that also works by hand; see docs/development.md.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Tests run in this many processes. PYTEST_ARGS takes anything that pytest does.
JOBS ?= 2
PYTEST_ARGS ?=

INSTALLED := $(VENV)/.installed

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo \
	  "error: $(PYTHON) is older than Python 3.10; name a newer one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { echo \
	  "error: $(PYTHON) cannot make virtual environments; on Debian: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The build's requirements come first: without build isolation nothing is downloaded twice.
$(INSTALLED): pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt --group build
	$(BIN)/python -m pip install --quiet -c constraints.txt --group dev --no-build-isolation -e .
	@touch $@

.PHONY: venv
venv: $(INSTALLED) ## Make the virtual environment .venv with everything for development

.PHONY: wasm
wasm: $(INSTALLED) ## Compile the WebAssembly core, if its sources changed
	$(BIN)/python -m wasm_core.build

.PHONY: test
test: wasm ## Run all tests
	$(BIN)/python -m pytest -n $(JOBS) -m "not soak" $(PYTEST_ARGS)

.PHONY: test-quick
test-quick: wasm ## Run the tests that take no more than a moment
	$(BIN)/python -m pytest -n $(JOBS) -m "not soak and not slow" $(PYTEST_ARGS)

.PHONY: coverage
coverage: wasm ## Run all tests and report which lines they reach
	$(BIN)/python -m pytest -n $(JOBS) -m "not soak" --cov --cov-report=term $(PYTEST_ARGS)

.PHONY: soak
soak: wasm ## Run the long random tests, and the property tests with many more examples
	$(BIN)/python -m pytest -n $(JOBS) -m "soak or hypothesis" --timeout=0 --hypothesis-profile=soak $(PYTEST_ARGS)

.PHONY: lint
lint: $(INSTALLED) ## Check style, formatting and types
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/python -m ziglang fmt --check wasm_core
	$(BIN)/python -m tools.extension check

.PHONY: format
format: $(INSTALLED) ## Format the sources
	$(BIN)/python -m ruff check --fix-only --quiet .
	$(BIN)/python -m ruff format .
	$(BIN)/python -m ziglang fmt wasm_core
	$(BIN)/python -m tools.extension format

.PHONY: demo
demo: wasm ## Watch the language server evaluate the examples
	$(BIN)/python -m tools.demo

.PHONY: bench
bench: wasm ## Measure speed and size
	$(BIN)/python -m benchmarks

.PHONY: dist
dist: wasm ## Build the wheel and the source distribution into dist/
	$(BIN)/python -m build --no-isolation --outdir dist

.PHONY: extension
extension: wasm ## Build the VS Code extension into dist/
	$(BIN)/python -m tools.extension build

.PHONY: test-extension
test-extension: wasm ## Run the extension's tests in a real VS Code
	$(BIN)/python -m pytest tests/extension $(PYTEST_ARGS)

.PHONY: editor
editor: wasm ## Open the examples in a browser's VS Code with the extension
	$(BIN)/python -m tools.extension editor

.PHONY: clean
clean: ## Delete what was made, except the virtual environment
	rm -rf dist build htmlcov benchmarks/.build .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -rf vscode-extension/dist vscode-extension/.tools vscode-extension/node_modules
	rm -rf wasm_core/.cache lua_ls_persist/vm/lua_core.wasm lua_ls_persist/vm/lua_core.stamp
