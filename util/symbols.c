/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading an ELF symbol table, and finding addresses in it. */
#include "util/symbols.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_LIBELF
#include <gelf.h>
#endif

struct symbol {
    uint64_t start, end;
    char *name;
};

struct symbols {
    struct symbol *symbol; /* by start; of several with the same start, the longest last */
    size_t n, capacity;
};

void symbols_destroy(struct symbols *symbols)
{
    if (!symbols)
        return;
    for (size_t i = 0; i < symbols->n; i++)
        free(symbols->symbol[i].name);
    free(symbols->symbol);
    free(symbols);
}

const char *symbols_find(const struct symbols *symbols, uint64_t address, uint64_t *offset)
{
    size_t low = 0, high = symbols ? symbols->n : 0;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (symbols->symbol[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low || address >= symbols->symbol[low - 1].end)
        return NULL;
    *offset = address - symbols->symbol[low - 1].start;
    return symbols->symbol[low - 1].name;
}

#ifdef HAVE_LIBELF

static bool symbols_add(struct symbols *symbols, uint64_t start, uint64_t end, const char *name)
{
    if (symbols->n == symbols->capacity) {
        size_t capacity = symbols->capacity ? 2 * symbols->capacity : 256;
        struct symbol *grown = realloc(symbols->symbol, capacity * sizeof(*grown));

        if (!grown)
            return false;
        symbols->symbol = grown;
        symbols->capacity = capacity;
    }
    symbols->symbol[symbols->n] = (struct symbol){start, end, strdup(name)};
    return symbols->symbol[symbols->n].name && ++symbols->n;
}

static int compare(const void *left, const void *right)
{
    const struct symbol *a = left, *b = right;

    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return a->end < b->end ? -1 : a->end > b->end;
}

/* Where the section ends that a symbol is in, if that holds code; else 0. */
static uint64_t code_section_end(Elf *elf, unsigned index)
{
    Elf_Scn *section = index && index < SHN_LORESERVE ? elf_getscn(elf, index) : NULL;
    GElf_Shdr header;

    if (!section || !gelf_getshdr(section, &header) || !(header.sh_flags & SHF_EXECINSTR))
        return 0;
    return header.sh_addr + header.sh_size;
}

static bool is_name(const char *name)
{
    return name && *name && *name != '$'; /* ARM: mapping symbols ($a, $t, $d) */
}

/* Functions, and labels of assembly, whose end is not known yet. */
static bool read_table(struct symbols *symbols, Elf *elf, Elf_Scn *section, const GElf_Shdr *header)
{
    Elf_Data *data = elf_getdata(section, NULL);
    GElf_Ehdr file;
    GElf_Sym symbol;
    bool arm = gelf_getehdr(elf, &file) && file.e_machine == EM_ARM;

    for (int i = 0; data && gelf_getsym(data, i, &symbol); i++) {
        const char *name = elf_strptr(elf, header->sh_link, symbol.st_name);
        uint64_t limit = code_section_end(elf, symbol.st_shndx), start = symbol.st_value;
        unsigned type = GELF_ST_TYPE(symbol.st_info);

        if (!limit || !is_name(name) || (type != STT_FUNC && type != STT_NOTYPE))
            continue;
        if (arm && type == STT_FUNC) /* bit 0: Thumb */
            start &= ~UINT64_C(1);
        if (start < limit &&
            !symbols_add(symbols, start,
                         symbol.st_size ? MIN(start + symbol.st_size, limit) : limit, name))
            return false;
    }
    return true;
}

static void read_tables(struct symbols *symbols, Elf *elf)
{
    Elf_Scn *section = NULL;
    GElf_Shdr header;

    while ((section = elf_nextscn(elf, section))) {
        if (gelf_getshdr(section, &header) && header.sh_type == SHT_SYMTAB &&
            !read_table(symbols, elf, section, &header))
            break;
    }
    if (symbols->n)
        qsort(symbols->symbol, symbols->n, sizeof(*symbols->symbol), compare);
}

struct symbols *symbols_load(const char *path)
{
    struct symbols *symbols = calloc(1, sizeof(*symbols));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    Elf *elf;

    elf_version(EV_CURRENT);
    elf = fd >= 0 && symbols ? elf_begin(fd, ELF_C_READ, NULL) : NULL;
    if (elf) {
        read_tables(symbols, elf);
        elf_end(elf);
    }
    if (fd >= 0)
        close(fd);
    if (symbols && symbols->n)
        return symbols;
    symbols_destroy(symbols);
    return NULL;
}

#else

struct symbols *symbols_load(const char *path)
{
    return NULL;
}

#endif
