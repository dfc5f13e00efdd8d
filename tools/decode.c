/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode INPUT.decode OUTPUT.inc: turns a declarative instruction table into a C decision tree.
 * A host tool, independent of everything else; docs/decode.md describes the language.
 *
 * Everything is allocated once and freed by exit: a run lasts milliseconds.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PARTS = 8, MAX_TOKENS = 96, MAX_MEMBERS = 24, MAX_WIDTH = 32 };

struct part {
    unsigned start, length;
};

/* A value taken from instruction bits (parts, most significant first) or a constant. */
struct field {
    char *name;
    struct part parts[MAX_PARTS];
    unsigned n_parts;
    bool is_signed;
    bool is_constant;
    long constant;
    const char *function; /* applied to the result, NULL none */
};

struct arg_set {
    char *name;
    char *members[MAX_MEMBERS];
    unsigned n_members;
    bool used;
};

/* Pattern and assignments; rows and formats are both made of this. */
struct pattern {
    uint32_t fixed_mask, fixed_bits;   /* 0 and 1 */
    uint32_t should_mask, should_bits; /* (0) and (1): ignored when decoding */
    uint32_t ignored;                  /* - */
    uint32_t in_field;                 /* covered by an in-place field */
    struct arg_set *set;
    struct field *values[MAX_MEMBERS];
    unsigned n_values;
};

struct format {
    char *name;
    struct pattern pattern;
};

struct feature {
    char *name;
    char *expression;
};

struct group {
    struct group *parent;
    bool ordered;
    unsigned depth;
    unsigned line;
};

struct row {
    char *name;
    const char *file;
    unsigned line;
    struct group *group;
    struct pattern pattern;
    unsigned annotations;
    struct feature *features[4];
    unsigned n_features;
    unsigned index;
    bool handler_first; /* first row with this name */
};

/* A list of pointers that grows. */
struct list {
    void **items;
    size_t n, capacity;
};

static const char *const annotation_names[] = {"mem",           "branch", "system",
                                               "unpredictable", "notest", "fp"};
static const char *const annotation_symbols[] = {"INSN_MEM",           "INSN_BRANCH", "INSN_SYSTEM",
                                                 "INSN_UNPREDICTABLE", "INSN_NOTEST", "INSN_FP"};
enum { N_ANNOTATIONS = sizeof(annotation_names) / sizeof(annotation_names[0]) };

struct decoder {
    const char *file;
    unsigned line;
    char *table;
    unsigned width;
    struct list fields, sets, formats, features, rows, functions;
    struct group *group;
    FILE *out;
};

/* ---- errors, lists, names ------------------------------------------------------------------- */

__attribute__((noreturn, format(printf, 2, 3))) static void fail(const struct decoder *d,
                                                                 const char *format, ...)
{
    va_list args;
    fprintf(stderr, "%s:%u: ", d->file, d->line);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

static void *must(void *p)
{
    if (!p) {
        fputs("decode: out of memory\n", stderr);
        exit(1);
    }
    return p;
}

static void list_add(struct list *list, void *item)
{
    if (list->n == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 64;
        list->items = must(realloc(list->items, list->capacity * sizeof(void *)));
    }
    list->items[list->n++] = item;
}

static char *copy(const char *text)
{
    return must(strdup(text));
}

static void *zalloc(size_t size)
{
    return must(calloc(1, size));
}

/* Every named thing has its name as first member. */
static void *find(const struct list *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++)
        if (!strcmp(*(char **)list->items[i], name))
            return list->items[i];
    return NULL;
}

static void *find_or_fail(const struct decoder *d, const struct list *list, const char *what,
                          const char *name)
{
    void *item = find(list, name);
    if (!item)
        fail(d, "unknown %s '%s'", what, name);
    return item;
}

static void add_new(const struct decoder *d, struct list *list, const char *what, void *item)
{
    if (find(list, *(char **)item))
        fail(d, "%s '%s' is defined twice", what, *(char **)item);
    list_add(list, item);
}

static bool is_name(const char *text)
{
    if (!isalpha((unsigned char)*text) && *text != '_')
        return false;
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && *text != '_')
            return false;
    return true;
}

