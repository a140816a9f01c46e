#!/usr/bin/env python3
"""Writes images, and what Pillow and the image processors of transformers make of them.

Usage: Tools/make_image_fixtures.py                     Tests/ExamplesTests/Fixtures/images
       Tools/make_image_fixtures.py FOLDER COUNT SEED   COUNT random images for a test that compares on the spot

`expected.json` holds digests, because values are to be the same to the bit: of the 8-bit RGB of each file, of resized
images, and of the float32 `pixel_values` of processors. Needs pillow 13 or later, numpy and transformers.
"""
import hashlib
import io
import json
import os
import pathlib
import struct
import sys
import zlib

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import numpy as np
import transformers
from PIL import Image, ImageOps

# Class, and what its preprocessor_config.json says beside it.
PROCESSORS = [
    ("ViT", {"size": {"height": 20, "width": 24}}),
    ("ViT", {"size": 17, "resample": 3, "do_rescale": False}),
    ("ViT", {"size": {"shortest_edge": 21, "longest_edge": 30}, "do_normalize": False}),
    ("ViT", {"size": {"max_height": 30, "max_width": 26}, "image_mean": 0.4, "image_std": [0.2, 0.3, 0.4]}),
    ("ViT", {"do_resize": False, "rescale_factor": 0.0078125, "image_mean": [1.0] * 3, "image_std": [1.0] * 3}),
    ("CLIP", {"size": 22, "crop_size": 19}),
    ("CLIP", {"size": {"shortest_edge": 20}, "crop_size": {"height": 33, "width": 18}, "resample": 1}),
    ("Siglip", {"size": {"height": 16, "width": 16}, "resample": 0}),
    ("Bit", {"size": {"shortest_edge": 30}, "crop_size": {"height": 24, "width": 24}, "resample": 4}),
    ("ConvNext", {"size": {"shortest_edge": 28}, "crop_pct": 0.875}),
    ("ConvNext", {"size": {"shortest_edge": 25}, "resample": 2, "crop_pct": 0.95}),
    ("ConvNext", {"size": {"shortest_edge": 384}}),
    ("DeiT", {"size": {"height": 26, "width": 26}, "crop_size": {"height": 24, "width": 24}}),
    ("Beit", {"size": 18, "do_center_crop": True, "crop_size": 16}),
    ("Segformer", {"size": {"height": 23, "width": 31}, "do_reduce_labels": True}),
    ("ViT", {"size": {"height": 15, "width": 15}, "resample": 5}),
]


def digest(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width, height, depth, kind, rows, extra=b""):
    """A PNG of raw rows, for what Pillow does not write."""
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def exif(orientation):
    return b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" + struct.pack(">HHI", orientation, 0, 0)


