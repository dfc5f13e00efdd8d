/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting PCs by command lines as people write them: small disks, a CD and a kernel that say on
 * the serial port what was started and switch the machine off. Firmware is Debian's SeaBIOS; where
 * it is not installed the tests that need it are skipped. Bad images give one sentence.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/bits.h"

enum {
    MAX_ARGS = 32,
    SECONDS = 60,
    OUTPUT = 16384,
    DISK_BYTES = 1 << 20,
    FLOPPY_BYTES = 1440 << 10
};

static char build[PATH_MAX], folder[64];

/* ---- what is started ------------------------------------------------------------------------- */

/* Real mode, anywhere: sends the text behind it to 0x3f8, then SLP_EN to PM1a_CNT at 0x604. */
static const uint8_t say_and_stop16[] = {
    0xfc,                   /* cld */
    0xe8, 0x00, 0x00, 0x5e, /* call next; next: pop %si */
    0x81, 0xc6, 0x1c, 0x00, /* add $(text - next), %si */
    0x0e, 0x1f,             /* push %cs; pop %ds */
    0xac, 0x84, 0xc0,       /* again: lodsb; test %al, %al */
    0x74, 0x06,             /* je done */
    0xba, 0xf8, 0x03, 0xee, /* mov $0x3f8, %dx; out %al, %dx */
    0xeb, 0xf5,             /* jmp again */
    0xba, 0x04, 0x06,       /* done: mov $0x604, %dx */
    0xb8, 0x00, 0x20, 0xef, /* mov $0x2000, %ax; out %ax, %dx */
    0xf4, 0xeb, 0xfd,       /* stop: hlt; jmp stop */
};

/* A kernel's 32-bit entry: says its command line, which boot_params at %esi points to. */
static const uint8_t say_and_stop32[] = {
    0xfc,                               /* cld */
    0x8b, 0xb6, 0x28, 0x02, 0x00, 0x00, /* mov 0x228(%esi), %esi */
    0xac, 0x84, 0xc0,                   /* again: lodsb; test %al, %al */
    0x74, 0x07,                         /* je done */
    0x66, 0xba, 0xf8, 0x03, 0xee,       /* mov $0x3f8, %dx; out %al, %dx */
    0xeb, 0xf4,                         /* jmp again */
    0x66, 0xba, 0x04, 0x06,             /* done: mov $0x604, %dx */
    0x66, 0xb8, 0x00, 0x20, 0x66, 0xef, /* mov $0x2000, %ax; out %ax, %dx */
    0xf4, 0xeb, 0xfd,                   /* stop: hlt; jmp stop */
};

static void put_program(uint8_t *at, const char *text)
{
    memcpy(at, say_and_stop16, sizeof(say_and_stop16));
    strcpy((char *)at + sizeof(say_and_stop16), text);
}

static void write_file(const char *name, const void *data, size_t size)
{
    char path[PATH_MAX];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    fclose(file);
}

static void write_disk(const char *name, size_t size)
{
    uint8_t *disk = calloc(1, size);
    char text[64];

    assert_non_null(disk);
    snprintf(text, sizeof(text), "started %s", name);
    put_program(disk, text);
    disk[510] = 0x55;
    disk[511] = 0xaa;
    write_file(name, disk, size);
    free(disk);
}

/* Port 0xcf9 (82371SB, 290550): a hard reset, in place of the power-off. */
static void make_reset(uint8_t *program)
{
    enum { DONE = 22 };
    static const uint8_t reset[] = {
        0xba, 0xf9, 0x0c,       /* mov $0xcf9, %dx */
        0xb8, 0x06, 0x00, 0xee, /* mov $6, %ax; out %al, %dx */
    };

    memcpy(program + DONE, reset, sizeof(reset));
}

/* "El Torito" 1.0: a boot record that points to a catalogue with one entry without emulation. */
static void write_cd(const char *name, bool resets)
{
    enum { SECTOR = 2048, N_SECTORS = 32, DESCRIPTOR = 16, CATALOGUE = 19, PROGRAM = 20 };
    uint8_t *cd = calloc(N_SECTORS, SECTOR), *entry;
    uint16_t sum = 0;
    char text[64];

    assert_non_null(cd);
    memcpy(cd + DESCRIPTOR * SECTOR, "\1CD001\1", 7);
    memcpy(cd + (DESCRIPTOR + 1) * SECTOR, "\0CD001\1EL TORITO SPECIFICATION", 30);
    store_le32(cd + (DESCRIPTOR + 1) * SECTOR + 0x47, CATALOGUE);
    memcpy(cd + (DESCRIPTOR + 2) * SECTOR, "\377CD001\1", 7);
    entry = cd + CATALOGUE * SECTOR;
    entry[0] = 1;
    entry[30] = 0x55;
    entry[31] = 0xaa;
    for (unsigned i = 0; i < 32; i += 2)
        sum = (uint16_t)(sum - load_le16(entry + i));
    store_le16(entry + 28, sum);
    entry[32] = 0x88;
    store_le16(entry + 38, 4);
    store_le32(entry + 40, PROGRAM);
    snprintf(text, sizeof(text), "started %s", name);
    put_program(cd + PROGRAM * SECTOR, text);
    if (resets)
        make_reset(cd + PROGRAM * SECTOR);
    write_file(name, cd, (size_t)N_SECTORS * SECTOR);
    free(cd);
}