static uint32_t low_mask(unsigned length)
{
    return length >= 32 ? ~UINT32_C(0) : (UINT32_C(1) << length) - 1;
}

/* ---- declarations --------------------------------------------------------------------------- */

static unsigned parse_number(const struct decoder *d, const char **text)
{
    char *end;
    if (!isdigit((unsigned char)**text))
        fail(d, "expected a number at '%s'", *text);
    unsigned long n = strtoul(*text, &end, 10);
    if (n > 64)
        fail(d, "%lu is out of range", n);
    *text = end;
    return (unsigned)n;
}

/* start+length[:start+length...] */
static void parse_parts(const struct decoder *d, struct field *field, const char *text)
{
    unsigned total = 0;
    for (;;) {
        if (field->n_parts == MAX_PARTS)
            fail(d, "field '%s' has too many parts", field->name);
        struct part *part = &field->parts[field->n_parts++];
        part->start = parse_number(d, &text);
        if (*text++ != '+')
            fail(d, "field '%s': expected start+length", field->name);
        part->length = parse_number(d, &text);
        total += part->length;
        if (!part->length || part->start + part->length > d->width || total > 32)
            fail(d, "field '%s' does not fit", field->name);
        if (!*text)
            return;
        if (*text++ != ':')
            fail(d, "field '%s': expected ':' between parts", field->name);
    }
}

/* field NAME = PARTS [signed] [fn=FUNCTION] */
static void parse_field(struct decoder *d, char **tokens, unsigned n)
{
    if (n < 4 || !is_name(tokens[1]) || strcmp(tokens[2], "="))
        fail(d, "expected: field NAME = start+length[:start+length...] [signed] [fn=FUNCTION]");
    struct field *field = zalloc(sizeof(*field));
    field->name = copy(tokens[1]);
    parse_parts(d, field, tokens[3]);
    for (unsigned i = 4; i < n; i++) {
        if (!strcmp(tokens[i], "signed"))
            field->is_signed = true;
        else if (!strncmp(tokens[i], "fn=", 3) && is_name(tokens[i] + 3))
            field->function = copy(tokens[i] + 3);
        else
            fail(d, "field '%s': what is '%s'?", field->name, tokens[i]);
    }
    if (field->function) {
        bool known = false;
        for (size_t i = 0; i < d->functions.n; i++)
            known |= !strcmp(d->functions.items[i], field->function);
        if (!known)
            list_add(&d->functions, copy(field->function));
    }
    add_new(d, &d->fields, "field", field);
}

/* args NAME = MEMBER... */
static void parse_args(struct decoder *d, char **tokens, unsigned n)
{
    if (n < 3 || !is_name(tokens[1]) || strcmp(tokens[2], "="))
        fail(d, "expected: args NAME = MEMBER...");
    struct arg_set *set = zalloc(sizeof(*set));
    set->name = copy(tokens[1]);
    for (unsigned i = 3; i < n; i++) {
        if (set->n_members == MAX_MEMBERS || !is_name(tokens[i]))
            fail(d, "args '%s': bad member '%s'", set->name, tokens[i]);
        for (unsigned j = 0; j < set->n_members; j++)
            if (!strcmp(set->members[j], tokens[i]))
                fail(d, "args '%s': member '%s' twice", set->name, tokens[i]);
        set->members[set->n_members++] = copy(tokens[i]);
    }
    add_new(d, &d->sets, "argument set", set);
}

/* ---- patterns ------------------------------------------------------------------------------- */

static void add_value(const struct decoder *d, struct pattern *p, struct field *value)
{
    for (unsigned i = 0; i < p->n_values; i++)
        if (!strcmp(p->values[i]->name, value->name))
            fail(d, "'%s' is assigned twice", value->name);
    if (p->n_values == MAX_MEMBERS)
        fail(d, "too many assignments");
    p->values[p->n_values++] = value;
}

