# memcgfs: what one can do in a checkout.  `make help` lists the targets.

PYTHON ?= python3
PREFIX ?= /usr/local
VENV   := .venv
BIN    := $(VENV)/bin
SOURCE := setup.py setup.cfg pyproject.toml scripts/setup $(shell find memcgfs/mm -name '*.p[yx]*' ! -name '*.pyc')

help:       ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/built: $(SOURCE)
	@PYTHON=$(PYTHON) scripts/setup $(VENV)

build: $(VENV)/built  ## install what is needed, make .venv, build the compiled engine

run: build  ## a guided session on a real mount
	@PATH="$(CURDIR)/$(BIN):$$PATH" examples/guided.sh

test: build  ## lint, types, all tests on both builds; what CI runs
	@scripts/test $(BIN)

quick: build  ## the tests that need no mount, in seconds
	@$(BIN)/pytest -q -m "not slow" --ignore=tests/fuse --ignore=tests/examples

long: build  ## random operations, each checked: 200,000, which must take every branch (minutes), or STEPS=..
	@$(BIN)/python -m tests.model $(STEPS)

pythons:    ## the quick tests on every supported Python that is here
	@scripts/pythons

lint: build  ## ruff
	@$(BIN)/ruff check .

types: build  ## mypy, strict
	@$(BIN)/mypy

bench: build  ## measure everything; the text goes to benchmarks/
	@PATH="$(CURDIR)/$(BIN):$$PATH" scripts/bench

fidelity: build  ## hold the machine to recordings of Linux 2.6.25 and 6.18; tables go to docs/fidelity-*.txt
	@PATH="$(CURDIR)/$(BIN):$$PATH" scripts/fidelity

golden: build  ## print the golden counts as they are now, to paste into tests/golden
	@$(BIN)/python -m tests.golden

expected: build  ## record anew what the examples print, to be read in a diff
	@PATH="$(CURDIR)/$(BIN):$$PATH" scripts/expected

install: build  ## link memcgfs where mount(8), fstab and all users find it
	@mkdir -p "$(DESTDIR)$(PREFIX)/bin"
	ln -sfn "$(CURDIR)/$(BIN)/memcgfs" "$(DESTDIR)$(PREFIX)/bin/memcgfs"
	@[ "$$(id -u)" != 0 ] || setpriv --reuid=65534 --regid=65534 --clear-groups "$(CURDIR)/$(BIN)/memcgfs" --version >/dev/null 2>&1 || \
	    echo "make install: other users cannot run it, for this checkout or its Python is closed to them (make clean; make install PYTHON=/usr/bin/python3)"

uninstall:  ## take that link away
	rm -f "$(DESTDIR)$(PREFIX)/bin/memcgfs"

clean:  ## remove everything that was built
	rm -rf $(VENV) .venv-3.* build dist *.egg-info memcgfs/mm/*.so .mypy_cache .ruff_cache .pytest_cache .hypothesis

.PHONY: help build run test quick long pythons lint types bench fidelity golden expected install uninstall clean
.DELETE_ON_ERROR:
