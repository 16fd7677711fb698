# Thin front of meson. `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MESON ?= meson
PYTHON ?= /usr/bin/python3
BUILD ?= build
SECONDS ?= 60
PREFIX ?= /usr/local
export PYTHONDONTWRITEBYTECODE = 1

.PHONY: help deps build demo test test-plain test-sanitize interop lint bench coverage fuzz docs install clean

help: ## This list.
	@sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' Makefile | expand -t 16

deps: ## Install the Debian packages of packaging/debian-packages.txt that are missing (as root or by sudo).
	@tools/deps packaging/debian-packages.txt

$(BUILD)/build.ninja: | deps
	$(MESON) setup $(BUILD) --prefix=$(PREFIX) --buildtype=release

build: $(BUILD)/build.ninja ## Build the library, davit and dxf in build/.
	$(MESON) compile -C $(BUILD)

demo: build ## Push, pull, compare, list and delete real data in a registry on this machine.
	tests/demo.sh $(BUILD)

test: test-plain test-sanitize ## All tests: unit, replay, system; once more under the sanitizers.

test-plain: build
	$(MESON) test -C $(BUILD) --print-errorlogs

test-sanitize: | deps
	test -f $(BUILD)-san/build.ninja || $(MESON) setup $(BUILD)-san --buildtype=debugoptimized \
	  -Db_sanitize=address,undefined -Db_lundef=false --werror
	$(MESON) compile -C $(BUILD)-san
	$(MESON) test -C $(BUILD)-san --print-errorlogs --timeout-multiplier 4

interop: build ## The real third-party clients against ours (uses the package registries).
	tests/interop/run.sh $(BUILD)

lint: build ## Layers, budgets, warnings of two compilers, static analysis, spelling, shell.
	tools/lint $(BUILD)

bench: build ## Measure against curl, openssl, skopeo and python-dxf; writes docs/benchmarks.md.
	bench/run $(BUILD)

coverage: | deps ## Line coverage by layer, with its floors.
	tools/coverage $(BUILD)-cov

fuzz: | deps ## Fuzz every parser for SECONDS seconds each (default 60).
	tools/fuzz $(BUILD)-fuzz $(SECONDS)

docs: build ## The API reference (docs/html) and the man pages.
	tools/docs $(BUILD)

install: build ## Install below PREFIX (default /usr/local; DESTDIR is respected).
	$(MESON) configure $(BUILD) --prefix=$(PREFIX)
	$(MESON) install -C $(BUILD)
	@[ -n "$(DESTDIR)" ] || [ "$$(id -u)" -ne 0 ] || ldconfig # so that the loader knows the library

clean: ## Remove everything that was built.
	rm -rf $(BUILD) $(BUILD)-san $(BUILD)-cov $(BUILD)-fuzz $(BUILD)-gcc $(BUILD)-clang docs/html