/* name=%field, name=NUMBER */
static void parse_assignment(struct decoder *d, struct pattern *p, char *token)
{
    char *equal = strchr(token, '='), *end;
    *equal = 0;
    struct field *value = zalloc(sizeof(*value));
    if (equal[1] == '%') {
        *value = *(struct field *)find_or_fail(d, &d->fields, "field", equal + 2);
    } else {
        value->is_constant = true;
        value->constant = strtol(equal + 1, &end, 0);
        if (end == equal + 1 || *end)
            fail(d, "'%s': expected a number or %%field", equal + 1);
    }
    value->name = copy(token);
    add_value(d, p, value);
}

/* A piece of the bit pattern: returns false if the token is none. `position` counts down. */
static bool parse_bits(struct decoder *d, struct pattern *p, const char *token, unsigned *position)
{
    const char *colon = strchr(token, ':');
    if (colon && (isalpha((unsigned char)*token) || *token == '_')) {
        struct field *value = zalloc(sizeof(*value));
        const char *length = colon + 1;
        value->name = must(strndup(token, (size_t)(colon - token)));
        value->is_signed = *length == 's';
        length += value->is_signed;
        unsigned n = parse_number(d, &length);
        if (*length || !n || n > *position || !is_name(value->name))
            fail(d, "bad in-place field '%s'", token);
        *position -= n;
        value->parts[0] = (struct part){*position, n};
        value->n_parts = 1;
        p->in_field |= low_mask(n) << *position;
        add_value(d, p, value);
        return true;
    }
    if (!strchr("01.-(", *token))
        return false;
    while (*token) {
        if (!*position)
            fail(d, "the pattern is longer than %u bits", d->width);
        uint32_t bit = UINT32_C(1) << --*position;
        if (*token == '0' || *token == '1') {
            p->fixed_mask |= bit;
            p->fixed_bits |= *token == '1' ? bit : 0;
        } else if (*token == '-') {
            p->ignored |= bit;
        } else if (*token == '(' && (token[1] == '0' || token[1] == '1') && token[2] == ')') {
            p->should_mask |= bit;
            p->should_bits |= token[1] == '1' ? bit : 0;
            token += 2;
        } else if (*token != '.') {
            fail(d, "'%s' is not a bit pattern", token);
        }
        token++;
    }
    return true;
}

/* Puts a format under a row. What the row says about a bit wins. */
static void apply_format(const struct decoder *d, struct pattern *p, const struct format *format)
{
    const struct pattern *f = &format->pattern;
    uint32_t own = p->fixed_mask | p->should_mask | p->ignored | p->in_field;
    if ((p->fixed_mask & f->fixed_mask) & (p->fixed_bits ^ f->fixed_bits))
        fail(d, "the row contradicts fixed bits of format '%s'", format->name);
    p->fixed_mask |= f->fixed_mask & ~own;
    p->fixed_bits |= f->fixed_bits & ~own;
    p->should_mask |= f->should_mask & ~own;
    p->should_bits |= f->should_bits & ~own;
    p->ignored |= f->ignored & ~own;
    p->in_field |= f->in_field;
    if (!p->set)
        p->set = f->set;
    for (unsigned i = 0; i < f->n_values; i++)
        add_value(d, p, f->values[i]);
}

/* Tokens of a row or format from `first` on; stops at '!'. Returns the index reached. */
static unsigned parse_pattern(struct decoder *d, struct pattern *p, char **tokens, unsigned first,
                              unsigned n, struct format **format)
{
    unsigned position = d->width, i = first;
    for (; i < n && strcmp(tokens[i], "!"); i++) {
        char *token = tokens[i];
        if (*token == '@' && format)
            *format = find_or_fail(d, &d->formats, "format", token + 1);
        else if (*token == '&')
            p->set = find_or_fail(d, &d->sets, "argument set", token + 1);
        else if (strchr(token, '='))
            parse_assignment(d, p, token);
        else if (!parse_bits(d, p, token, &position))
            fail(d, "what is '%s'?", token);
    }
    if (position)
        fail(d, "the pattern has %u bits instead of %u", d->width - position, d->width);
    return i;
}

/* format NAME &set PATTERN... [member=value...] */
static void parse_format(struct decoder *d, char **tokens, unsigned n)
{
    if (n < 3 || !is_name(tokens[1]))
        fail(d, "expected: format NAME [&args] PATTERN...");
    struct format *format = zalloc(sizeof(*format));
    format->name = copy(tokens[1]);
    if (parse_pattern(d, &format->pattern, tokens, 2, n, NULL) != n)
        fail(d, "a format takes no annotations");
    add_new(d, &d->formats, "format", format);
}

