# The front door. `make demo` and `make test` install what is missing (they say what first), build and run.
PRESET ?= release
JOBS ?= $(shell nproc)
BUILD := build/$(PRESET)
export CMAKE_BUILD_PARALLEL_LEVEL := $(JOBS)

.PHONY: help setup build demo test crashes lint format bench fuzz sanitize races clean

help:
	@echo "make demo      build, start a network on this machine, send a real clip through it, make one from text"
	@echo "make test      build and run all tests"
	@echo "make crashes   the gateway is killed at every transition and KILLS (200) times at random"
	@echo "make build     only build (PRESET=release|dev|asan|tsan|fuzz); programs land in build/<preset>/bin"
	@echo "make lint      formatting, room arrows, clang-tidy"
	@echo "make bench     benchmarks, each beside a named peer"
	@echo "make fuzz      a short run of every fuzz target"
	@echo "make sanitize  tests under address + undefined behaviour sanitizers"
	@echo "make races     tests of the rooms with threads under the thread sanitizer"
	@echo "make setup     only install what is missing"

setup:
	@scripts/setup

build: setup
	@mkdir -p build
	@scripts/build $(PRESET)

demo: setup
	@scripts/build $(PRESET) kinora kinora-media kinora-runner
	@scripts/demo $(BUILD)

test: build
	@scripts/run-tests $(BUILD) $(KINORA_CTEST)

KILLS ?= 200
crashes: setup
	@scripts/build $(PRESET) kinora kinora-media kinora-runner
	@KINORA_RANDOM_KILLS=$(KILLS) scripts/run-tests $(BUILD) -R 'functional\.test_.*crashes'

lint: build
	@scripts/check-arrows
	@scripts/check-format
	@scripts/check-tidy $(BUILD)

format:
	@git ls-files '*.cpp' '*.hpp' | xargs clang-format-19 -i

bench: build
	@scripts/bench $(BUILD)

fuzz: setup
	@scripts/build fuzz fuzzers
	@scripts/run-fuzzers build/fuzz

sanitize:
	@$(MAKE) --no-print-directory build PRESET=asan
	@scripts/run-tests build/asan

# FFmpeg and LibTorch are not built for it and would only give false alarms, so their rooms stay out, but for the runner's queue.
races:
	@$(MAKE) --no-print-directory build PRESET=tsan
	@scripts/run-tests build/tsan

clean:
	rm -rf build demo-output
