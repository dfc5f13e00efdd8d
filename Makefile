# SPDX-License-Identifier: GPL-2.0-or-later
#
#   make run [GUEST=virt]   install what is missing, build, fetch a guest, boot it on this terminal
#   make check              install what is missing, build and run the tests
#   make help               everything else
#
# Knobs: CC=gcc|clang  SANITIZE=1 (address, undefined)  DEBUG=1 (-Og)  V=1  PREFIX, DESTDIR, QEMU_NAMES=1

ifeq ($(origin CC),default)
CC := gcc
endif
PREFIX ?= /usr/local
GUEST ?= virt
RUN_ARGS ?=
V ?= 0
ifeq ($(V),0)
say = @printf '  %-8s %s\n' '$(1)' '$(2)';
else
say =
endif
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

# For the second make of such goals, when the first was not told how many jobs to run.
again = $(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

# ---- what is built where -------------------------------------------------------------------------
# Objects live apart per compiler and variant, so that switching between them rebuilds nothing.

variant := $(notdir $(firstword $(CC)))$(if $(DEBUG),-debug)
ifdef SANITIZE
BUILD := build/sanitize
else
BUILD := build
endif
OBJ := $(BUILD)/obj/$(variant)
GEN := build/gen

architectures := arm i386 x86_64 mips mipsel mips64 mips64el aarch64
names := $(addprefix calque-system-,$(architectures))

layers := util tcg softmmu backend frontend exec hw host vm
sources := $(sort $(wildcard main.c) $(shell find $(wildcard $(layers)) -name '*.c'))
objects := $(sources:%.c=$(OBJ)/%.o)
library := $(filter-out $(OBJ)/main.o,$(objects))

optimise := $(if $(DEBUG),-Og,-O2) -g
comma := ,
sanitize := $(if $(SANITIZE),-DCALQUE_SANITIZE -fsanitize=address$(comma)undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
# Rows of tables leave what they do not need zero. The sanitizers' instrumentation misleads gcc's
# warnings; plain builds are the judge.
warnings := -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers -Werror $(if $(SANITIZE),-Wno-error)
base_flags := -std=gnu11 $(optimise) $(warnings) -pthread -I. -I$(GEN)
# Where the compiler has it, as Debian does: position-independent, and the stack protected.
hardening := -fPIE -fstack-protector-strong $(if $(SANITIZE)$(DEBUG),,-D_FORTIFY_SOURCE=2)

# Optional libraries (D17): found once, looked for again whenever packages change.
# The goals that first install packages look for them in a second make.
front_goals := run check check-fast check-all check-sanitize check-clang bench bench-quick \
	bench-compare bench-page fuzz fuzz-keep deps \
	install-deps clean help format lint-layers
building := $(or $(if $(MAKECMDGOALS),,all),$(filter-out $(front_goals),$(MAKECMDGOALS)))
ifneq ($(building),)
-include build/config.mk
endif
build/config.mk: tools/find-libraries $(wildcard /var/lib/dpkg/status)
	@mkdir -p $(@D)
	@CC='$(CC)' tools/find-libraries > $@.new && mv $@.new $@

all_cflags = $(base_flags) $(hardening) $(sanitize) $(library_cflags) $(CFLAGS)
all_ldflags = -pie -pthread $(sanitize) $(LDFLAGS)
all_libs = $(library_libs) -lm $(LIBS)

# ---- the default goal ----------------------------------------------------------------------------

.PHONY: all
all: $(BUILD)/calque $(addprefix $(BUILD)/,$(names))

# What depends on these is built again when the flags, or the list of objects, change.
remember = $(shell mkdir -p $(dir $(1)); echo '$(2)' | cmp -s - $(1) || echo '$(2)' > $(1))
flags := $(OBJ)/.flags
linked := $(BUILD)/.linked
ifneq ($(building),)
$(call remember,$(flags),$(all_cflags))
$(call remember,$(linked),$(variant) $(all_ldflags) $(all_libs) $(objects))
endif

$(BUILD)/calque: $(objects) $(linked)
	$(call say,LINK,$@)$(CC) $(all_ldflags) -o $@ $(objects) $(all_libs)

$(addprefix $(BUILD)/,$(names)): $(BUILD)/calque
	@ln -sf calque $@

$(OBJ)/%.o: %.c $(flags)
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(all_cflags) -MMD -MP -c -o $@ $<

# ---- instruction tables --------------------------------------------------------------------------

decode_files := $(sort $(wildcard frontend/*/*.decode))
decoded := $(patsubst %.decode,$(GEN)/%.inc,$(notdir $(decode_files)))
decode_tool := build/tools/decode
decode_parts := $(sort $(wildcard frontend/*/*.def))
vpath %.decode $(sort $(dir $(decode_files)))

build/tools/%: tools/%.c
	@mkdir -p $(@D)
	$(call say,TOOL,$@)$(CC) -std=gnu11 -O2 -g $(warnings) -I. -o $@ $<

$(GEN)/%.inc: %.decode $(decode_tool) $(decode_parts)
	@mkdir -p $(@D)
	$(call say,DECODE,$<)$(decode_tool) $< $@

# Not to be removed as mere steps on the way.
.SECONDARY: $(decode_tool) $(decoded)
$(filter $(OBJ)/frontend/%,$(objects)): | $(decoded)

# ---- tests ---------------------------------------------------------------------------------------
# tests/<kind>/test_*.c are programs; other .c files beside them are linked into each of that kind,
# and tests/*.c into all. tests/<kind>/test_*.py are programs as they are.

kinds := unit device insn guest
test_sources := $(sort $(foreach k,$(kinds),$(wildcard tests/$(k)/test_*.c)))
scripts := $(sort $(foreach k,$(kinds),$(wildcard tests/$(k)/test_*.py)))
script_tests := $(scripts:%.py=$(BUILD)/%)
tests := $(test_sources:%.c=$(BUILD)/%) $(script_tests)
test_helpers := $(sort $(wildcard tests/*.c))
kind_helpers = $(filter-out tests/$(1)/test_%,$(sort $(wildcard tests/$(1)/*.c)))
test_objects := $(patsubst %.c,$(OBJ)/%.o,$(test_sources) $(test_helpers) \
	$(foreach k,$(kinds),$(call kind_helpers,$(k))))

# A harness's kept corpus, once through: tests/fuzz/test_fuzz_NAME, of tests/fuzz/fuzz_NAME.c.
corpora := $(sort $(wildcard tests/fuzz/corpus/*.tar.xz))
replays := $(corpora:tests/fuzz/corpus/%.tar.xz=$(BUILD)/tests/fuzz/test_%)
unpacked := $(corpora:tests/fuzz/corpus/%.tar.xz=$(BUILD)/tests/fuzz/corpus/%)
tests += $(replays)
test_objects += $(OBJ)/tests/fuzz/replay.o \
	$(corpora:tests/fuzz/corpus/%.tar.xz=$(OBJ)/tests/fuzz/%.o)

$(test_objects): | $(decoded)

define test_program
$(BUILD)/tests/$(1)/test_%: $(OBJ)/tests/$(1)/test_%.o $(library) $(linked) \
		$(patsubst %.c,$(OBJ)/%.o,$(test_helpers) $(call kind_helpers,$(1)))
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@)$$(CC) $$(all_ldflags) -o $$@ $$(filter %.o,$$^) -lcmocka $$(all_libs)
endef
$(foreach k,$(kinds),$(eval $(call test_program,$(k))))
.SECONDARY: $(test_objects)
$(script_tests): $(BUILD)/%: %.py
	@mkdir -p $(@D)
	$(call say,LINK,$@)ln -sf $(CURDIR)/$< $@

$(BUILD)/tests/fuzz/test_%: $(OBJ)/tests/fuzz/%.o $(OBJ)/tests/fuzz/replay.o $(library) $(linked) \
		| $(BUILD)/tests/fuzz/corpus/%
	@mkdir -p $(@D)
	$(call say,LINK,$@)$(CC) $(all_ldflags) -o $@ $(filter %.o,$^) $(all_libs)
$(BUILD)/tests/fuzz/corpus/%: tests/fuzz/corpus/%.tar.xz
	@rm -rf $@ && mkdir -p $@
	$(call say,UNPACK,$@)tar -xJf $< -C $@ && touch $@
.SECONDARY: $(unpacked)

# Set by check-sanitize and check-clang below; fast | normal | all.
LEVEL ?= normal
test_list = $(if $(ONLY),$(foreach o,$(ONLY),$(filter %/test_$(o),$(tests))),$(if \
	$(filter fast,$(LEVEL)),$(filter $(BUILD)/tests/unit/% $(BUILD)/tests/device/%,$(tests)),$(tests)))

.PHONY: check check-fast check-all check-sanitize check-clang run-tests build-tests
check:
	@tools/install-deps run check
	+@$(again) run-tests LEVEL=normal
check-fast:
	@tools/install-deps run check
	+@$(again) run-tests LEVEL=fast
check-all:
	@tools/install-deps run check guests browser
	@tools/build-guest --all || echo "check-all goes on without the guests that could not be built"
	+@$(again) run-tests LEVEL=all
check-sanitize:
	@tools/install-deps run check
	+@$(again) run-tests SANITIZE=1
check-clang:
	@tools/install-deps run check clang
	+@$(again) run-tests CC=clang

# The ARM side of the instruction tests, run by qemu-arm. It lies where wild addresses do not hit it.
ARM_CC ?= arm-linux-gnueabihf-gcc
arm_runner := $(if $(shell command -v $(ARM_CC)),$(BUILD)/tests/arm_runner)
$(BUILD)/tests/arm_runner: tests/insn/arm/arm_runner.c tests/insn/arm_page.h
	@mkdir -p $(@D)
	$(call say,ARM_CC,$@)$(ARM_CC) -O1 -static -marm -march=armv7-a -mfpu=neon -Wall -Wextra \
		-Wl,-Ttext-segment=0x70000000 -o $@ $<

# The MIPS side: one for each of tests/insn/mips_engine.c's kinds.
MIPS_CC ?= mips-linux-gnu-gcc
mips_runner_mipsel_74Kf := -EL -mabi=32 -march=mips32r2 -mfp32 -mdspr2
mips_runner_mips_74Kf := -EB -mabi=32 -march=mips32r2 -mfp32 -mdspr2
mips_runner_mipsel_P5600 := -EL -mabi=32 -march=mips32r5 -mfp64 -mmsa -mnan=2008
mips_runner_mips_P5600 := -EB -mabi=32 -march=mips32r5 -mfp64 -mmsa -mnan=2008
mips_runner_mips64el_R2 := -EL -mabi=64 -march=mips64r2 -msym32
mips_runner_mips64_R2 := -EB -mabi=64 -march=mips64r2 -msym32
mips_runner_mips64el_R6 := -EL -mabi=64 -march=mips64r6 -mmsa -mnan=2008 -msym32
mips_runners := $(if $(shell command -v $(MIPS_CC)),$(addprefix $(BUILD)/tests/,\
	$(filter mips_runner_%,$(.VARIABLES))))
$(BUILD)/tests/mips_runner_%: tests/insn/mips/mips_runner.c tests/insn/mips_case.h
	@mkdir -p $(@D)
	$(call say,MIPS_CC,$@)$(MIPS_CC) $(mips_runner_$*) -O1 -static -nostdlib -ffreestanding \
		-fno-builtin -mno-abicalls -fno-pic -G0 -Wall -Wextra \
		-Wl,-Ttext-segment=0x70000000,--build-id=none -o $@ $< -lgcc

build-tests: all $(tests) $(arm_runner) $(mips_runners) $(decode_tool) build/tools/converse
# A test that does not build must not keep the others from running; it counts as failed.
run-tests:
	+@$(again) -k build-tests || { echo 'not everything was built'; for t in $(tests); do \
		$(MAKE) -q $$t >/dev/null 2>&1 || rm -f $$t; done; }
	@CALQUE_BUILD=$(BUILD) CALQUE_TEST_LEVEL=$(LEVEL) tools/run-tests $(test_list)

# ---- fuzzing and measuring -----------------------------------------------------------------------

# tests/fuzz/fuzz_*.c are libFuzzer harnesses; each runs FUZZ_SECONDS from what is kept and what was
# found before. FUZZ: some of them.
FUZZ_SECONDS ?= 30
FUZZ ?= *
fuzz_sources := $(sort $(foreach f,$(FUZZ),$(wildcard tests/fuzz/fuzz_$(f).c)))
fuzz_programs := $(fuzz_sources:%.c=build/%)
fuzz_flags := -O1 -gline-tables-only -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=undefined
build/fuzz-obj/%.o: %.c | $(decoded)
	@mkdir -p $(@D)
	$(call say,CC,$<)clang $(base_flags) $(library_cflags) $(fuzz_flags) -MMD -MP -c -o $@ $<
build/tests/fuzz/%: build/fuzz-obj/tests/fuzz/%.o \
		$(patsubst %.c,build/fuzz-obj/%.o,$(filter-out main.c,$(sources)))
	@mkdir -p $(@D)
	$(call say,LINK,$@)clang -pthread -fsanitize=fuzzer,address,undefined -o $@ $^ $(all_libs)
-include $(patsubst %.c,build/fuzz-obj/%.d,$(sources) $(fuzz_sources))
.PHONY: fuzz fuzz-keep run-fuzz run-fuzz-keep
.PRECIOUS: build/fuzz-obj/%.o
fuzz fuzz-keep:
	@tools/install-deps run clang
	+@$(again) run-$@
run-fuzz: $(fuzz_programs) $(unpacked)
	@for f in $(notdir $(fuzz_programs)); do echo "== $$f"; \
		mkdir -p build/corpus/$$f build/tests/fuzz/corpus/$$f; \
		build/tests/fuzz/$$f -max_total_time=$(FUZZ_SECONDS) -print_final_stats=0 \
			-artifact_prefix=build/corpus/$$f- build/corpus/$$f build/tests/fuzz/corpus/$$f || exit 1; done
run-fuzz-keep: $(fuzz_programs) $(unpacked)
	@for f in $(notdir $(fuzz_programs)); do mkdir -p build/corpus/$$f build/tests/fuzz/corpus/$$f; \
		tests/fuzz/keep build/tests/fuzz/$$f tests/fuzz/corpus/$$f.tar.xz build/corpus/$$f \
			build/tests/fuzz/corpus/$$f || exit 1; done

# What bench/run measures; GUEST, where it is given, one guest of them. PEER, ROWS, ROUNDS, MILLISECONDS,
# BENCH_TIMEOUT, A and B reach it through the environment: make help says what they are.
GUESTS ?= arm thumb i386 x86_64 mipsel mips64el mips mips64
bench_guests = $(if $(filter file,$(origin GUEST)),$(GUESTS),$(GUEST))
include bench/bench.mk
.PHONY: bench bench-quick bench-compare bench-page build-bench
bench bench-quick bench-compare:
	@tools/install-deps run bench
	+@$(again) build-bench
	@CALQUE_BUILD=$(BUILD) bench/run $(or $(patsubst bench-%,%,$(filter bench-%,$@)),measure) $(bench_guests)
bench-page:
	@CALQUE_BUILD=$(BUILD) bench/run page
build-bench: all $(call bench_files,$(bench_guests))
	@:

# ---- running -------------------------------------------------------------------------------------

.PHONY: run deps install-deps
run:
	@tools/install-deps run
	+@$(again) all
	@tools/fetch-guest $(GUEST)
	@tools/run-guest $(GUEST) $(RUN_ARGS)
deps install-deps:
	@tools/install-deps run check clang lint leaks bench

# ---- looking after the source --------------------------------------------------------------------

# The headers of tests/guest/arm are assembly.
formatted = $(shell git ls-files '*.c' '*.h' ':!tests/guest/arm/' ':!tests/guest/mips/')
headers = $(shell git ls-files -co --exclude-standard '*.h' ':!tests/guest/arm/' ':!tests/guest/mips/')
.PHONY: lint lint-layers lint-headers lint-cppcheck format format-check
lint: lint-layers lint-headers format-check lint-cppcheck
lint-layers:
	@tools/check-layers
lint-headers: $(decoded)
	@for h in $(headers); do \
		$(CC) $(base_flags) -fsyntax-only -include $$h -x c /dev/null || exit 1; done; \
	echo 'every header compiles alone'
lint-cppcheck:
	@if command -v cppcheck >/dev/null; then \
		cppcheck --quiet --std=c11 --language=c --enable=warning,portability --inline-suppr \
			--error-exitcode=1 --suppressions-list=tools/cppcheck.suppressions \
			-I. -I$(GEN) -D__x86_64__ --max-configs=1 -j 2 $(sources) && echo 'cppcheck: nothing found'; \
	else echo 'cppcheck is not installed: its checks are left out'; fi
format:
	clang-format -i $(formatted)
format-check:
	@if command -v clang-format >/dev/null; then \
		clang-format --dry-run --Werror $(formatted) && echo 'layout: as .clang-format says'; \
	else echo 'clang-format is not installed: layout is not checked'; fi

# ---- installing ----------------------------------------------------------------------------------

.PHONY: install uninstall clean help
install: all
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(BUILD)/calque $(DESTDIR)$(PREFIX)/bin/calque
	for n in $(names); do ln -sf calque $(DESTDIR)$(PREFIX)/bin/$$n; done
ifdef QEMU_NAMES
	for n in $(architectures); do ln -sf calque $(DESTDIR)$(PREFIX)/bin/qemu-system-$$n; done
endif
uninstall:
	cd $(DESTDIR)$(PREFIX)/bin && rm -f $(names) && for n in $(architectures); do \
		[ "$$(readlink qemu-system-$$n)" != calque ] || rm -f qemu-system-$$n; done; rm -f calque
clean:
	rm -rf build

help:
	@echo 'make                    build/calque and its names'
	@echo 'make run [GUEST=NAME]   boot a Debian kernel to a shell here; NAME: tools/fetch-guest --list'
	@echo 'make run RUN_ARGS=...   the same with more options for calque'
	@echo 'make check              all tests;  ONLY="NAME..." some of them (tests/*/test_NAME.c)'
	@echo 'make check-fast         unit and device tests;  check-all: every guest too'
	@echo 'make check-sanitize     the tests under address and undefined sanitizers;  check-clang'
	@echo 'make fuzz               each fuzz harness for FUZZ_SECONDS=30;  FUZZ="NAME..." some of them'
	@echo 'make fuzz-keep          packs what they found into tests/fuzz/corpus'
	@echo 'make bench              measure against QEMU and natively: build/bench.json, .txt, .svg'
	@echo '                        GUESTS="arm thumb i386 x86_64 mipsel ..." or GUEST=NAME;  ROWS=PATTERN of rows'
	@echo '                        PEER=a QEMU, or a folder of them; empty: none;  ROUNDS=2'
	@echo '                        MILLISECONDS=10 of a sample;  BENCH_TIMEOUT=60 seconds of a row'
	@echo 'make bench-quick        a few rows of each class'
	@echo 'make bench-compare      two calques, or their build folders: A=OLD B=NEW'
	@echo 'make bench-page         docs/benchmarks.md of the last make bench'
	@echo 'make lint               include rules, headers, layout, cppcheck;  make format'
	@echo 'make deps               install what building, running and testing need'
	@echo 'make install            to $$(DESTDIR)$$(PREFIX)/bin;  QEMU_NAMES=1: qemu-system-* too'
	@echo 'make clean              remove build/'

-include $(objects:.o=.d) $(test_objects:.o=.d)
