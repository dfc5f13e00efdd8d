/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Real kernels, booted by tools/boot-test on a terminal of their own. A guest whose files cannot be
 * fetched counts as skipped. CALQUE_TEST_LEVEL=all boots everything, by the interpreter too.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "util/compiler.h"

enum { SKIPPED = 77, OUTPUT_MAX = 8192 };

struct boot {
    const char *name;
    const char *arguments; /* of tools/boot-test */
    bool always;           /* false: only with CALQUE_TEST_LEVEL=all */
};

static const struct boot boots[] = {
    {"virt_a15", "virt", true},
    {"vexpress_a9", "vexpress-a9", true},
    {"u_boot", "u-boot", true},
    {"virt_interpreter", "--script prompt -t 900 virt --interp", true},
    {"issue_line", "--script rdinit --with tests/guest/issue-line vexpress-a9", true},
    {"reset", "--script reset virt", true},
    {"no_reboot", "--script no-reboot virt -no-reboot", true},
    {"signal", "--script signal virt", true},
    {"monitor", "--script monitor virt", true},
    {"pc_686_pae", "i386", true},
    {"pc_amd64", "x86_64", true},
    {"q35_amd64", "q35", true},
    {"pc_reset", "--script reset x86_64", true},
    {"pc_monitor", "--script monitor i386", true},
    {"pc_686", "pc-686", false},
    {"pc_686_pentium3", "pc-686 -cpu pentium3", false},
    {"q35_686", "q35-686", false},
    {"q35_686_pae", "q35-686-pae", false},
    {"pc_newest", "pc-newest", false},
    {"pc_nehalem", "x86_64 -cpu Nehalem", false},
    {"pc_haswell", "x86_64 -cpu Haswell", false},
    {"pc_max", "x86_64 -cpu max", false},
    {"q35_max", "q35 -cpu max", false},
    {"i386_nehalem", "i386 -cpu Nehalem", false},
    {"i386_haswell", "i386 -cpu Haswell", false},
    {"i386_max", "i386 -cpu max", false},
    {"pc_interpreter", "-t 900 --script prompt i386 --interp", false},
    {"amd64_interpreter", "-t 900 --script prompt x86_64 --interp", false},
    {"grub", "grub", true},
    {"grub_interpreter", "-t 600 grub --interp", true},
    {"grub_q35", "grub -M q35", false},
    {"memtest", "-t 180 memtest", true},
    {"memtest_cd", "-t 120 memtest-cd", false},
    {"installer_i386", "-t 300 installer-i386", false},
    {"installer", "-t 300 installer", false},
    {"option_rom", "-t 120 x86_64 -bios bios-256k.bin", false},
    {"option_rom_686", "-t 120 --script prompt pc-686 -bios bios-256k.bin", false},
    {"option_rom_q35", "-t 120 --script prompt q35 -bios bios-256k.bin", false},
    {"microvm", "microvm", true},
    {"microvm_firmware", "--script prompt microvm -bios bios-microvm.bin", false},
    {"microvm_reset", "--script reset microvm", false},
    {"mipsel_24kc", "mipsel -cpu 24Kc", true},
    {"mipsel_24kf", "mipsel", true},
    {"mips64el_r2", "mips64el", true},
    {"mips64el_newest", "mips64el-newest", false},
    {"mipsel_lines", "--script malta-24kf mipsel", false},
    {"mips64el_lines", "--script malta-mips64r2 mips64el", false},
    {"mipsel_u_boot", "u-boot-mipsel", true},
    {"mips64el_u_boot", "u-boot-mips64el", false},
    {"mipsel_reset", "--script reset mipsel", false},
    {"mips64el_reset", "--script reset mips64el", false},
    {"mipsel_interpreter", "-t 900 --script prompt mipsel --interp", false},
    {"mips64el_interpreter", "-t 900 --script prompt mips64el --interp", false},
    {"mips_24kf", "mips", false},
    {"mips_24kc", "mips -cpu 24Kc", false},
    {"mips_lines", "--script malta-24kf mips", false},
    {"mips_reset", "--script reset mips", false},
    {"mips_disk", "--disk --script malta-disk mips", false},
    {"mips_interpreter", "-t 900 --script prompt mips --interp", false},
    {"mips64_r2", "mips64", false},
    {"mips64_disk", "--disk --script malta-disk mips64", false},
    {"mips_r1_4kc", "mips-r1", false},
    {"mips_r1_lines", "--script malta-4kc mips-r1", false},
    {"mips_r1_interpreter", "-t 900 --script prompt mips-r1 --interp", false},
    {"mips64_r1_5kc", "mips64-r1", false},
    {"virt_a7", "virt-a7", false},
    {"virt_lpae", "virt-lpae", false},
    {"virt_trixie", "virt-trixie", false},
    {"virt_newest", "virt-newest", false},
    {"vexpress_interpreter", "-t 900 --script prompt vexpress-a9 --interp", false},
    {"lpae_interpreter", "-t 900 --script prompt virt-lpae --interp", false},
};

static void test_boot(void **state)
{
    const struct boot *boot = *state;
    const char *level = getenv("CALQUE_TEST_LEVEL");
    char command[512], output[OUTPUT_MAX];
    size_t size;
    FILE *pipe;
    int status;

    if (!boot->always && (!level || strcmp(level, "all")))
        skip();
    snprintf(command, sizeof(command), "tools/boot-test %s 2>&1", boot->arguments);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    size = fread(output, 1, sizeof(output) - 1, pipe);
    output[size] = 0;
    status = pclose(pipe);
    print_message("%s", output);
    if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
        skip();
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_SIZE(boots)];

    for (unsigned i = 0; i < ARRAY_SIZE(boots); i++)
        tests[i] = (struct CMUnitTest){
            .name = boots[i].name, .test_func = test_boot, .initial_state = (void *)&boots[i]};
    return cmocka_run_group_tests_name("boot", tests, NULL, NULL);
}
