# A few names over meson and ninja.  Everything that is made is under $(BUILD).
#
#   make              build/harrier                  make test       all tests (at most 40 minutes)
#   make check        format, layers, static checks  make torture    the long figures of the tests
#   make bench        figures beside their peers'    make fuzz       each fuzz target, a few seconds
#   make asan, tsan   the tests with a sanitizer     make install    PREFIX=/usr/local DESTDIR=
BUILD   = build
PREFIX  = /usr/local
ONLY    =
SECONDS_EACH = 20
PYTHON  = python3

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD) harrier >$(BUILD)/build.log || { tail -n 40 $(BUILD)/build.log; exit 1; }
	@echo "$(BUILD)/harrier is ready"

$(BUILD)/build.ninja:
	@mkdir -p $(BUILD)
	@meson setup $(BUILD) -Dprefix=$(PREFIX) >$(BUILD)/setup.log || { cat $(BUILD)/setup.log; exit 1; }
	@echo "building (a minute or two, once) ..."

test:
	$(PYTHON) tools/test --build $(BUILD)

asan:
	$(PYTHON) tools/test --build $(BUILD) --only asan

tsan:
	$(PYTHON) tools/test --build $(BUILD) --only tsan

fuzz:
	$(PYTHON) tools/test --build $(BUILD) --only fuzz --fuzz-seconds $(SECONDS_EACH)

torture:
	HARRIER_TORTURE=1 $(PYTHON) tools/test --build $(BUILD) --fuzz-seconds 3600

bench: all
	ninja -C $(BUILD) engine kernels store parse resident
	$(PYTHON) bench/bench.py --build $(BUILD) $(if $(ONLY),--only "$(ONLY)")

check: all
	$(PYTHON) tools/check --build $(BUILD)

format:
	clang-format -i $$(find src test bench -name '*.[ch]')

install: all
	@ninja -C $(BUILD) installed >$(BUILD)/build.log
	meson install -C $(BUILD) --strip --no-rebuild

clean:
	rm -rf $(BUILD)

.PHONY: all test asan tsan fuzz torture bench check format install clean
