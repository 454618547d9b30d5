"""Policies on NumPy and Pillow alone: the code of exports to Python.

Exported files hold copies of what they need from here. Every function takes one image, and every
result equals the engine's, including random numbers.
"""

# Users read these functions in files of their own, so signatures are bare.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, var-annotated"

from __future__ import annotations

import hashlib
import math
import random
import sys
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from PIL import Image, ImageEnhance, ImageOps


class Numbers:
    """Random numbers as pure functions of seed, epoch, example and copy: Philox 4x32-10."""

    def __init__(self, seed, epoch, index, copy=0, stage=0):
        self.seed, self.epoch, self.index, self.copy, self.stage = seed, epoch, index, copy, stage

    def words(self, name, count, start=0):
        """Random 32-bit words of a named stream."""
        digest = hashlib.blake2b(f"{self.seed}:{name}".encode(), digest_size=8).digest()
        keys = [int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:], "little")]
        blocks = np.arange(start // 4, (start + count + 3) // 4, dtype=np.uint64)
        low, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
        fixed = (self.index & 0xFFFFFFFF, self.epoch, 0, self.copy | self.stage << 24)
        a, b, c, d = (np.full_like(blocks, number) for number in fixed)
        c = blocks
        for turn in range(10):
            r, s = (np.uint64((k + turn * w) & 0xFFFFFFFF)
                    for k, w in zip(keys, (0x9E3779B9, 0xBB67AE85), strict=True))  # fmt: skip
            p, q = np.uint64(0xD2511F53) * a, np.uint64(0xCD9E8D57) * c
            a, b, c, d = (q >> shift) ^ b ^ r, q & low, (p >> shift) ^ d ^ s, p & low
        words = np.stack([a, b, c, d], axis=1).reshape(-1).astype(np.uint32)
        return words[start % 4 : start % 4 + count]

    def uniform(self, name, count, start=0):
        """Numbers in [0, 1), float32."""
        words = self.words(name, count, start)
        return (words >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)

    def race(self, names, count):
        """Uniform choices among names: the largest word wins."""
        words = np.stack([self.words(f"race:{name}", count) for name in names])
        return words.argmax(axis=0)


class Step:
    """An operation at one position of a sequence, and its own random numbers."""

    def __init__(self, operation, numbers, position, fill, bilinear):
        self.kernel, self.low, self.high, self.identity = operation[1:5]
        self.unit, self.whole, self.paint = operation[5:]
        self.numbers, self.first = numbers, position << 24
        self.fill, self.bilinear = fill, bilinear

    def words(self, count, draw=1):
        """Random words, from a draw on."""
        return self.numbers.words("op", count, self.first + draw)

    def uniform(self, count, draw=1):
        """Numbers in [0, 1), float64."""
        return (self.words(count, draw) >> np.uint32(8)).astype(np.float64) * 2.0**-24

    def below(self, limit, draw):
        """A whole number below a limit."""
        return (int(self.words(1, draw)[0]) >> 8) * int(limit) >> 24

    def value(self, magnitude):
        """The value of a magnitude; a fair coin chooses the side."""
        m, low, high, identity = float(magnitude), self.low, self.high, self.identity
        if identity is None:
            value = low + (high - low) * m
        elif low < identity < high:
            end = high if self.words(1, draw=0)[0] < 2**31 else low
            value = identity + m * (end - identity)
        elif abs(low - identity) <= abs(high - identity):
            value = low + (high - low) * m
        else:
            value = high + (low - high) * m
        return float(np.rint(value)) if self.whole else value


def applied(image, sequence, space, numbers, position, fill, bilinear):
    """The image after a sequence of (operation, magnitude)."""
    for number, (operation, magnitude) in enumerate(sequence, position):
        if operation is None:
            continue
        step = Step(space[operation], numbers, number, fill, bilinear)
        value = step.value(magnitude)
        if value != step.identity:
            image = KERNELS[step.kernel](image, value, step)
    return image


def uniform(stage, numbers):
    """Operations drawn uniformly, at magnitudes in a range."""
    space, length, low, high = stage["space"], stage["length"], stage["low"], stage["high"]
    chosen = numbers.race([operation[0] for operation in space], length)
    magnitude = np.full(length, low, np.float32)
    if high > low:
        u = numbers.uniform("policy", length)
        if stage["levels"]:
            u = np.floor(u * stage["levels"]) / max(stage["levels"] - 1, 1)
        magnitude = (low + (high - low) * u).astype(np.float32)
    if stage["spread"]:
        first = numbers.uniform("policy", length, 1 << 20).astype(np.float64)
        second = numbers.uniform("policy", length, 2 << 20).astype(np.float64)
        normal = np.sqrt(-2.0 * np.log1p(-first)) * np.cos(2.0 * np.pi * second)
        magnitude = np.clip(magnitude + stage["spread"] * normal, 0.0, 1.0).astype(np.float32)
    fires = np.ones(length, bool)
    if stage["probability"] < 1:
        fires = numbers.uniform("coins", length) < stage["probability"]
    return [(int(op) if fire else None, m)
            for op, m, fire in zip(chosen, magnitude, fires, strict=True)]  # fmt: skip


def mixture(stage, numbers):
    """One of some sub-policies: steps of (operation, probability, magnitude)."""
    subpolicies, weights, chosen = stage["subpolicies"], stage["weights"], 0
    if len(subpolicies) > 1:
        u = numbers.uniform("policy", 1)
        if weights is None:
            chosen = int((u * len(subpolicies))[0])
        else:
            edges = np.cumsum(weights)
            chosen = int(np.searchsorted(edges / edges[-1], u, side="right")[0])
            chosen = min(chosen, len(subpolicies) - 1)
    coins = numbers.uniform("coins", stage["length"])
    steps = zip(subpolicies[chosen], coins, strict=False)
    return [(operation if coin < np.float32(p) else None, np.float32(m))
            for (operation, p, m), coin in steps]  # fmt: skip


def shuffled(stage, numbers):
    """Steps in random order, until the drawn number of them has fired."""
    steps, counts = stage["steps"], stage["counts"]
    u = numbers.uniform("policy", 1 + len(steps))
    edges = np.cumsum(counts)
    wanted = int(np.searchsorted(edges / edges[-1], u[:1], side="right")[0])
    coins = numbers.uniform("coins", len(steps))
    fired = []
    for number in np.argsort(u[1:], kind="stable"):
        operation, p, m = steps[number]
        if coins[number] < np.float32(p) and len(fired) < wanted:
            fired.append((operation, np.float32(m)))
    return fired


def generated(stage, numbers):
    """Operations drawn from learned categoricals, one for each position."""
    names = [operation[0] for operation in stage["space"]]
    words = np.stack([numbers.words(f"race:{name}", stage["length"]) for name in names], axis=1)
    noise = -np.log(-np.log((words + 0.5) * 2.0**-32))
    logits = np.asarray(stage["logits"], np.float32).astype(np.float64)
    return [(int(op), np.float32(1)) for op in (logits + noise).argmax(axis=1)]


def augmix(image, stage, seed, epoch, index, copy):
    """A mixture of short chains of operations (Hendrycks et al. 2020)."""
    at, width = stage["stage"], stage["width"]
    u = Numbers(seed, epoch, index, copy, at).uniform("mixing", width + 1, 16)
    share = u[width] if stage["share"] is None else np.float32(stage["share"])
    drawn = -np.log1p(-(u[:width].astype(np.float64) + 2.0**-25))
    weights = (drawn / drawn.sum()).astype(np.float32)
    names, longest = [operation[0] for operation in stage["space"]], stage["depth"] or 3
    mixed = 0.0
    for chain in range(width):
        view = copy + ((chain + 1) * 16 + at) * 65536
        numbers = Numbers(seed, epoch, index, view, at)
        chosen, u = numbers.race(names, longest), numbers.uniform("policy", longest + 1)
        magnitude = (stage["weakest"] + (stage["severity"] - stage["weakest"]) * u[1:]) / 10
        length = longest if stage["depth"] else 1 + int(np.floor(u[0] * longest))
        sequence = [(int(op), m) for op, m in zip(chosen, magnitude, strict=True)][:length]
        numbers = Numbers(seed, epoch, index, view)
        changed = applied(image, sequence, stage["space"], numbers, 0, stage["fill"],
                          stage["bilinear"])  # fmt: skip
        mixed = mixed + weights[chain] * changed
    out = (1 - share) * image + share * mixed
    return np.clip(np.rint(out), 0, 255).astype(np.uint8)


# --- operations: image (H, W, C) and value in, image out -----------------------------------------


def colours(change):
    """An operation on colours leaves alpha unchanged."""

    def kept(image, value, step):
        if image.shape[2] < 4:
            return change(image, value, step)
        changed = change(np.ascontiguousarray(image[..., :3]), value, step)
        return np.concatenate([changed, image[..., 3:]], axis=2)

    return kept


def looked_up(table):
    """An operation that looks every value up in a table of 256 entries, which its value makes."""

    def change(image, value, step):
        return table(np.array([value]))[0, 0][image]

    return change


def to_pil(image):
    """The array as a Pillow image."""
    return Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)


