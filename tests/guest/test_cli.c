/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line from outside: bad input gives one sentence on stderr that names the file or
 * option, status 1, and leaves nothing behind; lists and help give status 0.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "host/block.h"
#include "util/bits.h"

enum { MAX_ARGS = 24, SECONDS = 60, ZIMAGE_BYTES = 64 << 10 };

static char build[PATH_MAX], folder[PATH_MAX / 2];

struct outcome {
    int status; /* 128 + signal; -1 it did not end */
    char out[16384], err[4096];
};

/* ---- running it --------------------------------------------------------------------------------
 */

static size_t read_all(int fd, char *text, size_t size)
{
    size_t n = 0;
    ssize_t got;

    while (n + 1 < size && (got = read(fd, text + n, size - 1 - n)) > 0)
        n += (size_t)got;
    text[n] = 0;
    return n;
}

/* command: words separated by blanks; the first is a name in the build folder. */
static void run(const char *command, struct outcome *outcome)
{
    char text[PATH_MAX], program[PATH_MAX + 64], *args[MAX_ARGS + 1], *rest = text, *word;
    int n = 0, status;
    FILE *out = tmpfile(), *err = tmpfile();
    pid_t child;

    snprintf(text, sizeof(text), "%s", command);
    while (n < MAX_ARGS && (word = strsep(&rest, " ")))
        args[n++] = word;
    args[n] = NULL;
    snprintf(program, sizeof(program), "%s/%s", build, args[0]);
    child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_RDONLY);
        dup2(null, 0);
        dup2(fileno(out), 1);
        dup2(fileno(err), 2);
        alarm(SECONDS);
        if (chdir(folder) == 0)
            execv(program, args);
        _exit(127);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    outcome->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    lseek(fileno(out), 0, SEEK_SET);
    lseek(fileno(err), 0, SEEK_SET);
    read_all(fileno(out), outcome->out, sizeof(outcome->out));
    read_all(fileno(err), outcome->err, sizeof(outcome->err));
    fclose(out);
    fclose(err);
}

/* ---- files -------------------------------------------------------------------------------------
 */

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

/* A zImage as far as its header goes: Documentation/arch/arm/booting.rst. */
static void write_kernels(void)
{
    uint8_t *data = calloc(1, ZIMAGE_BYTES);
    uint8_t packed[4096];
    uLongf packed_size = sizeof(packed);
    z_stream z = {0};

    assert_non_null(data);
    store_le32(data, 0xeafffffe); /* b . */
    store_le32(data + 0x24, 0x016f2818);
    store_le32(data + 0x28, 0);
    store_le32(data + 0x2c, ZIMAGE_BYTES);
    write_file("good", data, ZIMAGE_BYTES);
    write_file("truncated", data, ZIMAGE_BYTES - 1);
    write_file("half", data, ZIMAGE_BYTES / 2);
    write_file("head", data, 0x30);
    write_file("empty", data, 0);
    /* gzip of it, whole and cut. */
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = data;
    z.avail_in = ZIMAGE_BYTES;
    z.next_out = packed;
    z.avail_out = (uInt)packed_size;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    write_file("cut.gz", packed, z.total_out - 9);
    write_file("cut2.gz", packed, z.total_out / 2);
    deflateEnd(&z);
    /* uImage: a 64-byte big-endian header that promises more than there is. */
    memset(data, 0, 4096);
    store_be32(data, 0x27051956);
    store_be32(data + 12, 1 << 20);
    store_be32(data + 16, 0x8000);
    store_be32(data + 20, 0x8000);
    data[28] = 5; /* Linux */
    data[29] = 2; /* ARM */
    data[30] = 2; /* kernel */
    write_file("cut.uimage", data, 4096);
    data[29] = 5; /* MIPS */
    store_be32(data + 12, 4096 - 64);
    write_file("mips.uimage", data, 4096);
    /* ELF for x86-64, and one for ARM cut in its program headers. */
    memset(data, 0, 4096);
    memcpy(data, "\177ELF\1\1\1", 7);
    store_le16(data + 16, 2);
    store_le16(data + 18, 62);
    store_le32(data + 20, 1);
    store_le32(data + 28, 52);
    store_le16(data + 40, 52);
    store_le16(data + 42, 32);
    store_le16(data + 44, 1);
    write_file("x86.elf", data, 4096);
    store_le16(data + 18, 40);
    store_le32(data + 52, 1);            /* PT_LOAD */
    store_le32(data + 52 + 16, 1 << 20); /* file size */
    store_le32(data + 52 + 20, 1 << 20); /* memory size */
    write_file("cut.elf", data, 4096);
    write_file("cut2.elf", data, 60);
    free(data);
}