/* Documentation/arch/x86/boot.rst. Its real-mode code says so, its protected-mode code says the
 * command line. */
static void write_kernel(const char *name)
{
    enum { SETUP = 1024, BODY = 512 };
    uint8_t kernel[SETUP + BODY] = {0};

    kernel[0x1f1] = 1;
    store_le32(kernel + 0x1f4, BODY / 16);
    store_le16(kernel + 0x1fe, 0xaa55);
    store_le16(kernel + 0x200, 0x6eeb); /* jmp to 0x270 */
    memcpy(kernel + 0x202, "HdrS", 4);
    store_le16(kernel + 0x206, 0x206);
    kernel[0x211] = 1;
    store_le32(kernel + 0x22c, 0x37ffffff);
    store_le32(kernel + 0x238, 255);
    put_program(kernel + 0x270, "started the kernel's real-mode code");
    memcpy(kernel + SETUP, say_and_stop32, sizeof(say_and_stop32));
    write_file(name, kernel, sizeof(kernel));
    write_file("cut", kernel, sizeof(kernel) - 100);
}

/* ---- running it ------------------------------------------------------------------------------ */

/* Words are separated by blanks, a ~ is a blank within one. */
static pid_t start(const char *command, int out)
{
    char text[1024], program[PATH_MAX + 64], *args[MAX_ARGS + 1], *rest = text, *word;
    int n = 0;
    pid_t child;

    snprintf(text, sizeof(text), "%s", command);
    while (n < MAX_ARGS && (word = strsep(&rest, " "))) {
        for (char *p = word; (p = strchr(p, '~'));)
            *p = ' ';
        args[n++] = word;
    }
    args[n] = NULL;
    snprintf(program, sizeof(program), "%s/%s", build, args[0]);
    child = fork();
    if (child == 0) {
        dup2(open("/dev/null", O_RDONLY), 0);
        dup2(out, 1);
        dup2(out, 2);
        alarm(SECONDS);
        if (chdir(folder) == 0)
            execv(program, args);
        _exit(127);
    }
    assert_true(child > 0);
    return child;
}