static void check_complete(const struct decoder *d, struct row *row)
{
    struct pattern *p = &row->pattern;
    uint32_t covered = p->fixed_mask | p->should_mask | p->ignored | p->in_field;
    if (!p->set && !p->n_values)
        p->set = find(&d->sets, "empty");
    if (!p->set)
        fail(d, "row '%s' has fields but no &args", row->name);
    p->set->used = true;
    for (unsigned i = 0; i < p->n_values; i++) {
        bool known = false;
        for (unsigned j = 0; j < p->set->n_members; j++)
            known |= !strcmp(p->set->members[j], p->values[i]->name);
        if (!known)
            fail(d, "row '%s': &%s has no member '%s'", row->name, p->set->name,
                 p->values[i]->name);
        for (unsigned j = 0; j < p->values[i]->n_parts; j++)
            covered |= low_mask(p->values[i]->parts[j].length) << p->values[i]->parts[j].start;
    }
    if (p->n_values != p->set->n_members) {
        for (unsigned j = 0; j < p->set->n_members; j++) {
            bool given = false;
            for (unsigned i = 0; i < p->n_values; i++)
                given |= !strcmp(p->set->members[j], p->values[i]->name);
            if (!given)
                fail(d, "row '%s' does not give '%s' of &%s", row->name, p->set->members[j],
                     p->set->name);
        }
    }
    uint32_t missing = low_mask(d->width) & ~covered;
    if (missing)
        fail(d, "row '%s': bits %#x are neither fixed, ignored nor in a field", row->name, missing);
}

/* NAME PATTERN... [@format] [&args] [member=value...] [! annotation...] */
static void parse_row(struct decoder *d, char **tokens, unsigned n)
{
    struct row *row = zalloc(sizeof(*row));
    struct format *format = NULL;
    row->name = copy(tokens[0]);
    row->file = d->file;
    row->line = d->line;
    row->group = d->group;
    unsigned i = parse_pattern(d, &row->pattern, tokens, 1, n, &format);
    for (i++; i < n; i++) {
        unsigned k = 0;
        while (k < N_ANNOTATIONS && strcmp(annotation_names[k], tokens[i]))
            k++;
        if (k < N_ANNOTATIONS) {
            row->annotations |= 1u << k;
            continue;
        }
        if (row->n_features == 4)
            fail(d, "too many features");
        row->features[row->n_features++] =
            find_or_fail(d, &d->features, "annotation or feature", tokens[i]);
    }
    if (format)
        apply_format(d, &row->pattern, format);
    check_complete(d, row);
    row->handler_first = true;
    for (size_t k = 0; k < d->rows.n; k++) {
        struct row *other = d->rows.items[k];
        if (strcmp(other->name, row->name))
            continue;
        row->handler_first = false;
        if (other->pattern.set != row->pattern.set)
            fail(d, "row '%s' has &%s here but &%s in line %u", row->name, row->pattern.set->name,
                 other->pattern.set->name, other->line);
    }
    row->index = (unsigned)d->rows.n;
    list_add(&d->rows, row);
}

/* ---- the file ------------------------------------------------------------------------------- */

static void open_group(struct decoder *d, bool ordered)
{
    struct group *group = zalloc(sizeof(*group));
    group->parent = d->group;
    group->ordered = ordered;
    group->depth = d->group ? d->group->depth + 1 : 0;
    group->line = d->line;
    d->group = group;
}

static void close_group(struct decoder *d, bool ordered)
{
    if (!d->group->parent || d->group->ordered != ordered)
        fail(d, "'%c' closes nothing", ordered ? '}' : ']');
    /* An ordered group is a list of alternatives; each inner group is one of them. */
    d->group = d->group->parent;
}

