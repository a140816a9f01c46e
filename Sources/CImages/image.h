// What both readers share.
#ifndef CIMAGES_IMAGE_H
#define CIMAGES_IMAGE_H
#include "CImages.h"

// Prepares `image` for a size and allocates `channels` bytes a pixel, three at least.
cimages_status cimages_allocate(
    cimages_image *image, uint32_t width, uint32_t height, unsigned channels, uint64_t limit);

// Sets the reason, cut to its length.
void cimages_explain(cimages_image *image, const char *reason);

#endif
