/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Perf maps (linux/tools/perf/Documentation/jit-interface.txt) and jitdump files
 * (linux/tools/perf/Documentation/jitdump-specification.txt).
 */
#define _GNU_SOURCE
#include "util/code_record.h"

#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/monotonic.h"

enum { JITDUMP_MAGIC = 0x4a695444, JITDUMP_VERSION = 1, NAME_BYTES = 256, MARKER_BYTES = 4096 };
enum jitdump_id { JIT_CODE_LOAD = 0, JIT_CODE_CLOSE = 3 };

/* All in the host's byte order. */
struct jitdump_header {
    uint32_t magic, version, total_size, elf_machine, padding, pid;
    uint64_t timestamp, flags;
};
struct jitdump_record {
    uint32_t id, total_size;
    uint64_t timestamp;
};
struct jitdump_load { /* then the name, a zero byte, the code */
    struct jitdump_record record;
    uint32_t pid, tid;
    uint64_t virtual_address, code_address, code_size, index;
};

struct code_record {
    pthread_mutex_t lock;
    FILE *map, *dump;
    char map_path[PATH_MAX], dump_path[PATH_MAX];
    void *marker; /* mapping of the dump's first page: how perf finds out about the file */
    uint64_t n;   /* pieces of code dumped */
};

static FILE *create_file(const char *path, int flags, const char *what, struct error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | flags, 0644);
    FILE *file = fd >= 0 ? fdopen(fd, "w+") : NULL;

    if (!file) {
        error_set_errno(err, errno, "cannot create the %s '%s'", what, path);
        if (fd >= 0)
            close(fd);
    }
    return file;
}

/* In /tmp a name that is there already, perhaps another user's link, is not followed. */
static bool open_map(struct code_record *r, const char *map, struct error *err)
{
    bool standard = !*map;

    if (standard)
        snprintf(r->map_path, sizeof(r->map_path), "/tmp/perf-%d.map", (int)getpid());
    else
        snprintf(r->map_path, sizeof(r->map_path), "%s", map);
    if (standard)
        unlink(r->map_path);
    r->map = create_file(r->map_path, standard ? O_EXCL | O_NOFOLLOW : O_TRUNC, "perf map", err);
    return r->map != NULL;
}

static void name_dump(struct code_record *r, const char *dump)
{
    struct stat st;

    if (!*dump)
        dump = ".";
    if (stat(dump, &st) == 0 && S_ISDIR(st.st_mode))
        snprintf(r->dump_path, sizeof(r->dump_path), "%s/jit-%d.dump", dump, (int)getpid());
    else
        snprintf(r->dump_path, sizeof(r->dump_path), "%s", dump);
}

static bool open_dump(struct code_record *r, const char *dump, struct error *err)
{
    struct jitdump_header header = {
        .magic = JITDUMP_MAGIC,
        .version = JITDUMP_VERSION,
        .total_size = sizeof(header),
        .elf_machine = EM_X86_64,
        .pid = (uint32_t)getpid(),
        .timestamp = (uint64_t)monotonic_ns(),
    };

    name_dump(r, dump);
    r->dump = create_file(r->dump_path, O_TRUNC, "jitdump file", err);
    if (!r->dump)
        return false;
    fwrite(&header, sizeof(header), 1, r->dump);
    fflush(r->dump);
    r->marker = mmap(NULL, MARKER_BYTES, PROT_READ | PROT_EXEC, MAP_PRIVATE, fileno(r->dump), 0);
    if (r->marker != MAP_FAILED)
        return true;
    r->marker = NULL;
    return error_set_errno(err, errno, "cannot map '%s' as executable, by which perf would find it",
                           r->dump_path);
}

struct code_record *code_record_create(const char *map, const char *dump, struct error *err)
{
    struct code_record *r = calloc(1, sizeof(*r));

    if (!r) {
        error_set(err, "out of memory");
        return NULL;
    }
    pthread_mutex_init(&r->lock, NULL);
    if ((!map || open_map(r, map, err)) && (!dump || open_dump(r, dump, err)))
        return r;
    if (r->map)
        unlink(r->map_path);
    if (r->dump)
        unlink(r->dump_path);
    code_record_close(r, NULL);
    return NULL;
}

static void write_load(struct code_record *r, const char *name, const void *code, size_t bytes)
{
    size_t name_bytes = strlen(name) + 1;
    struct jitdump_load load = {
        .record = {.id = JIT_CODE_LOAD,
                   .total_size = (uint32_t)(sizeof(load) + name_bytes + bytes),
                   .timestamp = (uint64_t)monotonic_ns()},
        .pid = (uint32_t)getpid(),
        .tid = (uint32_t)gettid(),
        .virtual_address = (uintptr_t)code,
        .code_address = (uintptr_t)code,
        .code_size = bytes,
        .index = r->n++,
    };

    fwrite(&load, sizeof(load), 1, r->dump);
    fwrite(name, name_bytes, 1, r->dump);
    fwrite(code, bytes, 1, r->dump);
}

void code_record_add(struct code_record *r, const char *given, const void *code, size_t bytes)
{
    char name[NAME_BYTES];

    /* It may come out of a guest's file: no line breaks. */
    snprintf(name, sizeof(name), "%s", given);
    for (char *c = name; *c; c++)
        *c = isprint((unsigned char)*c) ? *c : '?';
    pthread_mutex_lock(&r->lock);
    if (r->map)
        fprintf(r->map, "%" PRIxPTR " %zx %s\n", (uintptr_t)code, bytes, name);
    if (r->dump)
        write_load(r, name, code, bytes);
    pthread_mutex_unlock(&r->lock);
}

static bool close_file(FILE *file, const char *path, struct error *err)
{
    bool ok = !file || !ferror(file);

    if (file && fclose(file))
        ok = false;
    return ok || error_set(err, "'%s' could not be written completely", path);
}

bool code_record_close(struct code_record *r, struct error *err)
{
    struct jitdump_record end = {.id = JIT_CODE_CLOSE, .total_size = sizeof(end)};
    bool ok;

    if (!r)
        return true;
    end.timestamp = (uint64_t)monotonic_ns();
    if (r->dump)
        fwrite(&end, sizeof(end), 1, r->dump);
    if (r->marker)
        munmap(r->marker, MARKER_BYTES);
    ok = close_file(r->map, r->map_path, err);
    ok = close_file(r->dump, r->dump_path, err) && ok;
    pthread_mutex_destroy(&r->lock);
    free(r);
    return ok;
}
