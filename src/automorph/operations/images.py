"""The catalogue of image operations: unit, range, identity point and what grows with the magnitude.

Ranges are the widest that anyone uses with profit; the named spaces narrow them. Every operation
keeps shape and type of uint8 ``(H, W, C)`` images. Values that are a *share* are multiplied with
the side they move along. Where torchvision has the operation, its result on PIL images is the
meaning of ours.
"""

from __future__ import annotations

from automorph.operations.spec import Operation

_MIRROR = "mirrored objects change their meaning (digits, letters, left and right)"
_TURN = "large angles change digits and letters (6 and 9)"
_GONE = "the object can leave the image"

CATALOGUE = (
    Operation("Identity", identity=0.0, about="Changes nothing."),
    Operation(
        "ShearX", low=-0.99, high=0.99, identity=0, unit="ratio",
        about="Moves rows sideways, the lower the farther (tangent of the angle).",
    ),
    Operation(
        "ShearY", low=-0.99, high=0.99, identity=0, unit="ratio",
        about="Moves columns up or down, the farther right the more (tangent of the angle).",
    ),
    Operation(
        "TranslateX", low=-0.5, high=0.5, identity=0, unit="share", label_risk=_GONE,
        about="Moves the image sideways by whole pixels (a share is one of the width).",
    ),
    Operation(
        "TranslateY", low=-0.5, high=0.5, identity=0, unit="share", label_risk=_GONE,
        about="Moves the image up or down by whole pixels (a share is one of the height).",
    ),
    Operation(
        "Rotate", low=-135, high=135, identity=0, unit="deg", label_risk=_TURN,
        about="Turns the image about its centre, counter-clockwise when positive.",
    ),
    Operation("AutoContrast", about="Stretches every channel to the full range."),
    Operation("Equalize", about="Makes the histogram of every channel flat."),
    Operation("Invert", about="Turns every value v into 255 - v."),
    Operation(
        "Solarize", low=0, high=256, identity=256, unit="level",
        about="Inverts the values at or above a threshold.",
    ),
    Operation(
        "SolarizeAdd", low=0, high=110, identity=0, unit="level",
        about="Adds to the values below 128 and clips.",
    ),
    Operation(
        "Posterize", low=2, high=8, identity=8, unit="bits", whole=True,
        about="Keeps the upper bits of every value.",
    ),
    Operation(
        "Contrast", low=0.01, high=1.99, identity=1, unit="factor",
        about="Blends with the mean grey of the image.",
    ),
    Operation(
        "Color", low=0.01, high=1.99, identity=1, unit="factor",
        about="Blends with the grey image (saturation).",
    ),
    Operation(
        "Brightness", low=0.01, high=1.99, identity=1, unit="factor",
        about="Blends with black.",
    ),
    Operation(
        "Sharpness", low=0.01, high=1.99, identity=1, unit="factor",
        about="Blends with the smoothed image.",
    ),
    Operation(
        "Cutout", low=0, high=0.5, identity=0, unit="share", random=True, label_risk=_GONE,
        about="Greys out a square at a random centre (a share is one of the shorter side).",
    ),
    Operation(
        "SamplePairing", low=0, high=0.4, identity=0, unit="weight", random=True, partner=True,
        label_risk="a part of another example is blended in and the label is kept",
        about="Blends another image of the batch in.",
    ),
    Operation("HorizontalFlip", label_risk=_MIRROR, about="Mirrors left and right."),
    Operation("VerticalFlip", label_risk=_MIRROR, about="Mirrors top and bottom."),
    Operation(
        "PadCrop", low=0, high=0.25, identity=0, unit="share", random=True,
        about="Pads all sides and cuts the old size out at a random place.",
    ),
    Operation(
        "ResizedCrop", low=0.08, high=1, identity=1, unit="area", random=True, label_risk=_GONE,
        about="Cuts out a random part, at least this share of the area, and resizes it back.",
    ),
    Operation(
        "Hue", low=-0.5, high=0.5, identity=0, unit="turn",
        about="Turns the hue circle; grey images stay as they are.",
    ),
    Operation(
        "Zoom", low=0.5, high=2, identity=1, unit="factor",
        about="Enlarges (or shrinks) about the centre, edges continued.",
    ),
    Operation(
        "Swirl", low=-2, high=2, identity=0, unit="strength",
        about="Turns the image by an angle that falls off from the centre.",
    ),
    Operation(
        "Elastic", low=0, high=0.2, identity=0, unit="share", random=True,
        about="Moves pixels along a smooth random field (amplitude as a share of the side).",
    ),
    Operation(
        "Erosion", low=0, high=3, identity=0, unit="px", whole=True,
        about="Smallest value in the neighbourhood: bright strokes get thinner.",
    ),
    Operation(
        "Dilation", low=0, high=3, identity=0, unit="px", whole=True,
        about="Largest value in the neighbourhood: bright strokes get thicker.",
    ),
    Operation(
        "Blur", low=0, high=3, identity=0, unit="px",
        about="Gaussian blur (standard deviation).",
    ),
    Operation(
        "Noise", low=0, high=0.3, identity=0, unit="share", random=True,
        about="Adds Gaussian noise (standard deviation as a share of the full range).",
    ),
    Operation(
        "RandomErasing", low=0, high=0.4, identity=0, unit="area", random=True, label_risk=_GONE,
        about="Fills a random rectangle with noise (area up to this share).",
    ),
)  # fmt: skip

OPERATIONS = {operation.name: operation for operation in CATALOGUE}
