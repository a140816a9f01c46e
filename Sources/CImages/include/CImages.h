/// libpng and libjpeg-turbo (Debian: libpng-dev, libjpeg-dev) for Swift: PNG and JPEG files to 8-bit RGB.
///
/// Pixels are those of Pillow's `Image.open(file).convert("RGB")`: alpha is dropped, 16-bit colours are cut to their
/// high byte, 16-bit grey above 255 is white, and CMYK is taken for inverted, as Adobe writes it. Damaged files give a
/// status, never a partial image; nothing is written to stderr and nothing exits.
#ifndef CIMAGES_H
#define CIMAGES_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    CIMAGES_DECODED,
    /// The file ends too early, or its content contradicts itself.
    CIMAGES_DAMAGED,
    /// A kind of PNG or JPEG that is not read.
    CIMAGES_UNSUPPORTED,
    /// More pixels than the limit; `width` and `height` say how many.
    CIMAGES_TOO_LARGE,
    CIMAGES_NO_MEMORY
} cimages_status;

enum { CIMAGES_REASON_LENGTH = 256 };

typedef struct {
    uint32_t width;
    uint32_t height;
    /// `3 * width * height` bytes, rows from top to bottom; NULL unless decoded. Free it with `cimages_free`.
    uint8_t *_Nullable pixels;
    /// What is wrong, of a status other than CIMAGES_DECODED: text with a zero at its end.
    char reason[CIMAGES_REASON_LENGTH];
} cimages_image;

/// Decodes a PNG file of `count` bytes and at most `limit` pixels.
cimages_status cimages_png(
    const uint8_t *_Nonnull bytes, size_t count, uint64_t limit, cimages_image *_Nonnull image);

/// Decodes a JPEG file of `count` bytes and at most `limit` pixels.
cimages_status cimages_jpeg(
    const uint8_t *_Nonnull bytes, size_t count, uint64_t limit, cimages_image *_Nonnull image);

void cimages_free(cimages_image *_Nonnull image);

#ifdef __cplusplus
}
#endif
#endif
