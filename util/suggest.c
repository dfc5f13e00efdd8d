/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Edit distance with adjacent transpositions (optimal string alignment), in three rolling rows. */
#include "util/suggest.h"

#include <ctype.h>
#include <string.h>

enum { MAX_LENGTH = 63, CHANGE = 2, CASE_CHANGE = 1 };

static unsigned substitution(char a, char b)
{
    if (a == b)
        return 0;
    return tolower((unsigned char)a) == tolower((unsigned char)b) ? CASE_CHANGE : CHANGE;
}

unsigned suggest_distance(const char *a, const char *b)
{
    size_t a_length = strnlen(a, MAX_LENGTH), b_length = strnlen(b, MAX_LENGTH);
    unsigned rows[3][MAX_LENGTH + 1];
    unsigned *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_length; j++)
        last[j] = (unsigned)j * CHANGE;
    for (size_t i = 1; i <= a_length; i++) {
        row[0] = (unsigned)i * CHANGE;
        for (size_t j = 1; j <= b_length; j++) {
            unsigned best = last[j - 1] + substitution(a[i - 1], b[j - 1]);
            best = MIN(best, last[j] + CHANGE);
            best = MIN(best, row[j - 1] + CHANGE);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = MIN(best, before[j - 2] + CHANGE);
            row[j] = best;
        }
        unsigned *free_row = before;
        before = last;
        last = row;
        row = free_row;
    }
    return last[b_length];
}

const char *suggest_nearest(const char *word, const char *const *names)
{
    const char *nearest = NULL;
    unsigned nearest_distance = ~0u;
    for (; *names; names++) {
        unsigned distance = suggest_distance(word, *names);
        if (distance < nearest_distance) {
            nearest_distance = distance;
            nearest = *names;
        }
    }
    return nearest;
}