def scene(random, height, width, channels=3):
    """Something between a photograph and noise."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [
        127 + 120 * np.sin(x / random.uniform(2, 9) + random.uniform(0, 6)) * np.cos(y / random.uniform(2, 9))
        for _ in range(channels)
    ]
    noise = random.normal(0, random.uniform(2, 40), (height, width, channels))
    return np.clip(np.stack(waves, -1) + noise, 0, 255).astype(np.uint8)


def saved(image, **options):
    stream = io.BytesIO()
    image.save(stream, **options)
    return stream.getvalue()


def committed(random):
    """Name → bytes, one of each kind of file."""
    image = Image.fromarray(scene(random, 23, 37))
    files = {
        "rgb.png": saved(image, format="PNG", optimize=True),
        "grey.png": saved(image.convert("L"), format="PNG"),
        "grey-alpha.png": saved(image.convert("LA"), format="PNG"),
        "one-bit.png": saved(image.convert("1"), format="PNG"),
        "palette.png": saved(image.quantize(13), format="PNG"),
        "palette-transparent.png": saved(image.quantize(9), format="PNG", transparency=3),
        "one-pixel.png": saved(Image.new("RGB", (1, 1), (3, 200, 90)), format="PNG"),
        "baseline.jpg": saved(image, format="JPEG", quality=85, subsampling=2),
        "subsampled-422.jpg": saved(image, format="JPEG", quality=70, subsampling=1),
        "full-444.jpg": saved(image, format="JPEG", quality=95, subsampling=0),
        "progressive.jpg": saved(image, format="JPEG", quality=60, progressive=True),
        "grey.jpg": saved(image.convert("L"), format="JPEG"),
        "cmyk.jpg": saved(image.convert("CMYK"), format="JPEG"),
        # A name of the other kind: the content counts.
        "really-a-jpeg.png": saved(image, format="JPEG", quality=40),
    }
    alpha = np.dstack([scene(random, 12, 9), random.integers(0, 256, (12, 9), dtype=np.uint8)])
    files["rgb-alpha.png"] = saved(Image.fromarray(alpha, "RGBA"), format="PNG")
    deep = [random.integers(0, 400, 7).astype(">u2").tobytes() for _ in range(5)]
    files["grey-16.png"] = png(7, 5, 16, 0, deep)
    files["rgb-16.png"] = png(3, 4, 16, 2, [random.bytes(18) for _ in range(4)])
    files["grey-2.png"] = png(9, 3, 2, 0, [random.bytes(3) for _ in range(3)])
    files["grey-4.png"] = png(9, 3, 4, 0, [random.bytes(5) for _ in range(3)])
    palette = chunk(b"PLTE", bytes([10, 20, 30, 40, 50, 60]))
    files["palette-too-short.png"] = png(5, 1, 8, 3, [bytes([0, 1, 2, 200, 1])], palette)
    transparent = chunk(b"tRNS", bytes([0, 1, 0, 2, 0, 3]))
    files["transparent-colour.png"] = png(2, 1, 8, 2, [bytes([1, 2, 3, 4, 5, 6])], transparent)
    # Adam7: each of the seven passes has rows of its own.
    pixels = scene(random, 11, 10, 1)[..., 0]
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    rows = [row.tobytes() for top, left, down, right in passes for row in pixels[top::down, left::right] if row.size]
    header = struct.pack(">IIBBBBB", 10, 11, 8, 0, 0, 0, 1)
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    files["interlaced.png"] = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )
    small = Image.fromarray(scene(random, 5, 8))
    for orientation in range(1, 9):
        tags = Image.Exif()
        tags[0x0112] = orientation
        files[f"turned-{orientation}.jpg"] = saved(small, format="JPEG", quality=90, exif=tags.tobytes())
    files["turned-6.png"] = png(3, 2, 8, 0, [bytes([1, 2, 3]), bytes([4, 5, 6])], chunk(b"eXIf", exif(6)))
    files["turned-by-xmp.jpg"] = saved(
        small, format="JPEG", xmp=b'<x:xmpmeta><rdf:Description tiff:Orientation="8"/></x:xmpmeta>'
    )
    return files


def at_random(random, count):
    files = {}
    for index in range(count):
        height, width = (int(side) for side in np.exp(random.uniform(np.log(2), np.log(420), 2)))
        image = Image.fromarray(scene(random, height, width))
        if index % 3 == 0:
            files[f"{index}.png"] = saved(image, format="PNG")
        else:
            files[f"{index}.jpg"] = saved(
                image, format="JPEG", quality=int(random.integers(20, 98)), subsampling=int(random.integers(0, 3)),
                progressive=bool(random.integers(0, 2)))
    return files


def main():
    folder = pathlib.Path(__file__).parent.parent / "Tests/ExamplesTests/Fixtures/images"
    count, seed = None, 1
    if len(sys.argv) > 1:
        folder, count, seed = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    files = committed(random) if count is None else at_random(random, count)
    expected = {"images": [], "resized": [], "processors": []}
    for name, content in sorted(files.items()):
        (folder / name).write_bytes(content)
        upright = ImageOps.exif_transpose(Image.open(folder / name)).convert("RGB")
        size = {"width": upright.width, "height": upright.height}
        expected["images"].append({"file": name, **size, "sha256": digest(upright)})
    chosen = sorted(files) if count is not None else ["rgb.png", "grey-2.png", "baseline.jpg", "turned-5.jpg"]
    for name in chosen:
        upright = ImageOps.exif_transpose(Image.open(folder / name)).convert("RGB")
        for resample in range(6):
            for width, height in [tuple(int(side) for side in random.integers(1, 60, 2)) for _ in range(3)]:
                resized = upright.resize((width, height), resample)
                expected["resized"].append(
                    {"file": name, "resample": resample, "width": width, "height": height, "sha256": digest(resized)})
    for number, (name, settings) in enumerate(PROCESSORS):
        processor = getattr(transformers, f"{name}ImageProcessorPil")(**settings)
        case = {"class": name, "config": json.loads(processor.to_json_string()), "images": []}
        for file in chosen if count is None else chosen[number % 5 :: 5]:
            try:
                values = processor(str(folder / file), return_tensors="np")["pixel_values"][0].astype(np.float32)
            except ValueError:
                # A side of no pixels.
                continue
            case["images"].append({"file": file, "shape": list(values.shape), "sha256": digest(values)})
        expected["processors"].append(case)
    # One case a line.
    parts = [
        f"{json.dumps(key)}: [\n" + ",\n".join(map(json.dumps, cases)) + "\n]" for key, cases in expected.items()
    ]
    (folder / "expected.json").write_text("{" + ", ".join(parts) + "}\n")


main()