def from_pil(image):
    """The Pillow image as an array (H, W, C)."""
    array = np.asarray(image)
    return array[..., None] if array.ndim == 2 else array


def moved(image, matrix, step):
    """Every pixel is read at matrix (a, b, c, d, e, f) times its position."""
    height, width, channels = image.shape
    levels = step.fill if isinstance(step.fill, tuple) else (step.fill,) * channels
    mode = Image.Resampling.BILINEAR if step.bilinear else Image.Resampling.NEAREST
    size, how = (width, height), Image.Transform.AFFINE
    return by_band(
        image, lambda band, i: band.transform(size, how, matrix, mode, fillcolor=levels[i])
    )


def by_band(image, change):
    """Every channel separately: Pillow weights colours by alpha, and we do not."""
    bands = [Image.fromarray(np.ascontiguousarray(image[..., i])) for i in range(image.shape[2])]
    return np.stack([np.asarray(change(band, i)) for i, band in enumerate(bands)], axis=2)


def shear_x(image, value, step):
    """Moves rows sideways, the lower the farther."""
    ratio = math.tan(math.radians(math.degrees(math.atan(value))))
    return moved(image, (1.0, ratio, 0.0, 0.0, 1.0, 0.0), step)


def shear_y(image, value, step):
    """Moves columns up or down, the farther right the more."""
    angle = math.radians(math.degrees(math.atan(value)))
    return moved(image, (1.0, 0.0, 0.0, -math.sin(-angle) / math.cos(angle), 1.0, 0.0), step)