static int run(const char *command, char output[OUTPUT])
{
    FILE *out = tmpfile();
    pid_t child = start(command, fileno(out));
    size_t n;
    int status;

    assert_int_equal(waitpid(child, &status, 0), child);
    rewind(out);
    n = fread(output, 1, OUTPUT - 1, out);
    output[n] = 0;
    fclose(out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#define I386 "calque-system-i386 "
#define X86_64 "calque-system-x86_64 "
#define FIRMWARE "/usr/share/seabios/bios-256k.bin"

struct line {
    const char *command;
    const char *expected[2];
};

static void check_lines(const struct line *lines, unsigned n, int expected_status)
{
    char output[OUTPUT];

    for (unsigned i = 0; i < n; i++) {
        int status = run(lines[i].command, output);
        bool ok = status == expected_status;
        for (unsigned k = 0; k < 2 && lines[i].expected[k]; k++)
            ok = ok && strstr(output, lines[i].expected[k]);
        if (!ok)
            fail_msg("%s: status %d, said: %s", lines[i].command, status, output);
    }
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void need_firmware(void)
{
    if (access(FIRMWARE, R_OK))
        skip();
}

static void test_drives(void **state)
{
    static const struct line lines[] = {
        {"calque myImageDisc.img", {"started myImageDisc.img"}},
        {X86_64 "-enable-kvm -m 256 -hda miaImg.img -cdrom nomeIso.iso -boot d",
         {"started nomeIso.iso", "hardware virtualisation"}},
        {X86_64 "-name debianProva -hda miaImg.img", {"started miaImg.img"}},
        {X86_64 "-hda a -hdb b -hdc c -hdd d", {"started a"}},
        {I386 "-hda a -interp", {"started a"}},
        {I386 "-M q35 -hda a", {"started a"}},
        {I386 "-M q35 -cdrom nomeIso.iso", {"started nomeIso.iso"}},
        {X86_64 "-fda floppy -hda a -boot a", {"started floppy"}},
        {X86_64 "-hda debian.img -serial mon:stdio -nographic", {"started debian.img", "SeaBIOS"}},
        {X86_64 "-hda a -vga none -no-hpet", {"started a"}},
    };

    need_firmware();
    check_lines(lines, ARRAY_SIZE(lines), 0);
}

static void test_boot_order(void **state)
{
#define DRIVES X86_64 "-hda a -cdrom nomeIso.iso "
    static const struct line lines[] = {
        {DRIVES "-no-hpet", {"started a"}},
        {DRIVES "-boot c", {"started a"}},
        {DRIVES "-boot d", {"started nomeIso.iso"}},
        {DRIVES "-boot n", {"started"}},
        {DRIVES "-boot order=dc", {"started nomeIso.iso"}},
        {X86_64 "-hda a -cdrom once.iso -boot order=c,once=d", {"started once.iso", "started a"}},
        {DRIVES "-bios " FIRMWARE " -boot d", {"started nomeIso.iso"}},
        {DRIVES "-bios bios-256k.bin -boot c", {"started a"}},
    };

    need_firmware();
    check_lines(lines, ARRAY_SIZE(lines), 0);
#undef DRIVES
}

static void test_kernels(void **state)
{
    static const struct line lines[] = {
        {I386 "-kernel bzImage -hda a -append root=/dev/hda", {"root=/dev/hda"}},
        {I386 "-kernel bzImage -initrd initrd.img -hda a -append root=/dev/hda", {"root=/dev/hda"}},
        {X86_64 "-kernel bzImage -append root=/dev/sda2~console=tty0~console=ttyS0~rw "
                "-serial mon:stdio",
         {"root=/dev/sda2 console=tty0 console=ttyS0 rw"}},
        {X86_64 "-kernel bzImage -append console=ttyS0 -serial mon:stdio -nographic",
         {"console=ttyS0"}},
        {X86_64 "-M q35 -kernel bzImage -append quiet -interp", {"quiet"}},
    };

    check_lines(lines, ARRAY_SIZE(lines), 0);
}

static void test_kernel_under_firmware(void **state)
{
    static const struct line lines[] = {
        {I386 "-bios " FIRMWARE " -kernel bzImage -append quiet", {"the kernel's real-mode code"}},
        {X86_64 "-M q35 -bios " FIRMWARE " -kernel bzImage -hda a",
         {"the kernel's real-mode code"}},
        {X86_64 "-bios " FIRMWARE " -kernel bzImage -interp", {"the kernel's real-mode code"}},
    };

    need_firmware();
    check_lines(lines, ARRAY_SIZE(lines), 0);
}

static void test_bad_images(void **state)
{
    static const struct line lines[] = {
        {X86_64 "-hda missing.img", {"'missing.img'"}},
        {X86_64 "-cdrom missing.iso -boot d", {"'missing.iso'"}},
        {X86_64 "-fda missing", {"'missing'"}},
        {X86_64 "-hda .", {"'.'"}},
        {X86_64 "-hda empty", {"'empty'"}},
        {X86_64 "-bios missing", {"'missing'"}},
        {X86_64 "-bios odd", {"'odd'", "4 KiB"}},
        {X86_64 "-bios empty", {"'empty'"}},
        {X86_64 "-kernel cut", {"'cut'", "truncated"}},
        {X86_64 "-kernel a", {"'a'", "no kernel for x86"}},
        {X86_64 "-bios page -kernel cut", {"'cut'", "truncated"}},
        {X86_64 "-bios page -kernel bzImage -initrd missing", {"'missing'"}},
        {X86_64 "-bios page -initrd a", {"-initrd", "-kernel"}},
        {X86_64 "-bios page -append x", {"-append", "-kernel"}},
        {X86_64 "-hda a -boot z", {"'z'"}},
        {X86_64 "-hda a -hda b", {"'b'", "'a'"}},
    };

    check_lines(lines, ARRAY_SIZE(lines), 1);
}

/* A disk that another one writes is refused, by its name. */
static void test_locked(void **state)
{
    static const struct line second = {X86_64 "-hda a", {"'a'"}};
    int null = open("/dev/null", O_RDWR), status;
    pid_t child;

    need_firmware();
    child = start(X86_64 "-hda a -S -display none", null);
    usleep(1000000);
    check_lines(&second, 1, 1);
    kill(child, SIGTERM);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    close(null);
}

/* ---- set-up ---------------------------------------------------------------------------------- */

static int set_up(void **state)
{
    static const char *const disks[] = {
        "myImageDisc.img", "miaImg.img", "debian.img", "a", "b", "c", "d"};
    static const uint8_t zeros[5000];
    const char *given = getenv("CALQUE_BUILD");

    if (!realpath(given ? given : "build", build))
        return -1;
    strcpy(folder, "/tmp/calque-pc.XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    for (unsigned i = 0; i < ARRAY_SIZE(disks); i++)
        write_disk(disks[i], DISK_BYTES);
    write_disk("floppy", FLOPPY_BYTES);
    write_cd("nomeIso.iso", false);
    write_cd("once.iso", true);
    write_kernel("bzImage");
    write_file("initrd.img", zeros, 512);
    write_file("odd", zeros, 5000);
    write_file("page", zeros, 4096);
    write_file("empty", zeros, 0);
    return 0;
}

static int tear_down(void **state)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_drives),     cmocka_unit_test(test_boot_order),
        cmocka_unit_test(test_kernels),    cmocka_unit_test(test_kernel_under_firmware),
        cmocka_unit_test(test_bad_images), cmocka_unit_test(test_locked),
    };

    return cmocka_run_group_tests_name("pc start", tests, set_up, tear_down);
}
