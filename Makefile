# The front door: `make help` lists the targets. What takes more than a few lines is a script in .ci/.

CARGO ?= cargo
IMAGE ?= podlike
MINUTES ?= 60
TARGET := x86_64-unknown-linux-musl
CC_OF_TARGET := CC_$(subst -,_,$(TARGET))
OUT := $(abspath $(or $(CARGO_TARGET_DIR),target))
BINARY := $(OUT)/$(TARGET)/release/podlike
TOOLCHAIN := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/podlike/musl-toolchain
ENGINES := - docker-v2 docker-26-v1 docker-28-v2 podman-5 docker-userns
SCRIPTS := $(shell find .ci examples tests -type f -perm -u+x)

export PODLIKE_ENGINES := $(OUT)/engines
MAKEFLAGS += --no-print-directory
.NOTPARALLEL:
.PHONY: help demo test matrix faults soak lint engine engine-down static image images clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do printf '  %-12s %s\n' "$$name" "$$text"; done

demo: engine images ## run the pod of examples/sidecar on a real engine, and show it work and end
	@$(MAKE) image IMAGE=podlike
	@examples/sidecar/demo.sh

test: engine images ## run all tests: unit, fake engine, golden files, real engine; the life of a pod on cgroup v2, too
	@$(MAKE) image IMAGE=podlike:test
	PODLIKE_IMAGE=podlike:test $(CARGO) test --locked --no-fail-fast
	@PODLIKE_IMAGE=podlike:test .ci/matrix.sh "$(OUT)/matrix" docker-v2

matrix: engine images ## run the life of a pod on many engines, and print the table of the README
	@$(MAKE) image IMAGE=podlike:test
	@PODLIKE_IMAGE=podlike:test .ci/matrix.sh "$(OUT)/matrix" $(ENGINES)

faults: engine images ## try every fault at every call, kill the controller at each, end whole engines, and print what held
	@$(MAKE) image IMAGE=podlike:test
	PODLIKE_FAULTS=all PODLIKE_IMAGE=podlike:test $(CARGO) test --locked --no-fail-fast \
	    --test faults --test faults_of_supplies --test kill_points --test engine_faults -- --test-threads=1

soak: engine images ## let components restart at random for MINUTES=60, and measure the controller
	@$(MAKE) image IMAGE=podlike:test
	PODLIKE_SOAK_MINUTES=$(MINUTES) PODLIKE_IMAGE=podlike:test $(CARGO) test --locked --test soak

lint: ## check the format, clippy with warnings denied, shellcheck
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(CARGO) clippy --locked --all-targets --no-default-features -- -D warnings
	$(CARGO) clippy --locked --all-targets --no-default-features --features template -- -D warnings
	@command -v shellcheck >/dev/null || .ci/apt.sh install shellcheck
	shellcheck $(SCRIPTS)

engine: ## bring up a Docker engine where none answers
	@.ci/engine.sh up

engine-down: ## stop the engine that `make engine` started
	@.ci/engine.sh down

# With the target of rustup where it is installed, else with a compiler out of Debian's packages. ring has some C in it.
static: ## build the static binary
	@if ! ls "$$($${RUSTC:-rustc} --print sysroot)"/lib/rustlib/$(TARGET)/lib/libstd-*.rlib >/dev/null 2>&1; then \
	    .ci/musl-toolchain.sh "$(TOOLCHAIN)" && export RUSTC="$(TOOLCHAIN)/rustc" $(CC_OF_TARGET)="$(TOOLCHAIN)/cc" || exit 1; \
	elif [ -z "$$$(CC_OF_TARGET)" ] && ! command -v musl-gcc >/dev/null; then \
	    .ci/apt.sh install musl-tools || exit 1; \
	fi; \
	RUSTFLAGS="$$RUSTFLAGS --remap-path-prefix=$${CARGO_HOME:-$$HOME/.cargo}=/cargo --remap-path-prefix=$(CURDIR)=/podlike" \
	    $(CARGO) build --locked --release --target $(TARGET) --target-dir "$(OUT)"
	@parts=$$(readelf -ldW "$(BINARY)") || exit 1; \
	case $$parts in *INTERP*|*NEEDED*) echo "$(BINARY) is not static" >&2; exit 1 ;; esac; \
	echo "$(BINARY): static, $$(wc -c <"$(BINARY)") bytes"

image: engine static ## build the image, named by IMAGE=podlike
	@rm -rf "$(OUT)/image" && mkdir -p "$(OUT)/image" && cp "$(BINARY)" "$(OUT)/image/podlike"
	@DOCKER_BUILDKIT=0 docker build -q -f Dockerfile.scratch --label podlike-build= -t "$(IMAGE)" "$(OUT)/image" >"$(OUT)/image.log" 2>&1 || \
	    { cat "$(OUT)/image.log" >&2; exit 1; }
	@echo "image $(IMAGE) built"

images: engine ## build the images of the demo and of the tests
	@.ci/images.sh "$(OUT)/images"

clean: ## remove target/, and the images from an engine that answers
	@.ci/engines.sh list | while read -r name _; do .ci/engines.sh down "$$name"; done
	rm -rf "$(OUT)"
	@if .ci/engine.sh status >/dev/null 2>&1; then docker image prune --all --force --filter label=podlike-build; fi
