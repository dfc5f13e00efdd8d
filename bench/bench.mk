# SPDX-License-Identifier: GPL-2.0-or-later
# The benchmark guests: bare metal, built with the ARM cross compiler.
ARM_BENCH_FLAGS = -O2 -ffreestanding -nostdlib -mcpu=cortex-a15 -mfpu=neon-vfpv4 \
	-mfloat-abi=hard -Wall -Wextra -fno-tree-loop-distribute-patterns
ARM_BENCH_OBJS = $(addprefix $(BUILD)/bench/arm/,start.o bench.o work.o work_thumb.o)

$(BUILD)/bench/arm/work.o: ARM_BENCH_FLAGS += -ffast-math
$(BUILD)/bench/arm/work_thumb.o: ARM_BENCH_FLAGS += -mthumb
$(BUILD)/bench/arm/%.o: bench/arm/%.c $(wildcard bench/arm/*.h bench/arm/*.def)
	@mkdir -p $(@D)
	$(call say,ARM_CC,$@)$(ARM_CC) $(ARM_BENCH_FLAGS) -c $< -o $@
$(BUILD)/bench/arm/%.o: bench/arm/%.S
	@mkdir -p $(@D)
	$(call say,ARM_CC,$@)$(ARM_CC) $(ARM_BENCH_FLAGS) -c $< -o $@
$(BUILD)/bench/arm.elf: $(ARM_BENCH_OBJS) bench/arm/link.ld
	$(call say,ARM_CC,$@)$(ARM_CC) -nostdlib -static -Wl,--build-id=none,-z,noexecstack,--no-warn-rwx-segments \
		-T bench/arm/link.ld $(ARM_BENCH_OBJS) -o $@ -lgcc
