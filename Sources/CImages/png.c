#include "image.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

// Bytes of the largest chunk beside the pixels.
static const png_alloc_size_t largest_chunk = 8 << 20;
static const png_uint_32 most_chunks = 1000;

typedef struct {
    const uint8_t *next;
    size_t left;
    cimages_image *image;
    png_bytepp rows;
    cimages_status status;
} source;

static void fail(png_structp png, png_const_charp message) {
    source *from = png_get_error_ptr(png);
    if (!from->image->reason[0]) cimages_explain(from->image, message);
    longjmp(png_jmpbuf(png), 1);
}

static void ignore(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

static void read_bytes(png_structp png, png_bytep into, size_t count) {
    source *from = png_get_io_ptr(png);
    if (count > from->left) png_error(png, "the file ends too early");
    memcpy(into, from->next, count);
    from->next += count;
    from->left -= count;
}

// 16-bit grey, most significant byte first, to RGB in place, from the last pixel on.
static void spread_grey(uint8_t *pixels, size_t count) {
    for (size_t index = count; index-- > 0;) {
        const uint8_t *grey = pixels + 2 * index;
        uint8_t value = grey[0] ? 255 : grey[1];
        memset(pixels + 3 * index, value, 3);
    }
}

// Chunks that change no pixel here and that a small file can make large: profiles, texts, palettes for other screens.
static void skip_texts(png_structp png) {
    static const png_byte skipped[] = "iCCP\0iTXt\0sPLT\0tEXt\0zTXt";
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, skipped, (int)sizeof skipped / 5);
}

static void decode(png_structp png, png_infop info, source *from, uint64_t limit) {
    cimages_image *image = from->image;
    png_set_read_fn(png, from, read_bytes);
    png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
    png_set_chunk_malloc_max(png, largest_chunk);
    png_set_chunk_cache_max(png, most_chunks);
    skip_texts(png);
    png_read_info(png, info);
    png_uint_32 width = png_get_image_width(png, info), height = png_get_image_height(png, info);
    int depth = png_get_bit_depth(png, info), kind = png_get_color_type(png, info);
    int is_deep_grey = kind == PNG_COLOR_TYPE_GRAY && depth == 16;
    if (kind == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
    if (kind == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(png);
    if (!is_deep_grey) {
        png_set_strip_16(png);
        png_set_strip_alpha(png);
        if (!(kind & PNG_COLOR_MASK_COLOR)) png_set_gray_to_rgb(png);
    }
    from->status = cimages_allocate(image, width, height, 3, limit);
    if (from->status != CIMAGES_DECODED) return;
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
    size_t row = (size_t)width * (is_deep_grey ? 2 : 3);
    if (png_get_rowbytes(png, info) != row) png_error(png, "its rows are not as long as its header says");
    from->rows = calloc(height, sizeof *from->rows);
    if (!from->rows) {
        from->status = CIMAGES_NO_MEMORY;
        return;
    }
    for (png_uint_32 index = 0; index < height; index++) from->rows[index] = image->pixels + index * row;
    png_read_image(png, from->rows);
    png_read_end(png, NULL);
    if (is_deep_grey) spread_grey(image->pixels, (size_t)width * height);
}

cimages_status cimages_png(const uint8_t *bytes, size_t count, uint64_t limit, cimages_image *image) {
    memset(image, 0, sizeof *image);
    source from = {bytes, count, image, NULL, CIMAGES_NO_MEMORY};
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &from, fail, ignore);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (info) {
        if (setjmp(png_jmpbuf(png)) == 0) {
            decode(png, info, &from, limit);
        } else {
            from.status = CIMAGES_DAMAGED;
        }
    }
    png_destroy_read_struct(&png, &info, NULL);
    free(from.rows);
    if (from.status != CIMAGES_DECODED) cimages_free(image);
    return from.status;
}
