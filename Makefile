# The front door: `make help` lists the targets. What takes more than a few lines is a script in .ci/.

CARGO ?= cargo
IMAGE ?= podlike
FLAVOUR ?= full
FEATURES := $(or $(and $(filter edge,$(FLAVOUR)),--no-default-features),$(if $(filter-out full,$(FLAVOUR)),$(error FLAVOUR is full or edge)))
TARGETS := x86_64-unknown-linux-musl aarch64-unknown-linux-musl armv7-unknown-linux-musleabihf
NATIVE := $(firstword $(TARGETS))
TARGET := $(NATIVE)
FOREIGN := $(or $(filter-out $(NATIVE),$(TARGET)),aarch64-unknown-linux-musl)
# No table of relocations, none for unwinding, what is the same in many functions only once, and names for link.sh.
SMALL := -C relocation-model=static -C force-unwind-tables=no -C llvm-args=-enable-machine-outliner=always -C symbol-mangling-version=v0
OUT := $(abspath $(or $(CARGO_TARGET_DIR),target))
BINARY := $(OUT)/$(TARGET)/release/podlike
TOOLCHAINS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/podlike/toolchains
ENGINES := - docker-v2 docker-26-v1 docker-28-v2 podman-5 docker-userns
SCRIPTS := $(shell find .ci examples tests -type f -perm -u+x)

export PODLIKE_ENGINES := $(OUT)/engines
MAKEFLAGS += --no-print-directory
.NOTPARALLEL:
.PHONY: help demo test matrix faults soak fuzz bench lint engine engine-down swarm swarm-down examples chaos-swarm static image image-multiarch orderfile reproducible \
    qemu images clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do printf '  %-16s %s\n' "$$name" "$$text"; done

demo: engine images ## run the pod of examples/sidecar on a real engine, and show it work and end
	@$(MAKE) image IMAGE=podlike
	@examples/sidecar/demo.sh

test: engine images ## run all tests: unit, fake engine, golden files, real engine; the same bytes again, a pod on cgroup v2, and on a Swarm
	@$(MAKE) image FLAVOUR=edge IMAGE=podlike:edge
	@$(MAKE) image IMAGE=podlike:test
	PODLIKE_EDGE=podlike:edge PODLIKE_IMAGE=podlike:test $(CARGO) test --locked --no-fail-fast
	$(CARGO) test --locked --lib --no-default-features
	@$(MAKE) reproducible
	@PODLIKE_IMAGE=podlike:test .ci/matrix.sh "$(OUT)/matrix" docker-v2
	@export PODLIKE_IMAGE=podlike:test; .ci/swarm.sh with sh -ec '$(CARGO) test --locked --test swarm -- --test-threads=4; \
	    $(CARGO) test --locked --quiet --test examples -- sidecar health mesh modernised refused/privileged'

matrix: engine images ## run the life of a pod on many engines, and print the table of the README
	@$(MAKE) image IMAGE=podlike:test
	@PODLIKE_IMAGE=podlike:test .ci/matrix.sh "$(OUT)/matrix" $(ENGINES)

fuzz: MINUTES ?= 10
fuzz: ## run each of the fuzz targets for MINUTES=10, two at a time
	@CARGO_PROFILE_DEV_OPT_LEVEL=2 .ci/fuzz.sh "$(MINUTES)" "$(OUT)/fuzz"

faults: engine images ## try every fault at every call, kill the controller at each, end whole engines, and print what held
	@$(MAKE) image IMAGE=podlike:test
	PODLIKE_FAULTS=all PODLIKE_IMAGE=podlike:test $(CARGO) test --locked --no-fail-fast \
	    --test faults --test faults_of_supplies --test kill_points --test engine_faults -- --test-threads=1

soak: MINUTES ?= 60
soak: engine images ## let components restart at random for MINUTES=60, and measure the controller
	@$(MAKE) image IMAGE=podlike:test
	PODLIKE_SOAK_MINUTES=$(MINUTES) PODLIKE_IMAGE=podlike:test $(CARGO) test --locked --test soak

bench: ROUNDS ?= 7
bench: engine images ## measure what podlike costs, beside raw calls and the docker command, ROUNDS=7 times; BASELINE=image, too
	@$(MAKE) image FLAVOUR=edge IMAGE=podlike:edge
	@$(MAKE) image IMAGE=podlike:test
	@ROUNDS=$(ROUNDS) BASELINE=$(BASELINE) EDGE=podlike:edge PODLIKE_IMAGE=podlike:test $(CARGO) test --locked --test bench

swarm: engine images ## bring up a Swarm of three nodes on this machine, with podlike; make swarm-down ends it
	@$(MAKE) image IMAGE=podlike
	@.ci/swarm.sh up
	@.ci/swarm.sh load podlike
	@.ci/swarm.sh status

swarm-down: ## end the Swarm, and remove all that it had
	@.ci/swarm.sh down

