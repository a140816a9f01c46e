#include "image.h"

#include <stdio.h>
#include <stdlib.h>

void cimages_explain(cimages_image *image, const char *reason) {
    snprintf(image->reason, sizeof image->reason, "%s", reason);
}

cimages_status cimages_allocate(
    cimages_image *image, uint32_t width, uint32_t height, unsigned channels, uint64_t limit) {
    image->width = width;
    image->height = height;
    uint64_t pixels = (uint64_t)width * height;
    if (pixels == 0) {
        cimages_explain(image, "it has no pixels");
        return CIMAGES_DAMAGED;
    }
    if (pixels > limit) return CIMAGES_TOO_LARGE;
    image->pixels = calloc(pixels, channels < 3 ? 3 : channels);
    return image->pixels ? CIMAGES_DECODED : CIMAGES_NO_MEMORY;
}

void cimages_free(cimages_image *image) {
    free(image->pixels);
    image->pixels = NULL;
}