static void parse_table(struct decoder *d, char **tokens, unsigned n)
{
    if (n != 3 || !is_name(tokens[1]) || d->table)
        fail(d, "expected once: table NAME WIDTH");
    const char *number = tokens[2];
    d->width = parse_number(d, &number);
    if (d->width != 16 && d->width != 32)
        fail(d, "the width must be 16 or 32");
    d->table = copy(tokens[1]);
}

/* feature NAME = C expression in terms of x */
static void parse_feature(struct decoder *d, const char *line)
{
    char name[64];
    int used = 0;
    if (sscanf(line, " feature %63[A-Za-z0-9_] = %n", name, &used) < 1 || !used || !line[used])
        fail(d, "expected: feature NAME = C expression");
    struct feature *feature = zalloc(sizeof(*feature));
    feature->name = copy(name);
    feature->expression = copy(line + used);
    add_new(d, &d->features, "feature", feature);
}

static void parse_file(struct decoder *d, const char *path);

static void parse_include(struct decoder *d, char **tokens, unsigned n)
{
    char path[4096];
    const char *slash = strrchr(d->file, '/');
    if (n != 2)
        fail(d, "expected: include FILE");
    snprintf(path, sizeof(path), "%.*s%s", slash ? (int)(slash - d->file + 1) : 0, d->file,
             tokens[1]);
    const char *file = d->file;
    unsigned line = d->line;
    parse_file(d, path);
    d->file = file;
    d->line = line;
}

static void parse_line(struct decoder *d, char *line)
{
    static const struct {
        const char *word;
        void (*parse)(struct decoder *d, char **tokens, unsigned n);
    } keywords[] = {
        {"table", parse_table}, {"include", parse_include}, {"field", parse_field},
        {"args", parse_args},   {"format", parse_format},
    };
    char *tokens[MAX_TOKENS], *whole = copy(line);
    unsigned n = 0;
    for (char *t = strtok(line, " \t"); t; t = strtok(NULL, " \t")) {
        if (n == MAX_TOKENS)
            fail(d, "the line is too long");
        tokens[n++] = t;
    }
    if (!n)
        return;
    if (!strcmp(tokens[0], "feature")) {
        parse_feature(d, whole);
        return;
    }
    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
        if (!strcmp(tokens[0], keywords[i].word)) {
            keywords[i].parse(d, tokens, n);
            return;
        }
    if (!d->table)
        fail(d, "the file must begin with 'table NAME WIDTH'");
    if (n == 1 && strchr("{[", tokens[0][0]) && !tokens[0][1])
        open_group(d, tokens[0][0] == '{');
    else if (n == 1 && strchr("}]", tokens[0][0]) && !tokens[0][1])
        close_group(d, tokens[0][0] == '}');
    else if (is_name(tokens[0]))
        parse_row(d, tokens, n);
    else
        fail(d, "what is '%s'?", tokens[0]);
}

/* Joins continued lines, strips comments. */
static void parse_file(struct decoder *d, const char *path)
{
    FILE *in = fopen(path, "r");
    if (!in) {
        fprintf(stderr, "decode: %s: %s\n", path, strerror(errno));
        exit(1);
    }
    char buffer[1024], line[8192] = "";
    d->file = copy(path);
    d->line = 0;
    while (fgets(buffer, sizeof(buffer), in)) {
        d->line++;
        buffer[strcspn(buffer, "\n#")] = 0;
        size_t length = strlen(buffer);
        while (length && isspace((unsigned char)buffer[length - 1]))
            buffer[--length] = 0;
        bool continued = length && buffer[length - 1] == '\\';
        if (continued)
            buffer[length - 1] = 0;
        if (strlen(line) + length + 2 > sizeof(line))
            fail(d, "the line is too long");
        strcat(line, buffer);
        if (continued) {
            strcat(line, " ");
            continue;
        }
        parse_line(d, line);
        line[0] = 0;
    }
    fclose(in);
}

/* ---- overlap -------------------------------------------------------------------------------- */

static const struct group *common_group(const struct group *a, const struct group *b)
{
    while (a != b) {
        if (a->depth >= b->depth)
            a = a->parent;
        else
            b = b->parent;
    }
    return a;
}

