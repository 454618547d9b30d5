"""Damaged images give either pixels or one error; nothing is executed and nothing crashes."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections import Counter
from contextlib import suppress

import numpy as np
import pytest
from fuzzing import COUNT, mutated, outcomes
from PIL import Image, features

from automorph.data.image_opening import MAX_PIXELS, BadImageError, strict_pillow
from automorph.data.images import read_image

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "PPM", "TGA", "ICO", "WEBP", "JPEG2000", "AVIF")


def encoded(form, rng):
    pixels = rng.integers(0, 256, (int(rng.integers(8, 40)), 24, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, form)
    return out.getvalue()


def known():
    needs = {"WEBP": "webp", "JPEG2000": "jpg_2000", "AVIF": "avif"}
    return [form for form in FORMATS if form not in needs or features.check(needs[form])]


def test_corrupted_images_are_read_or_refused():
    rng, numbers = random.Random(0), np.random.default_rng(0)
    originals = {form: [encoded(form, numbers) for _ in range(3)] for form in known()}
    kinds: Counter[str] = Counter()

    def attempts():
        for number in range(COUNT):
            form = known()[number % len(known())]
            content = mutated(rng.choice(originals[form]), rng)

            def attempt(content=content, form=form):
                pixels = read_image(content, mode="rgb", size=(16, 16))
                assert pixels.shape == (16, 16, 3)
                kinds[form] += 1
                return "read"

            yield content, attempt

    with strict_pillow():
        ends = outcomes(attempts(), (BadImageError,))
    assert sum(ends.values()) == COUNT
    assert ends["refused: BadImageError"] > COUNT / 5


def png(width, height, data):
    def chunk(kind, content):
        crc = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + data(chunk) + chunk(b"IEND", b"")


BOMBS = {
    "too many pixels": png(60_000, 60_000, lambda c: c(b"IDAT", zlib.compress(bytes(1000)))),
    "one very long line": png(2**31 - 1, 1, lambda c: c(b"IDAT", zlib.compress(b""))),
    "a text that unpacks to 64 MiB": png(
        8, 8,
        lambda c: c(b"zTXt", b"a\0\0" + zlib.compress(bytes(2**26)))
        + c(b"IDAT", zlib.compress(bytes(8 * 9))),
    ),
    "a colour profile that unpacks to 64 MiB": png(
        8, 8,
        lambda c: c(b"iCCP", b"a\0\0" + zlib.compress(bytes(2**26)))
        + c(b"IDAT", zlib.compress(bytes(8 * 9))),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_image_bombs_take_no_memory(name):
    import tracemalloc

    assert MAX_PIXELS < 2**27
    tracemalloc.start()
    try:
        with strict_pillow(), suppress(BadImageError):
            read_image(BOMBS[name], mode="rgb", size=(8, 8))
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 2**25


def test_too_many_pixels_are_refused_with_the_reason():
    with strict_pillow(), pytest.raises(BadImageError, match="decompression bomb"):
        read_image(BOMBS["too many pixels"])
