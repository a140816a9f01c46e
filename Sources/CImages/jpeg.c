#include "image.h"

#include <stdio.h>

#include <jpeglib.h>

#include <jerror.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

// Scans of a progressive file. Encoders write about ten; every one costs the time of a whole image.
static const int most_scans = 64;

typedef struct {
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf back;
    cimages_image *image;
    // One row, where it is not of RGB.
    uint8_t *row;
    cimages_status status;
} reader;

static reader *reader_of(j_common_ptr info) { return info->client_data; }

static void fail(j_common_ptr info) {
    reader *self = reader_of(info);
    char text[JMSG_LENGTH_MAX];
    info->err->format_message(info, text);
    cimages_explain(self->image, info->err->msg_code == JERR_INPUT_EMPTY ? "the file ends too early" : text);
    switch (info->err->msg_code) {
    case JERR_OUT_OF_MEMORY: self->status = CIMAGES_NO_MEMORY; break;
    case JERR_BAD_PRECISION:
    case JERR_SOF_UNSUPPORTED:
    case JERR_NOT_COMPILED:
    case JERR_CONVERSION_NOTIMPL: self->status = CIMAGES_UNSUPPORTED; break;
    default: self->status = CIMAGES_DAMAGED;
    }
    longjmp(self->back, 1);
}

static void refuse(j_common_ptr info, cimages_status status, const char *reason) {
    reader *self = reader_of(info);
    cimages_explain(self->image, reason);
    self->status = status;
    longjmp(self->back, 1);
}

// Warnings behind which pixels are made up; of others every pixel is still what the file says.
static void note(j_common_ptr info, int level) {
    if (level >= 0) return;
    switch (info->err->msg_code) {
    case JWRN_JPEG_EOF: refuse(info, CIMAGES_DAMAGED, "the file ends too early");
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
    case JWRN_BOGUS_PROGRESSION:
    case JWRN_NOT_SEQUENTIAL: fail(info);
    default: break;
    }
}

static void say_nothing(j_common_ptr info) { (void)info; }

static void count_scans(j_common_ptr info) {
    if (((j_decompress_ptr)info)->input_scan_number > most_scans)
        refuse(info, CIMAGES_DAMAGED, "it has more scans than any encoder writes");
}

static void spread_grey(const uint8_t *from, uint8_t *to, size_t count) {
    for (size_t index = 0; index < count; index++) memset(to + 3 * index, from[index], 3);
}

// Inverted CMYK to RGB, rounded as Pillow does.
static void convert_cmyk(const uint8_t *from, uint8_t *to, size_t count) {
    for (size_t index = 0; index < count; index++, from += 4, to += 3) {
        int light = from[3];
        for (int channel = 0; channel < 3; channel++) {
            int product = (255 - from[channel]) * light + 128;
            int value = light - (((product >> 8) + product) >> 8);
            to[channel] = value < 0 ? 0 : (uint8_t)value;
        }
    }
}

static void decode(j_decompress_ptr info, const uint8_t *bytes, size_t count, uint64_t limit) {
    reader *self = info->client_data;
    jpeg_create_decompress(info);
    info->progress = &self->progress;
    jpeg_mem_src(info, bytes, count);
    jpeg_read_header(info, TRUE);
    if (info->data_precision != 8) refuse((j_common_ptr)info, CIMAGES_UNSUPPORTED, "its samples do not have 8 bits");
    switch (info->num_components) {
    case 1: info->out_color_space = JCS_GRAYSCALE; break;
    case 3: info->out_color_space = JCS_RGB; break;
    case 4: info->out_color_space = JCS_CMYK; break;
    default: refuse((j_common_ptr)info, CIMAGES_UNSUPPORTED, "it is neither grey nor RGB nor CMYK");
    }
    self->status = cimages_allocate(self->image, info->image_width, info->image_height, 3, limit);
    if (self->status != CIMAGES_DECODED) return;
    jpeg_start_decompress(info);
    size_t width = info->output_width;
    if (width != self->image->width || info->output_height != self->image->height)
        refuse((j_common_ptr)info, CIMAGES_DAMAGED, "its size is not what its header says");
    if (info->output_components != 3) {
        self->row = malloc(width * (size_t)info->output_components);
        if (!self->row) refuse((j_common_ptr)info, CIMAGES_NO_MEMORY, "");
    }
    while (info->output_scanline < info->output_height) {
        uint8_t *to = self->image->pixels + (size_t)info->output_scanline * width * 3;
        JSAMPROW row = self->row ? self->row : to;
        jpeg_read_scanlines(info, &row, 1);
        if (info->output_components == 1) spread_grey(row, to, width);
        if (info->output_components == 4) convert_cmyk(row, to, width);
    }
    jpeg_finish_decompress(info);
}

cimages_status cimages_jpeg(const uint8_t *bytes, size_t count, uint64_t limit, cimages_image *image) {
    memset(image, 0, sizeof *image);
    struct jpeg_decompress_struct info;
    reader self;
    memset(&info, 0, sizeof info);
    memset(&self, 0, sizeof self);
    self.image = image;
    info.client_data = &self;
    info.err = jpeg_std_error(&self.errors);
    self.errors.error_exit = fail;
    self.errors.emit_message = note;
    self.errors.output_message = say_nothing;
    self.progress.progress_monitor = count_scans;
    if (setjmp(self.back) == 0) decode(&info, bytes, count, limit);
    jpeg_destroy_decompress(&info);
    free(self.row);
    if (self.status != CIMAGES_DECODED) cimages_free(image);
    return self.status;
}