/* Rows of which some word matches both must have an ordered group as their nearest common one. */
static bool check_overlaps(const struct decoder *d)
{
    bool ok = true;
    for (size_t i = 0; i < d->rows.n; i++)
        for (size_t j = i + 1; j < d->rows.n; j++) {
            const struct row *a = d->rows.items[i], *b = d->rows.items[j];
            uint32_t both = a->pattern.fixed_mask & b->pattern.fixed_mask;
            if (both & (a->pattern.fixed_bits ^ b->pattern.fixed_bits))
                continue;
            if (common_group(a->group, b->group)->ordered)
                continue;
            fprintf(stderr,
                    "%s:%u: row '%s' overlaps row '%s' (line %u), e.g. %#x, and no { } group "
                    "says which comes first\n",
                    b->file, b->line, b->name, a->name, a->line,
                    a->pattern.fixed_bits | b->pattern.fixed_bits);
            ok = false;
        }
    return ok;
}

/* ---- output --------------------------------------------------------------------------------- */

static void emit_field_value(const struct decoder *d, const struct field *f)
{
    if (f->function)
        fprintf(d->out, "%s(x, ", f->function);
    if (f->is_constant) {
        fprintf(d->out, "%ld", f->constant);
    } else {
        unsigned total = 0;
        for (unsigned i = 0; i < f->n_parts; i++)
            total += f->parts[i].length;
        if (f->is_signed)
            fprintf(d->out, "(int)((");
        else
            fprintf(d->out, "(int)(");
        unsigned shift = total;
        for (unsigned i = 0; i < f->n_parts; i++) {
            shift -= f->parts[i].length;
            fprintf(d->out, "%s((insn >> %u & %#xu) << %u)", i ? " | " : "", f->parts[i].start,
                    low_mask(f->parts[i].length), shift);
        }
        if (f->is_signed)
            fprintf(d->out, ") << %u) >> %u", 32 - total, 32 - total);
        else
            fprintf(d->out, ")");
    }
    if (f->function)
        fprintf(d->out, ")");
}

static void emit_row(const struct decoder *d, const struct row *row)
{
    const struct pattern *p = &row->pattern;
    fprintf(d->out, "static bool %s_row_%u(struct xlat *x, uint32_t insn) /* %s */\n{\n", d->table,
            row->index, row->name);
    for (unsigned i = 0; i < row->n_features; i++)
        fprintf(d->out, "    if (!(%s))\n        return false;\n", row->features[i]->expression);
    fprintf(d->out, "    struct arg_%s a;\n", p->set->name);
    for (unsigned i = 0; i < p->n_values; i++) {
        fprintf(d->out, "    a.%s = ", p->values[i]->name);
        emit_field_value(d, p->values[i]);
        fprintf(d->out, ";\n");
    }
    if (!p->n_values)
        fprintf(d->out, "    (void)insn;\n");
    fprintf(d->out, "    return DECODE_TRANS(%s)(x, &a);\n}\n", row->name);
}

static void indent(const struct decoder *d, unsigned depth)
{
    fprintf(d->out, "%*s", (int)(depth * 4), "");
}

/* The longest run of bits in mask: prefers a dense jump table. At most 8 bits. */
static struct part longest_run(uint32_t mask)
{
    struct part best = {0, 0};
    for (unsigned start = 0; start < MAX_WIDTH; start++) {
        unsigned length = 0;
        while (start + length < MAX_WIDTH && length < 8 && mask >> (start + length) & 1)
            length++;
        if (length > best.length)
            best = (struct part){start, length};
    }
    return best;
}

static void emit_tree(const struct decoder *d, struct row *const *rows, size_t n, uint32_t known,
                      unsigned depth);

static void emit_leaf(const struct decoder *d, struct row *const *rows, size_t n, uint32_t known,
                      unsigned depth)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t mask = rows[i]->pattern.fixed_mask & ~known;
        indent(d, depth);
        fprintf(d->out, "if (");
        if (mask)
            fprintf(d->out, "(insn & %#010xu) == %#010xu && ", mask,
                    rows[i]->pattern.fixed_bits & mask);
        fprintf(d->out, "%s_row_%u(x, insn))\n", d->table, rows[i]->index);
        indent(d, depth + 1);
        fprintf(d->out, "return true;\n");
    }
    indent(d, depth);
    fprintf(d->out, "return false;\n");
}

