/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a harness without libFuzzer over the corpus that is kept for it, or over the files that are
 * named: each once. It names a file before, so that the last name is that of the one that failed.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/compiler.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat stat;
    uint8_t *data;
    size_t size;

    if (!file || fstat(fileno(file), &stat)) {
        perror(path);
        exit(1);
    }
    fprintf(stderr, "%s\n", path);
    size = (size_t)stat.st_size;
    data = malloc(size); /* of its size, so that sanitizers see what reads behind it */
    if (fread(data, 1, size, file) != size) {
        perror(path);
        exit(1);
    }
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
}

/* test_fuzz_NAME's is corpus/fuzz_NAME beside it. */
static unsigned run_corpus(char *program)
{
    char *name = strdup(basename(program)), *folder = NULL, *path;
    struct dirent **entries;
    unsigned ran = 0;
    int n = -1;

    if (asprintf(&folder, "%s/corpus/%s", dirname(program), name + strlen("test_")) >= 0)
        n = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        if (entries[i]->d_name[0] != '.' &&
            asprintf(&path, "%s/%s", folder, entries[i]->d_name) >= 0) {
            run_file(path);
            free(path);
            ran++;
        }
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    free(folder);
    free(name);
    return ran;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        run_file(argv[i]);
    if (argc == 1 && !run_corpus(argv[0])) {
        fprintf(stderr, "there is no corpus\n");
        return 1;
    }
    return 0;
}