static void write_others(void)
{
    uint8_t dtb[64] = {0xd0, 0x0d, 0xfe, 0xed, 0, 0, 0x40, 0}; /* says 16 KiB */
    char path[PATH_MAX];
    int fd;

    write_file("cut.dtb", dtb, sizeof(dtb));
    write_file("text", "this is neither a kernel nor a tree\n", 36);
    /* A hole costs nothing; it is larger than the memory it should go into. */
    snprintf(path, sizeof(path), "%s/huge", folder);
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)1 << 30), 0);
    close(fd);
}

static unsigned count_files(void)
{
    DIR *dir = opendir(folder);
    unsigned n = 0;

    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

static int set_up(void **state)
{
    const char *from = getenv("CALQUE_BUILD");

    if (!realpath(from ? from : "build", build))
        return -1;
    snprintf(folder, sizeof(folder), "/tmp/calque-cli-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    write_kernels();
    write_others();
    return 0;
}

static int tear_down(void **state)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    while (dir && (entry = readdir(dir)))
        unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
    return rmdir(folder);
}

/* ---- bad input ---------------------------------------------------------------------------------
 */

struct bad_input {
    const char *command;
    const char *names[2]; /* must stand in the sentence */
};

#define ARM "calque-system-arm "
#define VIRT ARM "-nographic -M virt "
#define GOOD VIRT "-kernel good "
#define PC "calque-system-x86_64 -nographic "

static const struct bad_input bad_inputs[] = {
    {VIRT "-kernel missing", {"missing"}},
    {VIRT "-kernel .", {"."}},
    {VIRT "-kernel empty", {"empty"}},
    {VIRT "-kernel head", {"head"}},
    {VIRT "-kernel half", {"half"}},
    {VIRT "-kernel truncated", {"truncated"}},
    {VIRT "-kernel cut.gz", {"cut.gz"}},
    {VIRT "-kernel cut2.gz", {"cut2.gz"}},
    {VIRT "-kernel cut.uimage", {"cut.uimage"}},
    {VIRT "-kernel mips.uimage", {"mips.uimage"}},
    {VIRT "-kernel x86.elf", {"x86.elf"}},
    {VIRT "-kernel cut.elf", {"cut.elf"}},
    {VIRT "-kernel cut2.elf", {"cut2.elf"}},
    {VIRT "-kernel huge -m 64M", {"huge"}},
    {VIRT "-bios missing", {"missing"}},
    {VIRT "-bios empty", {"empty"}},
    {VIRT "-bios huge", {"huge"}},
    {VIRT, {"-kernel"}},
    {GOOD "-initrd missing", {"missing"}},
    {GOOD "-initrd empty", {"empty"}},
    {GOOD "-initrd huge -m 256M", {"huge"}},
    {GOOD "-dtb missing", {"missing"}},
    {GOOD "-dtb empty", {"empty"}},
    {GOOD "-dtb text", {"text"}},
    {GOOD "-dtb cut.dtb", {"cut.dtb"}},
    {ARM "-M vexpress-a9 -nographic -kernel half -dtb text", {"half"}},
    {ARM "-M vexpress-a9 -nographic -kernel good -dtb cut.dtb", {"cut.dtb"}},
    {GOOD "-m 1K", {"-m"}},
    {GOOD "-m 0", {"-m"}},
    {GOOD "-m 64T", {"-m"}},
    {GOOD "-m 999999999999999999999", {"-m"}},
    {GOOD "-m -5", {"-m"}},
    {GOOD "-m lots", {"-m", "lots"}},
    {GOOD "-m 12Q", {"-m", "12Q"}},
    {ARM "-M vexpress-a9 -nographic -kernel good -m 8G", {"-m"}},
    {ARM "-M vrit -kernel good", {"vrit", "'virt'"}},
    {ARM "-M vexpress-a -kernel good", {"vexpress-a", "'vexpress-a9'"}},
    {ARM "-kernel good", {"-M", "virt"}},
    {GOOD "-cpu cortex-a51", {"cortex-a51", "cortex-a15"}},
    {GOOD "-cpu cortexa7", {"cortexa7", "cortex-a7"}},
    {GOOD "-d in_sam", {"in_sam", "in_asm"}},
    {GOOD "-d in_asm,guest_eror", {"guest_eror", "guest_error"}},
    {GOOD "-d in_asm -D /nonexistent/log", {"/nonexistent/log"}},
    {GOOD "-kernal good", {"-kernal", "'-kernel'"}},
    {GOOD "--appendd x", {"--appendd", "'-append'"}},
    {GOOD "-nographics", {"-nographics", "'-nographic'"}},
    {GOOD "-append", {"-append"}},
    {GOOD "-smp 0", {"-smp"}},
    {GOOD "-smp 2", {"-smp"}},
    {GOOD "-serial stdout", {"-serial", "'stdio'"}},
    {GOOD "-serial file:", {"-serial", "file"}},
    {GOOD "-serial file:/nonexistent/f", {"/nonexistent/f"}},
    {GOOD "-serial stdio -monitor stdio", {"stdio"}},
    {GOOD "-serial tcp:localhost", {"-serial", "HOST:PORT"}},
    {GOOD "-serial tcp:127.0.0.1:1", {"-serial", "127.0.0.1:1"}},
    {GOOD "-serial telnet::70000,server=on", {"-serial", "70000"}},
    {GOOD "-serial tcp::1,sever=on", {"-serial", "'server'"}},
    {GOOD "-serial unix:/nonexistent/s,server=on", {"-serial", "/nonexistent/s"}},
    {GOOD "-serial unix:missing", {"-serial", "missing"}},
    {GOOD "-serial pipe:missing", {"missing.in"}},
    {GOOD "-serial chardev:c", {"-serial", "'c'"}},
    {GOOD "-serial udp:localhost:1", {"-serial", "udp"}},
    {GOOD "-chardev null", {"-chardev", "id"}},
    {GOOD "-chardev nul,id=c", {"-chardev", "'null'"}},
    {GOOD "-chardev null,id=c -chardev null,id=c", {"-chardev", "id"}},
    {GOOD "-chardev null,id=c -serial chardev:c -monitor chardev:c", {"-monitor", "mux=on"}},
    {GOOD "-chardev null,id=c -mon chardev=d", {"-mon", "'d'"}},
    {GOOD "-chardev null,id=c -mon chardev=c,mode=control", {"-mon", "QMP"}},
    {GOOD "-echr x", {"-echr", "x"}},
    {GOOD "-serial null -serial null -serial null -serial null -serial null", {"-serial"}},
    {GOOD "-accel xen", {"xen", "tcg"}},
    {GOOD "-display gtk", {"-display", "none"}},
    {GOOD "-semihosting", {"-semihosting"}},
    {GOOD "-hda missing", {"missing"}},
    {ARM "good", {"-M"}},
    {GOOD "-drive file=half,if=ide", {"'half'", "no such drive"}},
    {ARM "-kernel good -M virt -initrd", {"-initrd", "FILE"}},
    {"calque-system-aarch64 -M virt -kernel good", {"aarch64", "arm"}},
    {GOOD "-cpu cortex-a15,+neon", {"cortex-a15", "no features"}},
    {"calque-system-x86_64 -nographic -kernel good -cpu qemu64,+avy2", {"avy2", "avx2"}},
    {"calque-system-x86_64 -nographic -kernel good -cpu qemu64,avx=maybe", {"avx=maybe"}},
    {"calque-system-x86_64 -nographic -kernel good", {"good", "ARM"}},
    {"calque-system-aarch64 -M help", {"aarch64", "arm"}},
    {PC "-kernel missing", {"missing"}},
    {PC "-kernel empty", {"empty"}},
    {PC "-kernel text", {"text"}},
    {PC "-bios missing", {"missing"}},
    {PC "-bios text", {"text", "4 KiB"}},
    {PC "-initrd text", {"-initrd", "-kernel"}},
    {PC "-append text", {"-append", "-kernel"}},
    {PC "-hda missing", {"missing"}},
    {PC "-hda .", {"'.'"}},
    {PC "-hda empty", {"empty"}},
    {PC "-cdrom missing", {"missing"}},
    {PC "-fda missing", {"missing"}},
    {PC "-hda good -hda half", {"-hda", "good"}},
    {PC "-hda good -drive file=half,index=0", {"'half'", "'good'"}},
    {PC "-drive file=missing", {"missing"}},
    {PC "-drive file=empty", {"empty"}},
    {PC "-drive file=good,if=scsi", {"if=scsi", "virtio"}},
    {PC "-drive file=good,fromat=raw", {"fromat", "'format='"}},
    {PC "-drive good", {"good", "file="}},
    {PC "-drive if=virtio", {"file="}},
    {PC "-drive file=good,format=qcow2", {"qcow2", "raw"}},
    {PC "-drive file=good,index=-1", {"index=-1"}},
    {PC "-drive file=good,unit=2", {"unit=2"}},
    {PC "-drive file=good,readonly=maybe", {"readonly=maybe", "on, off"}},
    {PC "-drive file=good,cache=big", {"cache=big", "writeback"}},
    {PC "-drive file=good,media=tape", {"media=tape", "cdrom"}},
    {PC "-drive file=good,werror=stop", {"werror=stop"}},
    {PC "-drive file=good,if=none,id=a -drive file=half,if=none,id=a", {"'half'", "'good'"}},
    {PC "-device virtio-blk-pci", {"virtio-blk-pci", "drive=ID"}},
    {PC "-device virtio-blk,drive=a", {"virtio-blk", "'a'"}},
    {PC "-hda good -device ide-hd,drive=ide0-hd0", {"'good'"}},
    {PC "-device virtio-blk-device", {"virtio-blk-device", "no slot"}},
    {GOOD "-device virtio-blk-pci", {"'virt'", "PCI"}},
    {PC "-drive file=half,if=none,id=a -device virtio-blk,drive=a,num-queues=99", {"num-queues"}},
    {PC "-device virtio-blk,foo=1", {"Property 'virtio-blk-pci.foo' not found"}},
    {PC "-device virtio-blk,bootindex=0,foo=1", {"'virtio-blk-pci.foo' not found"}},
    {PC "-device virtio-blk,drvie=a", {"'virtio-blk-pci.drvie' not found", "'drive'"}},
    {PC "-device VGA,xress=1", {"'VGA.xress' not found", "'xres'"}},
    {PC "-device virtserialport,rn=1", {"'virtserialport.rn' not found", "'nr'"}},
    {PC "-device isa-debugcon,iobsae=1", {"'isa-debugcon.iobsae' not found", "'iobase'"}},
    {PC "-device virtio-gpu-pci,disable_legacy=on",
     {"'virtio-gpu-pci.disable_legacy'", "'disable-legacy'"}},
    {PC "-drive file=half,if=none,id=a -device virtio-keyboard-pci,drive=a",
     {"'virtio-keyboard-pci.drive' not found"}},
    {GOOD "-device ramfb,chardev=a", {"'ramfb.chardev' not found"}},
    {PC "-device virtio-blk,drive=a,queue-size=100",
     {"queue-size=100", "power of two from 4 to 1024"}},
    {PC "-device virtio-blk,drive=a,disable-modern=maybe", {"disable-modern=maybe", "on nor off"}},
    {PC "-device ide-hd,drive=a,serial=a,,b,,c,,d,,e,,f,,g,,h,,i,,j,,k,,l",
     {"serial=", "20 bytes"}},
    {PC "-boot z", {"-boot", "'z'"}},
    {PC "-m 1M", {"-m"}},
    {PC "-m 64G", {"-m"}},
    {PC "-rtc base=1600-01-01", {"-rtc", "1600-01-01"}},
    {PC "-device isa-debugkon", {"isa-debugkon", "'isa-debugcon'"}},
    {PC "-device isa-debug-exit,iobase=lots", {"isa-debug-exit", "iobase=lots"}},
    {PC "-device isa-debug-exit,iosize=", {"isa-debug-exit", "iosize="}},
    {PC "-M q35,hpet=maybe", {"hpet"}},
    {GOOD "-fda good", {"-fda", "no such drive"}},
    {GOOD "-cdrom missing", {"missing"}},
    {GOOD "-perfmap=", {"-perfmap", "empty"}},
    {GOOD "-perfmap=/nonexistent/map", {"/nonexistent/map"}},
    {GOOD "-jitdump=/nonexistent/dump", {"/nonexistent/dump"}},
    {GOOD "-jitdum=x", {"-jitdum=x", "'-jitdump'"}},
    /* What is opened before the mistake is found must not stay. */
    {GOOD "-perfmap=left -jitdump=/nonexistent/dump", {"/nonexistent/dump"}},
    {VIRT "-kernel half -serial file:left -d int -D left2", {"half"}},
};

static void check_bad_input(const struct bad_input *input, unsigned *wrong)
{
    struct outcome o;
    unsigned before = count_files();
    const char *problem = NULL;
    size_t program = strcspn(input->command, " ");
    const char *newline;

    run(input->command, &o);
    newline = strchr(o.err, '\n');
    if (o.status != 1)
        problem = "the status is not 1";
    else if (!newline || newline[1])
        problem = "not one line on stderr";
    else if (strncmp(o.err, input->command, program) || o.err[program] != ':')
        problem = "the program's name is not in front";
    else if (o.out[0])
        problem = "something on stdout";
    else if (count_files() != before)
        problem = "a file is left behind";
    for (unsigned i = 0; i < 2 && !problem && input->names[i]; i++) {
        if (!strstr(o.err + program + 1, input->names[i]))
            problem = "it does not name what is wrong";
    }
    if (!problem)
        return;
    print_error("%s\n  %s (status %d): %s", input->command, problem, o.status, o.err);
    if (!newline)
        print_error("\n");
    ++*wrong;
}

static void test_bad_input(void **state)
{
    unsigned wrong = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(bad_inputs); i++)
        check_bad_input(&bad_inputs[i], &wrong);
    assert_int_equal(wrong, 0);
}

