/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding a glyph, and making 16 rows of its 13. */
#include "host/font.h"

#include <string.h>

enum { GLYPH_ROWS = 13, ROWS_ABOVE = 1, REPLACEMENT = 0xfffd };

static const struct glyph {
    uint16_t code;
    uint8_t rows[GLYPH_ROWS];
} glyphs[] = {
#define GLYPH(code, ...) {code, {__VA_ARGS__}},
#include "host/font.def"
#undef GLYPH
};

/* They are in order. */
static const struct glyph *find(uint32_t code)
{
    unsigned from = 0, to = ARRAY_SIZE(glyphs);

    while (from < to) {
        unsigned middle = (from + to) / 2;
        if (glyphs[middle].code == code)
            return &glyphs[middle];
        if (glyphs[middle].code < code)
            from = middle + 1;
        else
            to = middle;
    }
    return NULL;
}

void font_glyph(uint32_t code, uint8_t rows[FONT_HEIGHT])
{
    const struct glyph *glyph = find(code);
    /* Lines and blocks go on to the edges, so that they meet. */
    bool to_edges = code >= 0x2500 && code < 0x25a0;

    memset(rows, 0, FONT_HEIGHT);
    if (code < ' ')
        return;
    if (!glyph)
        glyph = find(REPLACEMENT);
    for (int y = 0; y < FONT_HEIGHT; y++) {
        int from = y - ROWS_ABOVE;
        if (to_edges)
            from = MIN(MAX(from, 0), GLYPH_ROWS - 1);
        if (from >= 0 && from < GLYPH_ROWS)
            rows[y] = glyph->rows[from];
    }
}
