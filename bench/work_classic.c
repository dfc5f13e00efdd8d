/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs in the classes of Dhrystone (records), Whetstone (mathematics) and Linpack (linear). */
#include "bench.h"

#define NO_INLINE __attribute__((noinline, noclone))

/* ---- records: structures, strings, enumerations, small procedures ---------------------------- */

enum colour { RED, GREEN, BLUE, COLOURS };

struct record {
    struct record *other;
    enum colour colour;
    int32_t count, total;
    char title[32];
};

static struct record record_a, record_b;
static int32_t table_1[50], table_2[20][20];
static char initials;

static NO_INLINE void copy_text(char *to, const char *from)
{
    while ((*to++ = *from++))
        continue;
}

static NO_INLINE int compare_text(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return (uint8_t)*a - (uint8_t)*b;
}

static NO_INLINE enum colour next_colour(enum colour colour)
{
    switch (colour) {
    case RED:
        return record_a.count > 100 ? RED : BLUE;
    case GREEN:
        return RED;
    default:
        return GREEN;
    }
}

static NO_INLINE void scale(int32_t value, int32_t by, int32_t *result)
{
    *result = value * by - (value >> 2);
}

static NO_INLINE void fill_tables(int32_t at, int32_t value)
{
    table_1[at] = value;
    table_1[at + 1] = table_1[at] + 1;
    table_1[at + 20] = at;
    for (int32_t i = at; i <= at + 1; i++)
        table_2[at][i] = at;
    table_2[at][at - 1]++;
    table_2[at + 10][at] = table_1[at];
}

static NO_INLINE int is_before(char a, char b, const char *text)
{
    int at = 0;

    while (text[at] && text[at] != b)
        at++;
    if (text[at] && a != b)
        initials = a;
    return a < b;
}

static NO_INLINE void follow(struct record *record)
{
    struct record *other = record->other;

    *other = *record;
    other->other = record;
    other->count = record->count + 5;
    other->colour = next_colour(record->colour);
    scale(other->count, 7, &other->total);
    if (other->colour == GREEN)
        copy_text(other->title, "a title that is rather long");
}

uint32_t work_records(uint32_t turns)
{
    uint32_t sum = 0;
    char title[32];

    record_a = (struct record){&record_b, RED, 1, 0, "the first record of two"};
    for (uint32_t turn = 0; turn < turns; turn++) {
        int32_t value = (int32_t)(turn % 7), result;
        copy_text(title, "the second record of two");
        record_a.colour = (enum colour)(turn % COLOURS);
        record_a.count = (int32_t)(turn & 127);
        if (compare_text(title, record_a.title) > 0)
            value++;
        while (value < 9) {
            scale(value, 5, &result);
            value += 2;
        }
        fill_tables((int32_t)(turn % 9) + 1, result);
        follow(&record_a);
        for (char c = 'a'; c <= 'd'; c++)
            if (is_before(c, 'c', record_b.title))
                result = result * 3 + 1;
        sum = mix(sum, (uint32_t)(record_b.total + result + table_1[turn % 50]));
        sum = mix(sum, (uint32_t)record_b.colour + (uint8_t)initials + (uint8_t)record_b.title[2]);
    }
    return sum;
}

/* ---- mathematics: elementary functions, arrays, procedures in double precision --------------- */

static NO_INLINE double sine(double x)
{
    double turns = (double)(int32_t)(x * 0.15915494309189535 + (x < 0 ? -0.5 : 0.5));
    double r = x - turns * 6.283185307179586, r2 = r * r, term = r, sum = r;

    for (int i = 2; i < 22; i += 2) {
        term *= -r2 / (double)(i * (i + 1));
        sum += term;
    }
    return sum;
}

static NO_INLINE double exponential(double x)
{
    double term = 1, sum = 1;
    int halved = 0;

    for (; x > 0.5 || x < -0.5; halved++)
        x *= 0.5;
    for (int i = 1; i < 14; i++) {
        term *= x / i;
        sum += term;
    }
    for (; halved; halved--)
        sum *= sum;
    return sum;
}