/* A disk that another writes is not taken. */
static void test_locked_disk(void **state)
{
    char path[PATH_MAX];
    struct error err = {""};
    struct outcome o;

    snprintf(path, sizeof(path), "%s/good", folder);
    struct block *block = block_open(path, 0, &err);
    assert_non_null(block);
    run(PC "-hda good", &o);
    block_close(block);
    assert_int_equal(o.status, 1);
    assert_non_null(strstr(o.err, "'good' is in use"));
    assert_ptr_equal(strchr(o.err, '\n'), o.err + strlen(o.err) - 1);
}

/* A file that was there before keeps its contents when the machine does not come up. */
static void test_serial_file_is_kept(void **state)
{
    struct outcome o;
    struct stat st;
    char path[PATH_MAX];

    write_file("kept", "kept", 4);
    run(VIRT "-kernel half -serial file:kept", &o);
    assert_int_equal(o.status, 1);
    snprintf(path, sizeof(path), "%s/kept", folder);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 4);
    unlink(path);
}

/* ---- good input --------------------------------------------------------------------------------
 */

static void test_lists(void **state)
{
    static const struct {
        const char *command, *says[3];
    } lists[] = {
        {ARM "-M help", {"virt", "vexpress-a9"}},
        {ARM "-machine ?", {"virt", "vexpress-a9"}},
        {ARM "-cpu help", {"cortex-a7", "cortex-a9", "cortex-a15"}},
        {ARM "-cpu ?", {"cortex-a15"}},
        {ARM "-d help", {"in_asm", "guest_error", "unimp"}},
        {ARM "-h", {"-kernel", "-nographic", "usage: calque-system-arm"}},
        {ARM "--help", {"-append"}},
        {ARM "-version", {"calque-system-arm version "}},
        {ARM "--version", {"version "}},
        {"calque -M help", {"virt", "pc", "(arm)"}},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(lists); i++) {
        struct outcome o;
        run(lists[i].command, &o);
        if (o.status)
            fail_msg("%s: status %d: %s", lists[i].command, o.status, o.err);
        assert_string_equal(o.err, "");
        for (unsigned w = 0; w < 3 && lists[i].says[w]; w++) {
            if (!strstr(o.out, lists[i].says[w]))
                fail_msg("%s does not say '%s' but:\n%s", lists[i].command, lists[i].says[w],
                         o.out);
        }
    }
}

