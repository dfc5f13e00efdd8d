# SPDX-License-Identifier: GPL-2.0-or-later
# The benchmark guests, bare metal; and for x86 the same rows as a Linux program.
bench_flags = -O2 -ffreestanding -nostdlib -fno-pie -fno-stack-protector -Wall -Wextra \
	-fno-tree-loop-distribute-patterns -Ibench
bench_link = -nostdlib -static -no-pie -Wl,--build-id=none,-z,noexecstack,--no-warn-rwx-segments
bench_common := bench.o work.o work_core.o work_float.o work_vector.o
bench_headers := $(wildcard bench/*.h)

# $(call bench_objects,FOLDER,SOURCES' FOLDER,COMPILER,FLAGS): what is compiled for FOLDER
define bench_objects
$(BUILD)/bench/$(1)/%.o: bench/%.c $(bench_headers) $(wildcard bench/*.def bench/$(2)/*.h) bench/$(2)/rows.def
	@mkdir -p $$(@D)
	$$(call say,BENCH_CC,$$@)$(3) $$(bench_flags) -Ibench/$(2) $(4) $$(bench_extra) -c $$< -o $$@
$(BUILD)/bench/$(1)/%.o: bench/$(2)/%.c $(bench_headers) bench/$(2)/rows.def $(wildcard bench/$(2)/*.h bench/$(2)/*.inc)
	@mkdir -p $$(@D)
	$$(call say,BENCH_CC,$$@)$(3) $$(bench_flags) -Ibench/$(2) $(4) $$(bench_extra) -c $$< -o $$@
$(BUILD)/bench/$(1)/%.o: bench/$(2)/%.S $(wildcard bench/$(2)/*.h bench/$(2)/*.inc)
	@mkdir -p $$(@D)
	$$(call say,BENCH_CC,$$@)$(3) $$(bench_flags) -Ibench/$(2) $(4) -c $$< -o $$@
$(BUILD)/bench/$(1)/work_float.o $(BUILD)/bench/$(1)/work_vector.o: bench_extra = -ffast-math
endef

$(eval $(call bench_objects,arm,arm,$(ARM_CC),-mcpu=cortex-a15 -mfpu=neon-vfpv4 -mfloat-abi=hard))
$(BUILD)/bench/arm/work_core_thumb.o: bench/work_core.c $(bench_headers)
	@mkdir -p $(@D)
	$(call say,BENCH_CC,$@)$(ARM_CC) $(bench_flags) -mcpu=cortex-a15 -mthumb -mfloat-abi=hard \
		-Dwork_core=work_core_thumb -c $< -o $@
bench_arm := $(addprefix $(BUILD)/bench/arm/,start.o machine.o work_core_thumb.o $(bench_common))
$(BUILD)/bench/arm.elf: $(bench_arm) bench/arm/link.ld
	$(call say,BENCH_LD,$@)$(ARM_CC) $(bench_link) -T bench/arm/link.ld $(bench_arm) -o $@ -lgcc

# $(call bench_x86,NAME,FLAGS): the guest NAME.elf and the program NAME.native. The x87 and AVX
# variants of the floating-point work are the same sources once more under other names.
bench_x86_common := $(bench_common) x86.o probes.o float64_x87.o float64_avx.o vector32_avx.o
define bench_x86
$(call bench_objects,$(1),x86,$(CC),$(2) -mno-red-zone)
$(call bench_objects,native-$(1),x86,$(CC),$(2) -DBENCH_NATIVE)
$(BUILD)/bench/$(1)/float64_x87.o $(BUILD)/bench/native-$(1)/float64_x87.o: bench/work_float.c
	@mkdir -p $$(@D)
	$$(call say,BENCH_CC,$$@)$(CC) $$(bench_flags) $(2) -mfpmath=387 -ffast-math \
		-Dwork_float64=work_float64_x87 -c $$< -o $$@
$(BUILD)/bench/$(1)/float64_avx.o $(BUILD)/bench/native-$(1)/float64_avx.o: bench/work_float.c
	@mkdir -p $$(@D)
	$$(call say,BENCH_CC,$$@)$(CC) $$(bench_flags) $(2) -mavx2 -mfma -ffast-math \
		-Dwork_float64=work_float64_avx -c $$< -o $$@
$(BUILD)/bench/$(1)/vector32_avx.o $(BUILD)/bench/native-$(1)/vector32_avx.o: bench/work_vector.c
	@mkdir -p $$(@D)
	$$(call say,BENCH_CC,$$@)$(CC) $$(bench_flags) $(2) -mavx2 -mfma -ffast-math \
		-Dwork_vector32=work_vector32_avx -c $$< -o $$@
$(BUILD)/bench/$(1).elf: $(addprefix $(BUILD)/bench/$(1)/,system.o machine.o $(bench_x86_common)) bench/x86/link.ld
	$$(call say,BENCH_LD,$$@)$(CC) $(2) $$(bench_link) -T bench/x86/link.ld $$(filter %.o,$$^) -o $$@
$(BUILD)/bench/$(1).native: $(addprefix $(BUILD)/bench/native-$(1)/,native.o $(bench_x86_common))
	$$(call say,BENCH_LD,$$@)$(CC) $(2) $$(bench_link) -Wl,-N $$(filter %.o,$$^) -o $$@
endef
$(eval $(call bench_x86,i386,-m32 -march=pentium4 -mtune=generic -mfpmath=sse))
$(eval $(call bench_x86,x86_64,-m64))

# What measuring a guest takes.
bench_files = $(foreach g,$(1),$(BUILD)/bench/$(g).elf $(if $(filter i386 x86_64,$(g)),$(BUILD)/bench/$(g).native))