static NO_INLINE double logarithm(double x) /* Newton on the exponential */
{
    double y = x - 1 < 1 ? x - 1 : 1;

    for (int i = 0; i < 6; i++)
        y += 2 * (x - exponential(y)) / (x + exponential(y));
    return y;
}

static NO_INLINE void turn_array(double e[4], double t)
{
    for (int i = 0; i < 6; i++) {
        e[0] = (e[0] + e[1] + e[2] - e[3]) * t;
        e[1] = (e[0] + e[1] - e[2] + e[3]) * t;
        e[2] = (e[0] - e[1] + e[2] + e[3]) * t;
        e[3] = (-e[0] + e[1] + e[2] + e[3]) / (t + 1.5);
    }
}

uint32_t work_mathematics(uint32_t turns)
{
    double e[4] = {1.0, -1.0, -1.0, -1.0}, x = 0.5, y = 0.7, sum = 0;

    for (uint32_t turn = 0; turn < turns; turn++) {
        turn_array(e, 0.499975);
        for (int i = 0; i < 3; i++) {
            x = 0.4 * sine(x + y) + 0.3;
            y = 0.5 * sine(x - y + 1.5707963267948966) + 0.1;
        }
        x = __builtin_sqrt(exponential(logarithm(x + 1.3) / 0.75));
        for (int i = 1; i < 10; i++)
            y += i & 1 ? x / (i + y) : x * 0.125 - y * 0.25;
        sum = sum * 0.5 + x + y + e[3];
    }
    return (uint32_t)(int32_t)(sum * 65536.0);
}

/* ---- linear: a system of equations, by elimination with pivots ------------------------------- */

enum { SIZE = 32 };
static double matrix[SIZE][SIZE], right[SIZE];

static NO_INLINE void add_multiple(double *to, const double *from, double factor, int count)
{
    for (int i = 0; i < count; i++)
        to[i] += factor * from[i];
}

static void fill_system(uint32_t seed)
{
    for (int i = 0; i < SIZE; i++) {
        right[i] = 0;
        for (int j = 0; j < SIZE; j++) {
            seed = next_random(seed);
            matrix[i][j] = (double)(int32_t)seed / 2147483648.0 + (i == j ? 4 : 0);
            right[i] += matrix[i][j] * (j & 3);
        }
    }
}

static void solve_system(void)
{
    for (int k = 0; k < SIZE; k++) {
        int pivot = k;
        for (int i = k + 1; i < SIZE; i++)
            if (__builtin_fabs(matrix[i][k]) > __builtin_fabs(matrix[pivot][k]))
                pivot = i;
        for (int j = 0; j < SIZE; j++) {
            double t = matrix[k][j];
            matrix[k][j] = matrix[pivot][j];
            matrix[pivot][j] = t;
        }
        double t = right[k];
        right[k] = right[pivot];
        right[pivot] = t;
        for (int i = k + 1; i < SIZE; i++) {
            double factor = -matrix[i][k] / matrix[k][k];
            add_multiple(&matrix[i][k], &matrix[k][k], factor, SIZE - k);
            right[i] += factor * right[k];
        }
    }
    for (int k = SIZE - 1; k >= 0; k--) {
        for (int j = k + 1; j < SIZE; j++)
            right[k] -= matrix[k][j] * right[j];
        right[k] /= matrix[k][k];
    }
}

uint32_t work_linear(uint32_t turns)
{
    uint32_t sum = 0;

    for (uint32_t turn = 0; turn < turns; turn++) {
        fill_system(turn + 1);
        solve_system();
        for (int i = 0; i < SIZE; i++) /* the answer is i & 3 */
            sum = mix(sum, (uint32_t)(int32_t)(right[i] * 1000.0 + 0.5));
    }
    return sum;
}