/* Every name exists; those without a guest say so and what there is. */
static void test_names(void **state)
{
    static const char *const names[] = {"i386",   "x86_64",   "mips",    "mipsel",
                                        "mips64", "mips64el", "aarch64", "arm"};

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        char command[64];
        struct outcome o;
        snprintf(command, sizeof(command), "calque-system-%s -M help", names[i]);
        run(command, &o);
        if (o.status == 0)
            continue;
        assert_int_equal(o.status, 1);
        assert_non_null(strstr(o.err, names[i]));
        assert_non_null(strstr(o.err, "not built in"));
        assert_non_null(strstr(o.err, "arm"));
    }
}

/* Signals are read where events are: they are blocked from then on. */
static bool takes_signal(pid_t child, int signal)
{
    char path[64], line[256];
    unsigned long long blocked = 0;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)child);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof(line), f))
        sscanf(line, "SigBlk: %llx", &blocked);
    if (f)
        fclose(f);
    return blocked >> (signal - 1) & 1;
}

/* A guest that does nothing is ended by a signal, at once and cleanly. */
static void test_signal_ends_it(void **state)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};

    for (unsigned i = 0; i < ARRAY_SIZE(signals); i++) {
        char program[PATH_MAX + 64];
        int status, waited = 0;
        pid_t child;
        snprintf(program, sizeof(program), "%s/calque-system-arm", build);
        child = fork();
        if (child == 0) {
            int null = open("/dev/null", O_RDWR);
            dup2(null, 0);
            dup2(null, 1);
            dup2(null, 2);
            alarm(SECONDS);
            if (chdir(folder) == 0)
                execl(program, "calque-system-arm", "-M", "virt", "-nographic", "-kernel", "good",
                      NULL);
            _exit(127);
        }
        for (unsigned n = 0; n < 1000 && !takes_signal(child, signals[i]); n++)
            usleep(20000);
        assert_int_equal(waitpid(child, &status, WNOHANG), 0);
        kill(child, signals[i]);
        while (waitpid(child, &status, WNOHANG) == 0 && waited++ < 500)
            usleep(20000);
        assert_true(waited < 500);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_input),
        cmocka_unit_test(test_locked_disk),
        cmocka_unit_test(test_serial_file_is_kept),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_signal_ends_it),
    };

    return cmocka_run_group_tests_name("cli", tests, set_up, tear_down);
}
