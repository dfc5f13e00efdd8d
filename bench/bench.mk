# SPDX-License-Identifier: GPL-2.0-or-later
# The benchmark guests, bare metal; and for x86 the same rows as a Linux program.
# Results must not depend on the compiler's liberties: nothing fused, nothing vectorised but vector.c.
# They are always gcc's, so that figures can be compared whatever calque is built with.
bench_x86_cc := gcc
bench_flags = -O2 -ffreestanding -nostdlib -fno-pie -fno-stack-protector -fno-strict-aliasing \
	-fno-tree-loop-distribute-patterns -fno-tree-vectorize -ffp-contract=off -fno-math-errno \
	-fno-trapping-math -Wall -Wextra -Werror -Ibench
bench_link = -nostdlib -static -no-pie -Wl,--build-id=none,-z,noexecstack,--no-warn-rwx-segments
bench_common := bench.o support.o integer.o control.o memory.o scalar.o vector.o code.o \
	work.o work_core.o work_float.o work_classic.o work_compress.o
bench_vector := -O3 -ftree-vectorize -ffast-math

# $(call bench_objects,FOLDER,SOURCES' FOLDER,COMPILER,FLAGS): what is compiled for FOLDER
define bench_objects
bench_needs_$(1) := $(wildcard bench/*.h bench/*.def bench/$(2)/*.h bench/$(2)/*.def bench/$(2)/*.inc) bench/bench.mk
$(BUILD)/bench/$(1)/%.o: bench/%.c $$(bench_needs_$(1))
	@mkdir -p $$(@D)
	$$(call say,BENCH_CC,$$@)$(3) $$(bench_flags) -Ibench/$(2) $(4) $$(bench_extra) -c $$< -o $$@
$(BUILD)/bench/$(1)/%.o: bench/$(2)/%.c $$(bench_needs_$(1))
	@mkdir -p $$(@D)
	$$(call say,BENCH_CC,$$@)$(3) $$(bench_flags) -Ibench/$(2) $(4) $$(bench_extra) -c $$< -o $$@
$(BUILD)/bench/$(1)/%.o: bench/$(2)/%.S $$(bench_needs_$(1))
	@mkdir -p $$(@D)
	$$(call say,BENCH_CC,$$@)$(3) $$(bench_flags) -Ibench/$(2) $(4) -c $$< -o $$@
$(BUILD)/bench/$(1)/vector.o: bench_extra = $$(bench_vector)
endef

# $(call bench_variant,FOLDER/OBJECT,SOURCE,SOURCES' FOLDER,COMPILER,FLAGS): a source once more
define bench_variant
$(BUILD)/bench/$(1): bench/$(2) $(wildcard bench/*.h bench/$(3)/*.h) bench/bench.mk
	@mkdir -p $$(@D)
	$$(call say,BENCH_CC,$$@)$(4) $$(bench_flags) -Ibench/$(3) $(5) -c $$< -o $$@
endef

# ---- ARM: the guests arm and thumb are the same sources ------------------------------------------

bench_arm_flags := -mcpu=cortex-a15 -mfpu=neon-vfpv4 -mfloat-abi=hard -masm-syntax-unified
bench_arm_parts := start.o probes.o machine.o system.o $(bench_common)

# $(call bench_arm,NAME,FLAGS,OBJECTS)
define bench_arm
$(call bench_objects,$(1),arm,$(ARM_CC),$(bench_arm_flags) $(2))
$(BUILD)/bench/$(1).elf: $(addprefix $(BUILD)/bench/$(1)/,$(bench_arm_parts) $(3)) bench/arm/link.ld
	$$(call say,BENCH_LD,$$@)$(ARM_CC) $$(bench_link) -T bench/arm/link.ld $$(filter %.o,$$^) -o $$@ -lgcc
endef
$(eval $(call bench_variant,arm/core_thumb.o,work_core.c,arm,$(ARM_CC),\
	$(bench_arm_flags) -mthumb -DCORE=work_core_thumb))
$(eval $(call bench_arm,arm,-marm,core_thumb.o))
$(eval $(call bench_arm,thumb,-mthumb,))

# ---- x86: the guest NAME.elf and the program NAME.native -------------------------------------------

bench_x86_common := $(bench_common) x86.o probes.o scalar_x87.o float64_x87.o float64_avx.o vector_avx.o
bench_avx := -mavx2 -mfma

# $(call bench_x86_objects,FOLDER,FLAGS)
define bench_x86_objects
$(call bench_objects,$(1),x86,$(bench_x86_cc),$(2))
$(call bench_variant,$(1)/scalar_x87.o,scalar.c,x86,$(bench_x86_cc),$(2) -mfpmath=387 -DVARIANT_X87)
$(call bench_variant,$(1)/float64_x87.o,work_float.c,x86,$(bench_x86_cc),$(2) -mfpmath=387 -DFLOAT64=work_float64_x87)
$(call bench_variant,$(1)/float64_avx.o,work_float.c,x86,$(bench_x86_cc),$(2) $(bench_avx) -DFLOAT64=work_float64_avx)
$(call bench_variant,$(1)/vector_avx.o,vector.c,x86,$(bench_x86_cc),$(2) $(bench_vector) $(bench_avx) -DVARIANT_AVX)
endef

# $(call bench_x86,NAME,FLAGS)
define bench_x86
$(call bench_x86_objects,$(1),$(2) -mno-red-zone)
$(call bench_x86_objects,native-$(1),$(2) -DBENCH_NATIVE)
$(BUILD)/bench/$(1).elf: $(addprefix $(BUILD)/bench/$(1)/,start.o machine.o system.o $(bench_x86_common)) bench/x86/link.ld
	$$(call say,BENCH_LD,$$@)$(bench_x86_cc) $(2) $$(bench_link) -T bench/x86/link.ld $$(filter %.o,$$^) -o $$@
$(BUILD)/bench/$(1).native: $(addprefix $(BUILD)/bench/native-$(1)/,native.o $(bench_x86_common))
	$$(call say,BENCH_LD,$$@)$(bench_x86_cc) $(2) $$(bench_link) -Wl,-N $$(filter %.o,$$^) -o $$@
endef
$(eval $(call bench_x86,i386,-m32 -march=pentium4 -mtune=generic -mfpmath=sse))
$(eval $(call bench_x86,x86_64,-m64))

# ---- MIPS: one compiler for both byte orders and both widths ------------------------------------

bench_mips_flags := -mno-abicalls -fno-pic -G0 -mno-check-zero-division
bench_mips_parts := start.o machine.o system.o probes.o $(bench_common)

# $(call bench_mips,NAME,FLAGS)
define bench_mips
$(call bench_objects,$(1),mips,$(MIPS_CC),$(bench_mips_flags) $(2))
$(BUILD)/bench/$(1).elf: $(addprefix $(BUILD)/bench/$(1)/,$(bench_mips_parts)) bench/mips/link.ld
	$$(call say,BENCH_LD,$$@)$(MIPS_CC) $(bench_mips_flags) $(2) $$(bench_link) -T bench/mips/link.ld $$(filter %.o,$$^) -o $$@
endef
bench_mips_32 := -mabi=32 -march=mips32r2 -mfp32
bench_mips_64 := -mabi=64 -march=mips64r2 -msym32
$(eval $(call bench_mips,mips,-EB $(bench_mips_32)))
$(eval $(call bench_mips,mipsel,-EL $(bench_mips_32)))
$(eval $(call bench_mips,mips64,-EB $(bench_mips_64)))
$(eval $(call bench_mips,mips64el,-EL $(bench_mips_64)))

# What measuring a guest takes.
bench_files = $(foreach g,$(1),$(BUILD)/bench/$(g).elf $(if $(filter i386 x86_64,$(g)),$(BUILD)/bench/$(g).native))