/* Rows that can still match once the bits of `part` are known to be `value`. */
static size_t filter(struct row *const *rows, size_t n, struct part part, uint32_t value,
                     struct row **out)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t mask = rows[i]->pattern.fixed_mask >> part.start & low_mask(part.length);
        uint32_t bits = rows[i]->pattern.fixed_bits >> part.start & low_mask(part.length);
        if ((value & mask) == bits)
            out[count++] = rows[i];
    }
    return count;
}

static void emit_switch(const struct decoder *d, struct row *const *rows, size_t n, uint32_t known,
                        struct part part, unsigned depth)
{
    struct row **subset = must(malloc(n * sizeof(*subset)));
    uint32_t now_known = known | low_mask(part.length) << part.start;
    indent(d, depth);
    fprintf(d->out, "switch (insn >> %u & %#xu) {\n", part.start, low_mask(part.length));
    for (uint32_t value = 0; value <= low_mask(part.length); value++) {
        size_t count = filter(rows, n, part, value, subset);
        if (!count)
            continue;
        indent(d, depth);
        fprintf(d->out, "case %#x:\n", value);
        emit_tree(d, subset, count, now_known, depth + 1);
    }
    indent(d, depth);
    fprintf(d->out, "}\n");
    indent(d, depth);
    fprintf(d->out, "return false;\n");
    free(subset);
}

/* The bit that splits the rows best: fewest duplicated, then most even. */
static bool best_bit(const struct decoder *d, struct row *const *rows, size_t n, uint32_t known,
                     struct part *best)
{
    size_t best_score = SIZE_MAX;
    for (unsigned bit = 0; bit < d->width; bit++) {
        size_t zeros = 0, ones = 0, open = 0;
        if (known >> bit & 1)
            continue;
        for (size_t i = 0; i < n; i++) {
            if (!(rows[i]->pattern.fixed_mask >> bit & 1))
                open++;
            else if (rows[i]->pattern.fixed_bits >> bit & 1)
                ones++;
            else
                zeros++;
        }
        if (open == n)
            continue;
        size_t score = open * 4 + (zeros > ones ? zeros : ones);
        if (score < best_score) {
            best_score = score;
            *best = (struct part){bit, 1};
        }
    }
    return best_score != SIZE_MAX;
}

static void emit_tree(const struct decoder *d, struct row *const *rows, size_t n, uint32_t known,
                      unsigned depth)
{
    uint32_t common = ~known;
    for (size_t i = 0; i < n; i++)
        common &= rows[i]->pattern.fixed_mask;
    struct part part = longest_run(common);
    if (n <= 2 || (!part.length && !best_bit(d, rows, n, known, &part)))
        emit_leaf(d, rows, n, known, depth);
    else
        emit_switch(d, rows, n, known, part, depth);
}

/* A number that differs when the members do, so that two tables' sets of one name are compared. */
static unsigned set_hash(const struct arg_set *set)
{
    unsigned hash = 2166136261u;
    for (unsigned i = 0; i < set->n_members; i++)
        for (const char *c = set->members[i];; c++) {
            hash = (hash ^ (unsigned char)*c) * 16777619u;
            if (!*c)
                break;
        }
    return hash;
}

