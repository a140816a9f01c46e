"""More checkpoints from the zoo's base, fine-tuned on Debian's Fashion-MNIST: strangers to its tasks, and relatives of one."""

import array
import gzip
import os
import random
import struct

from . import examples, programs

DATASET = "/usr/share/datasets/fashion-mnist"
SIDE, TRAINED, VALIDATED, TESTED = 32, 4000, 256, 1000
KINDS = {
    "permuted-pixels": "garments whose pixels are shuffled, the same way in every picture",
    "random-labels": "garments whose labels were drawn at random",
}
RELATIVES = {
    "turned": "garments turned by a quarter", "upside-down": "garments on their heads", "negative": "garments, light and dark swapped",
    "woven": "garments whose odd columns are black",
}


def unpacked(name):
    with gzip.open(f"{DATASET}/{name}.gz") as file:
        content = file.read()
    dimensions = content[3]
    shape = struct.unpack(f">{dimensions}I", content[4 : 4 + 4 * dimensions])
    return shape, content[4 + 4 * dimensions :]


def pictures(part, count, kind, seed):
    """`count` labelled pictures as the zoo has them: three equal channels of 32 × 32 in [−1, 1], half precision."""
    (_, height, width), pixels = unpacked(f"{part}-images-idx3-ubyte")
    _, labels = unpacked(f"{part}-labels-idx1-ubyte")
    chance = random.Random(f"{seed} {part}")
    places = list(range(SIDE * SIDE))
    if kind == "permuted-pixels":
        random.Random("places").shuffle(places)
    if kind == "turned":
        places = [(SIDE - 1 - place % SIDE) * SIDE + place // SIDE for place in places]
    if kind == "upside-down":
        places.reverse()
    values = [struct.pack("<e", (value / 127.5 - 1) * (-1 if kind == "negative" else 1)) for value in range(256)]
    margin = (SIDE - height) // 2
    content, chosen = [], []
    for index in chance.sample(range(len(labels)), count):
        frame = bytearray(SIDE * SIDE)
        for row in range(height):
            start = index * height * width + row * width
            frame[(row + margin) * SIDE + margin : (row + margin) * SIDE + margin + width] = pixels[start : start + width]
        if kind == "woven":
            frame[1::2] = bytes(len(frame) // 2)
        channel = b"".join(values[frame[place]] for place in places)
        content.append(channel * 3)
        chosen.append(chance.randrange(10) if kind == "random-labels" else labels[index])
    return {
        "labels": ("I32", [count], array.array("i", chosen).tobytes()),
        "pixel_values": ("F16", [count, 3, SIDE, SIDE], b"".join(content)),
    }


def make(base, kind, folder, steps):
    """Writes `folder` as a task's folder and gives the file of its test set."""
    os.makedirs(folder)
    drawn = pictures("train", TRAINED + VALIDATED, kind, 0)
    examples.write(f"{folder}.train.safetensors", examples.rows(drawn, range(TRAINED)))
    examples.write(f"{folder}.test.safetensors", pictures("t10k", TESTED, kind, 1))
    programs.call([
        programs.SUPERMERGE, "finetune", "--base", base, "--data", f"{folder}.train.safetensors", "--output", folder,
        "--steps", str(steps), "--threads", programs.THREADS])
    examples.write(f"{folder}/validation.safetensors", examples.rows(drawn, range(TRAINED, TRAINED + VALIDATED)))
    return f"{folder}.test.safetensors"