def whole_pixels(value, side, step):
    """Pixels, truncated to whole ones; a share is one of the side."""
    return int(np.trunc(np.float32(value * side if step.unit == "share" else value)))


def translate_x(image, value, step):
    """Moves sideways."""
    pixels = whole_pixels(value, image.shape[1], step)
    return moved(image, (1.0, 0.0, -pixels, 0.0, 1.0, 0.0), step)


def translate_y(image, value, step):
    """Moves up or down."""
    pixels = whole_pixels(value, image.shape[0], step)
    return moved(image, (1.0, 0.0, 0.0, 0.0, 1.0, -pixels), step)


def rotate(image, value, step):
    """Turns about the centre, counter-clockwise when positive."""
    cy, cx = image.shape[0] / 2.0, image.shape[1] / 2.0
    angle = -math.radians(value % 360.0)
    cos, sin = round(math.cos(angle), 15), round(math.sin(angle), 15)
    minus = round(-math.sin(angle), 15)
    c, f = (cos * -cx + sin * -cy) + cx, (minus * -cx + cos * -cy) + cy
    return moved(image, (cos, sin, c, minus, cos, f), step)


def pad_crop(image, value, step):
    """Pads all sides and cuts the old size out at a random position."""
    pad_y, pad_x = (int(np.rint(value * side)) for side in image.shape[:2])
    x = step.below(2 * pad_x + 1, draw=1) - pad_x
    y = step.below(2 * pad_y + 1, draw=2) - pad_y
    return moved(image, (1.0, 0.0, x, 0.0, 1.0, y), step)