examples: engine images ## run every example on a Swarm of three nodes, and print what was seen; EXAMPLES=names for some
	@$(MAKE) image IMAGE=podlike:test
	@PODLIKE_IMAGE=podlike:test .ci/swarm.sh with $(CARGO) test --locked --quiet --test examples -- $(EXAMPLES)

chaos-swarm: ROUNDS ?= 1
chaos-swarm: engine images ## drain, kill and cut off nodes of a Swarm while a client asks its services, ROUNDS=1 times
	@$(MAKE) image IMAGE=podlike:test
	@ROUNDS=$(ROUNDS) PODLIKE_IMAGE=podlike:test .ci/swarm.sh with $(CARGO) test --locked --quiet --test chaos

lint: ## check the format, clippy with warnings denied, shellcheck
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(CARGO) clippy --locked --test record --test bench --test examples --test chaos --test swarm -- -D warnings
	$(CARGO) clippy --locked --all-targets --no-default-features -- -D warnings
	$(CARGO) clippy --locked --all-targets --no-default-features --features template -- -D warnings
	$(CARGO) clippy --locked --all-targets --no-default-features --features tls -- -D warnings
	@command -v shellcheck >/dev/null || .ci/apt.sh install shellcheck
	shellcheck $(SCRIPTS)

engine: ## bring up a Docker engine where none answers
	@.ci/engine.sh up

engine-down: ## stop the engine that `make engine` started
	@.ci/engine.sh down

# With the target of rustup where it is installed, else with a compiler out of Debian's packages. ring has some C in it.
static: ## build the static binary, for TARGET=x86_64-unknown-linux-musl; FLAVOUR=edge without TLS and templates
	@tools=$$(.ci/toolchain.sh "$(TOOLCHAINS)" $(TARGET)) && eval "$$tools" && \
	$(CARGO) fetch --quiet --locked --target $(TARGET) && \
	for crates in "$${CARGO_HOME:-$$HOME/.cargo}"/registry/src/*; do RUSTFLAGS="$$RUSTFLAGS --remap-path-prefix=$$crates=/crates"; done && \
	RUSTFLAGS="$$RUSTFLAGS $(SMALL) --remap-path-prefix=$(CURDIR)=/podlike" \
	    $(CARGO) build --locked --release $(FEATURES) --target $(TARGET) --target-dir "$(OUT)"
	@parts=$$(readelf -ldW "$(BINARY)") || exit 1; \
	case $$parts in *INTERP*|*NEEDED*) echo "$(BINARY) is not static" >&2; exit 1 ;; esac; \
	echo "$(BINARY): static, $$(wc -c <"$(BINARY)") bytes"

image: engine static ## build the image, named by IMAGE=podlike; FLAVOUR=edge, too
	@[ "$(TARGET)" = "$(NATIVE)" ] || { echo "the local engine takes an image for $(NATIVE); for others: make image-multiarch" >&2; exit 1; }
	@rm -rf "$(OUT)/image" && mkdir -p "$(OUT)/image" && cp "$(BINARY)" "$(OUT)/image/podlike"
	@DOCKER_BUILDKIT=0 docker build -q -f Dockerfile.scratch --label podlike-build= -t "$(IMAGE)" "$(OUT)/image" >"$(OUT)/image.log" 2>&1 || \
	    { cat "$(OUT)/image.log" >&2; exit 1; }
	@echo "image $(IMAGE) built"

image-multiarch: ## write the image of x86_64, aarch64 and armv7 to target/oci, an OCI image layout
	@for target in $(TARGETS); do $(MAKE) static TARGET=$$target || exit 1; done
	@.ci/oci.sh "$(OUT)/oci" $(foreach target,$(TARGETS),"$(target)=$(OUT)/$(target)/release/podlike")
	PODLIKE_OCI="$(OUT)/oci" $(CARGO) test --locked --test oci layout

orderfile: images ## watch some pods with valgrind, and write anew which functions the linker puts together
	@SYMBOLS=kept $(MAKE) static CARGO_TARGET_DIR="$(OUT)/symbols"
	@.ci/orderfile.sh "$(OUT)/symbols/$(NATIVE)/release/podlike" .ci/orderfile

reproducible: static ## build the static binary again elsewhere, and compare the bytes
	@.ci/reproducible.sh "$(BINARY)" "$(OUT)/again" $(TARGET)

qemu: engine images ## run the binary of TARGET=aarch64-unknown-linux-musl with qemu-user, and a pod by it
	@for target in $(NATIVE) $(FOREIGN); do $(MAKE) static TARGET=$$target || exit 1; done
	@.ci/qemu.sh "$(OUT)/qemu" $(FOREIGN) "$(OUT)/$(FOREIGN)/release/podlike" "$(OUT)/$(NATIVE)/release/podlike"

images: engine ## build the images of the demo and of the tests
	@.ci/images.sh "$(OUT)/images"

clean: swarm-down ## remove target/, and the images from an engine that answers
	@.ci/engines.sh list | while read -r name _; do .ci/engines.sh down "$$name"; done
	rm -rf "$(OUT)"
	@if .ci/engine.sh status >/dev/null 2>&1; then docker image prune --all --force --filter label=podlike-build; fi
