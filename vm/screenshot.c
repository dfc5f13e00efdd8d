/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pictures of screens: PPM, and PNG through libpng. */
#include "vm/screenshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_LIBPNG
#include <png.h>
#endif

bool screenshot_take(struct screen *screen, struct screenshot *picture)
{
    size_t size;

    screen_refresh(screen);
    size = (size_t)screen->width * screen->height * sizeof(*picture->pixels);
    picture->width = screen->width;
    picture->height = screen->height;
    picture->pixels = malloc(size);
    if (picture->pixels)
        memcpy(picture->pixels, screen->pixels, size);
    return picture->pixels != NULL;
}

static void pack_row(const struct screenshot *picture, unsigned y, uint8_t *row)
{
    const uint32_t *pixels = picture->pixels + (size_t)y * picture->width;

    for (unsigned x = 0; x < picture->width; x++) {
        row[3 * x] = (uint8_t)(pixels[x] >> 16);
        row[3 * x + 1] = (uint8_t)(pixels[x] >> 8);
        row[3 * x + 2] = (uint8_t)pixels[x];
    }
}

static bool write_ppm(const struct screenshot *picture, FILE *out)
{
    uint8_t row[SCREEN_MAX_WIDTH * 3];

    fprintf(out, "P6\n%u %u\n255\n", picture->width, picture->height);
    for (unsigned y = 0; y < picture->height; y++) {
        pack_row(picture, y, row);
        fwrite(row, 3, picture->width, out);
    }
    return !ferror(out);
}

#ifdef HAVE_LIBPNG
static bool write_png(const struct screenshot *picture, FILE *out)
{
    uint8_t row[SCREEN_MAX_WIDTH * 3];
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png ? png_create_info_struct(png) : NULL;

    if (!info) {
        png_destroy_write_struct(&png, NULL);
        return false;
    }
    if (setjmp(png_jmpbuf(png))) {
        png_destroy_write_struct(&png, &info);
        return false;
    }
    png_init_io(png, out);
    png_set_IHDR(png, info, picture->width, picture->height, 8, PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_compression_level(png, 1); /* screens are mostly flat: more takes time for little */
    png_write_info(png, info);
    for (unsigned y = 0; y < picture->height; y++) {
        pack_row(picture, y, row);
        png_write_row(png, row);
    }
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    return true;
}
#endif

bool screenshot_write(const struct screenshot *picture, enum picture_format format, FILE *out,
                      struct error *err)
{
    bool ok;

#ifdef HAVE_LIBPNG
    ok = format == PICTURE_PNG ? write_png(picture, out) : write_ppm(picture, out);
#else
    if (format == PICTURE_PNG)
        return error_set(err, "calque was built without libpng: a name that ends with .ppm works");
    ok = write_ppm(picture, out);
#endif
    if (fflush(out) != 0 || !ok)
        return error_set_errno(err, errno, "the picture cannot be written");
    return true;
}
