# Everything is built by CMake and Ninja; these are the commands that people type.
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
prefix ?= $(PREFIX)
FUZZ_SECONDS ?= 600
CMAKE := cmake -G Ninja -S .
BUILD := cmake --build

.PHONY: all setup asan tsan test test-all demo install deb sbom bench fuzz format lint docs-check \
  clean

all:
	@$(CMAKE) -B build -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX=$(prefix) -DTESTS=OFF >/dev/null
	@$(BUILD) build --target program -j $(JOBS)

setup:
	@tools/setup

# All programs and tests under AddressSanitizer and UBSan.
asan:
	@$(CMAKE) -B build/asan -DCMAKE_BUILD_TYPE=Debug -DSANITIZE=ON >/dev/null
	@$(BUILD) build/asan -j $(JOBS)

# The program and its tests under ThreadSanitizer.
tsan:
	@$(CMAKE) -B build/tsan -DCMAKE_BUILD_TYPE=Debug -DSANITIZE_THREADS=ON >/dev/null
	@$(BUILD) build/tsan -j $(JOBS)

test:
	@tools/test

test-all:
	@tools/test --all

demo:
	@tools/demo

install: all
	cmake --install build --prefix $(prefix)

# build/deb/caes-sync_VERSION_ARCH.deb
deb:
	@tools/setup --package
	@packaging/build-deb

# What the program is made of, in SPDX 2.3.
sbom: all
	@packaging/sbom build/caes-sync >build/caes-sync.spdx.json
	@echo build/caes-sync.spdx.json

bench:
	@$(CMAKE) -B build -DCMAKE_BUILD_TYPE=Release -DTESTS=OFF >/dev/null
	@$(BUILD) build --target bench_programs program -j $(JOBS)
	@bench/run $(BENCH)

fuzz:
	@$(CMAKE) -B build/fuzz -DFUZZ=ON -DCMAKE_BUILD_TYPE=Release \
	  -DCMAKE_C_COMPILER=clang-14 -DCMAKE_CXX_COMPILER=clang++-14 >/dev/null
	@$(BUILD) build/fuzz -j $(JOBS)
	@tools/fuzz build/fuzz $(FUZZ_SECONDS)

format:
	@git ls-files -co --exclude-standard '*.c' '*.h' '*.cpp' | xargs -r clang-format-14 -i

lint:
	@tools/lint

# Links, generated pages, names; then every command and configuration in the documents, on real servers.
docs-check:
	@tools/test --docs

clean:
	@for d in build/asan build/fuzz build; do [ ! -f $$d/build.ninja ] || ninja -C $$d clean; done