def horizontal_flip(image, value, step):
    """Mirrors left and right."""
    return np.ascontiguousarray(image[:, ::-1])


def vertical_flip(image, value, step):
    """Mirrors top and bottom."""
    return np.ascontiguousarray(image[::-1])


def identity(image, value, step):
    """Changes nothing."""
    return image


def auto_contrast(image, value, step):
    """Stretches every channel to the full range."""
    return from_pil(ImageOps.autocontrast(to_pil(image)))


def equalize(image, value, step):
    """Makes the histogram of every channel flat."""
    return from_pil(ImageOps.equalize(to_pil(image)))


def contrast(image, value, step):
    """Blends with the mean grey."""
    return from_pil(ImageEnhance.Contrast(to_pil(image)).enhance(value))


def color(image, value, step):
    """Blends with the grey image."""
    return from_pil(ImageEnhance.Color(to_pil(image)).enhance(value))


def sharpness(image, value, step):
    """Blends with the smoothed image."""
    return from_pil(ImageEnhance.Sharpness(to_pil(image)).enhance(value))


def hue(image, value, step):
    """Turns the hue circle."""
    if image.shape[2] == 1:
        return image
    turned = np.array(to_pil(image).convert("HSV"))
    turned[..., 0] = (turned[..., 0].astype(np.int64) + int(value * 255.0)) & 255
    return np.asarray(Image.merge("HSV", [Image.fromarray(band) for band in
                                          np.moveaxis(turned, 2, 0)]).convert("RGB"))  # fmt: skip


def cutout(image, value, step):
    """Paints a square."""
    height, width = image.shape[:2]
    side = whole_pixels(value, min(height, width), step)
    left, top = step.below(width, draw=1) - side // 2, step.below(height, draw=2) - side // 2
    out = image.copy()
    out[max(top, 0) : max(top + side, 0), max(left, 0) : max(left + side, 0)] = step.paint
    return out