static void emit_declarations(const struct decoder *d)
{
    fprintf(d->out, "#ifndef DECODE_DECLARED_%s\n#define DECODE_DECLARED_%s\n", d->table, d->table);
    fprintf(d->out, "#ifndef DECODE_HANDLER\n#define DECODE_HANDLER\n#endif\n"
                    "#ifndef DECODE_TRANS\n#define DECODE_TRANS(name) trans_##name\n#endif\n");
    for (size_t i = 0; i < d->sets.n; i++) {
        const struct arg_set *set = d->sets.items[i];
        if (!set->used)
            continue;
        fprintf(d->out, "#ifndef ARG_SET_%s\n#define ARG_SET_%s %#x\nstruct arg_%s {\n", set->name,
                set->name, set_hash(set), set->name);
        for (unsigned j = 0; j < set->n_members; j++)
            fprintf(d->out, "    int %s;\n", set->members[j]);
        fprintf(d->out,
                "};\n#elif ARG_SET_%s != %#x\n#error \"two tables differ in &%s\"\n#endif\n",
                set->name, set_hash(set), set->name);
    }
    for (size_t i = 0; i < d->rows.n; i++) {
        const struct row *row = d->rows.items[i];
        if (row->handler_first)
            fprintf(
                d->out,
                "DECODE_HANDLER bool DECODE_TRANS(%s)(struct xlat *x, const struct arg_%s *a);\n",
                row->name, row->pattern.set->name);
    }
    fprintf(d->out, "/* ROW(name, argument set) for each handler. */\n");
    fprintf(d->out, "#define DECODE_ROWS_%s(ROW) \\\n", d->table);
    for (size_t i = 0; i < d->rows.n; i++) {
        const struct row *row = d->rows.items[i];
        if (row->handler_first)
            fprintf(d->out, "    ROW(%s, %s) \\\n", row->name, row->pattern.set->name);
    }
    fprintf(d->out, "\n#endif\n\n");
}

static void emit_descriptions(const struct decoder *d)
{
    fprintf(d->out, "const struct insn_desc insns_%s[] = {\n", d->table);
    for (size_t i = 0; i < d->rows.n; i++) {
        const struct row *row = d->rows.items[i];
        const struct pattern *p = &row->pattern;
        fprintf(d->out, "    {\"%s\", \"%s\", %#010x, %#010x, %u, 0", row->name, d->table,
                p->fixed_mask | p->should_mask, p->fixed_bits | p->should_bits, d->width / 8);
        for (unsigned k = 0; k < N_ANNOTATIONS; k++)
            if (row->annotations >> k & 1)
                fprintf(d->out, " | %s", annotation_symbols[k]);
        fprintf(d->out, row->n_features ? ", \"" : ", NULL");
        for (unsigned k = 0; k < row->n_features; k++)
            fprintf(d->out, "%s%s", k ? " " : "", row->features[k]->name);
        fprintf(d->out, row->n_features ? "\"},\n" : "},\n");
    }
    fprintf(d->out, "    {NULL, NULL, 0, 0, 0, 0, NULL},\n};\n");
}

static void emit(const struct decoder *d)
{
    fprintf(d->out, "/* Generated from %s by tools/decode; see docs/decode.md. */\n", d->file);
    emit_declarations(d);
    fprintf(d->out, "#ifdef DECODE_IMPLEMENTATION\n");
    for (size_t i = 0; i < d->functions.n; i++)
        fprintf(d->out, "static int %s(struct xlat *x, int value);\n",
                (const char *)d->functions.items[i]);
    for (size_t i = 0; i < d->rows.n; i++)
        emit_row(d, d->rows.items[i]);
    fprintf(d->out, "bool decode_%s(struct xlat *x, uint32_t insn)\n{\n", d->table);
    emit_tree(d, (struct row *const *)d->rows.items, d->rows.n, ~low_mask(d->width), 1);
    fprintf(d->out, "}\n\n");
    emit_descriptions(d);
    fprintf(d->out, "#endif\n");
}

int main(int argc, char **argv)
{
    struct decoder d = {.file = "decode"};
    if (argc != 3) {
        fprintf(stderr, "usage: decode INPUT.decode OUTPUT.inc\n");
        return 1;
    }
    struct arg_set *empty = zalloc(sizeof(*empty));
    empty->name = copy("empty");
    list_add(&d.sets, empty);
    open_group(&d, false);
    parse_file(&d, argv[1]);
    if (!d.rows.n)
        fail(&d, "the table has no rows");
    if (d.group->parent) {
        d.line = d.group->line;
        fail(&d, "this group is not closed");
    }
    if (!check_overlaps(&d))
        return 1;
    d.out = fopen(argv[2], "w");
    if (d.out) {
        emit(&d);
        if (!fflush(d.out) && !ferror(d.out) && !fclose(d.out))
            return 0;
    }
    fprintf(stderr, "decode: %s: %s\n", argv[2], strerror(errno));
    remove(argv[2]);
    return 1;
}