def random_erasing(image, value, step):
    """Fills a rectangle with noise."""
    height, width, channels = image.shape
    first, second = step.uniform(2)
    area = value * first * height * width
    ratio = math.exp(math.log(0.3) + second * (math.log(3.3) - math.log(0.3)))
    h = int(min(np.rint(math.sqrt(area * ratio)), height))
    w = int(min(np.rint(math.sqrt(area / ratio)), width))
    left, top = step.below(width - w + 1, draw=3), step.below(height - h + 1, draw=4)
    size = h * w * channels
    noise = step.words((size + 3) // 4, draw=5).astype("<u4").view(np.uint8)[:size]
    out = image.copy()
    out[top : top + h, left : left + w] = noise.reshape(h, w, channels)
    return out


def resized_crop(image, value, step):
    """Cuts a random part out, at least this share of the area, and resizes it back."""
    height, width = image.shape[:2]
    share, stretch, along_x, along_y = step.uniform(4)
    area = value + (1.0 - value) * share
    log = (2.0 * stretch - 1.0) * min(math.log(4.0 / 3.0), -math.log(area))
    w = max(1, min(width, round(width * math.sqrt(area * math.exp(log)))))
    h = max(1, min(height, round(height * math.sqrt(area * math.exp(-log)))))
    x, y = math.floor(along_x * (width - w + 1)), math.floor(along_y * (height - h + 1))
    size, mode = (width, height), Image.Resampling.BILINEAR
    return by_band(image[y : y + h, x : x + w], lambda band, _: band.resize(size, mode))


def read_at(image, x, y):
    """The image read at positions (H, W), bilinear, edges continued."""
    height, width = image.shape[:2]
    left, top = np.floor(x - 0.5), np.floor(y - 0.5)
    dx, dy = (x - 0.5 - left)[..., None], (y - 0.5 - top)[..., None]
    x0, x1 = (np.clip(left + i, 0, width - 1).astype(np.int64) for i in (0, 1))
    y0, y1 = (np.clip(top + i, 0, height - 1).astype(np.int64) for i in (0, 1))
    wide = image.astype(np.float64)
    upper = wide[y0, x0] + (wide[y0, x1] - wide[y0, x0]) * dx
    lower = wide[y1, x0] + (wide[y1, x1] - wide[y1, x0]) * dx
    return np.floor(upper + (lower - upper) * dy + 0.5).astype(np.uint8)


def centred(image):
    """Positions relative to the centre of the image, and the centre."""
    height, width = image.shape[:2]
    cy, cx = height / 2.0, width / 2.0
    x = np.broadcast_to(np.arange(width) + 0.5 - cx, (height, width))
    y = np.broadcast_to(np.arange(height)[:, None] + 0.5 - cy, (height, width))
    return x, y, cx, cy


def zoom(image, value, step):
    """Enlarges about the centre."""
    x, y, cx, cy = centred(image)
    return read_at(image, x / value + cx, y / value + cy)


def swirl(image, value, step):
    """Turns by an angle that falls off from the centre."""
    x, y, cx, cy = centred(image)
    angle = value * np.exp(-np.sqrt(x * x + y * y) / min(cx, cy))
    cos, sin = np.cos(angle), np.sin(angle)
    return read_at(image, cos * x - sin * y + cx, sin * x + cos * y + cy)


def elastic(image, value, step):
    """Moves pixels along a smooth random field: a cubic B-spline over 4 x 4 cells."""
    height, width = image.shape[:2]
    controls = (2.0 * step.uniform(98) - 1.0).reshape(2, 7, 7)
    moves = []
    for axis, side in ((0, width), (1, height)):
        lines, field = np.zeros((height, 7)), np.zeros((height, width))
        for k in range(7):
            lines += splines(height)[:, k, None] * controls[axis, k]
        for k in range(7):
            field += splines(width)[:, k] * lines[:, k, None]
        moves.append(field * (value * side))
    x, y, cx, cy = centred(image)
    return read_at(image, x + cx + moves[0], y + cy + moves[1])


def splines(side):
    """Weights (side, 7) of the control points at every pixel centre."""
    grid = (np.arange(side) + 0.5) / side * 4
    cell = np.floor(grid).astype(np.int64)
    t, weights = grid - cell, np.zeros((side, 7))
    basis = ((1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3)
    for k, part in enumerate(basis):
        weights[np.arange(side), cell + k] = part / 6.0
    return weights


def dilation(image, value, step):
    """The largest value within some steps up, down, left or right."""
    for _ in range(int(np.float32(value))):
        out = image.copy()
        np.maximum(out[:-1], image[1:], out=out[:-1])
        np.maximum(out[1:], image[:-1], out=out[1:])
        np.maximum(out[:, :-1], image[:, 1:], out=out[:, :-1])
        np.maximum(out[:, 1:], image[:, :-1], out=out[:, 1:])
        image = out
    return image


def erosion(image, value, step):
    """The smallest value within some steps."""
    return 255 - dilation(255 - image, value, step)


def blur(image, value, step):
    """Gaussian blur, edges mirrored."""
    reach = math.ceil(3.0 * value)
    offsets = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (offsets / value) ** 2)
    weights = weights / weights.sum()
    out = image.astype(np.float64)
    for axis in (0, 1):
        side = image.shape[axis]
        indices = np.arange(-reach, side + reach) % max(2 * (side - 1), 1)
        padded = out.take(np.minimum(indices, max(2 * (side - 1), 1) - indices) % side, axis=axis)
        out = np.zeros(image.shape)
        for tap, weight in enumerate(weights):
            out += weight * padded.take(np.arange(tap, tap + side), axis=axis)
    return np.clip(np.rint(out), 0, 255).astype(np.uint8)


@lru_cache
def normal_table():
    """The standard normal number of every 16-bit word."""
    quantile = NormalDist().inv_cdf
    return np.array([quantile((word + 0.5) / 2**16) for word in range(2**16)])


def noise(image, value, step):
    """Adds Gaussian noise."""
    words = step.words((image.size + 1) // 2)
    halves = np.stack([words & 0xFFFF, words >> 16], axis=1).reshape(-1)[: image.size]
    noisy = image + normal_table()[halves].reshape(image.shape) * (255.0 * value)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


KERNELS = {}


def augment(image, index=None, epoch=None, seed=None, copy=None):
    """One image after one draw: a Pillow image, or a uint8 array (H, W) or (H, W, C).

    With index, the number of the example, the draw is a function of seed, epoch and index (and of
    copy, for several views). Without it, every call draws anew. Raises ValueError for other images,
    and for numbers that are not whole.
    """
    out = pixels_of(image)
    if index is None:
        check_unnumbered(epoch, seed, copy)
        index, copy = drawn_numbers()
    epoch, seed, copy = (0 if number is None else number for number in (epoch, seed, copy))
    check_whole(seed=seed, epoch=epoch, index=index, copy=copy)
    for stage in stages_of(epoch):
        if stage["kind"] == "augmix":
            out = augmix(out, stage, seed, epoch, index, copy)
            continue
        numbers = Numbers(seed, epoch, index, copy, stage["stage"])
        sequence = SAMPLERS[stage["kind"]](stage, numbers)
        numbers = Numbers(seed, epoch, index, copy)
        out = applied(out, sequence, stage["space"], numbers, stage["position"], stage["fill"],
                      stage["bilinear"])  # fmt: skip
    out = out[..., 0] if np.ndim(image) == 2 else out
    return Image.fromarray(out) if isinstance(image, Image.Image) else out.copy()


def pixels_of(image):
    """The image as uint8 (H, W, C); other images would come back wrong."""
    expected = (
        "expected a Pillow image (L, RGB, RGBA), or a uint8 array (H, W) or (H, W, C) with 1, 3 "
        "or 4 channels"
    )
    if isinstance(image, Image.Image):
        if image.mode not in ("L", "RGB", "RGBA"):
            got = f"got a Pillow image of mode {image.mode}"
            raise ValueError(f'{got}; {expected}: use image.convert("RGB")')
    elif not isinstance(image, np.ndarray):
        raise ValueError(f"got {type(image).__name__} as an image; {expected}")
    array = np.asarray(image)
    pixels = array[..., None] if array.ndim == 2 else array
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] not in (1, 3, 4):
        hint = "; augment before images become floats" if array.dtype.kind == "f" else ""
        got = f"got {array.dtype} of shape {array.shape} as an image"
        raise ValueError(f"{got}; {expected}{hint}")
    return pixels


def check_whole(seed, epoch, index, copy):
    """Refuse numbers that would draw from other streams, or fail inside."""
    wholes = (("seed", seed, None), ("index", index, None), ("epoch", epoch, 2**32),
              ("copy", copy, 2**16))  # fmt: skip
    for name, value, end in wholes:
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not whole or (end is not None and not 0 <= value < end):
            limits = "" if end is None else f" from 0 to {end - 1}"
            raise ValueError(f"got {name}={value!r}; expected a whole number{limits}")


def check_unnumbered(epoch, seed, copy):
    """Refuse what a call without index cannot do: repeat a draw by a seed, or know its epoch."""
    remedy = "pass the number of the example, too: augment(image, index, epoch, seed)"
    if seed is not None or copy is not None:
        raise ValueError(f"got seed={seed!r}, copy={copy!r} and no index; {remedy}")
    if epoch is None and len(SCHEDULE) > 1:
        raise ValueError(f"got no epoch, but this policy changes with the epoch; {remedy}")


def drawn_numbers():
    """An index and a copy from the random state of the process: torch's, else Python's."""
    torch = sys.modules.get("torch")
    if torch is None:
        drawn = random.getrandbits(48)
    else:
        drawn = int(torch.randint(1 << 48, (), device="cpu"))
    return drawn & 0xFFFFFFFF, drawn >> 32


def stages_of(epoch):
    """The stages of an epoch: the last part of a schedule stays."""
    for last, stages in SCHEDULE[:-1]:
        if epoch < last:
            return stages
    return SCHEDULE[-1][1]


SAMPLERS = {"uniform": uniform, "mixture": mixture, "shuffled": shuffled, "generated": generated}
SCHEDULE = [(1, [])]
