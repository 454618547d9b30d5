"""AutoAugment's published policies (Cubuk et al. 2018, appendix), as data.

A sub-policy reads ``Operation probability/level``. Probabilities are tenths; levels go from 0 to 9
as in torchvision: equal steps from the weakest to the strongest value.
"""

from __future__ import annotations

from automorph.policies.subpolicies import Step, SubPolicy

_SHORT = {
    "AutoC": "AutoContrast", "Bright": "Brightness", "Color": "Color", "Contrast": "Contrast",
    "Equal": "Equalize", "Invert": "Invert", "Poster": "Posterize", "Rotate": "Rotate",
    "Sharp": "Sharpness", "ShearX": "ShearX", "ShearY": "ShearY", "Solar": "Solarize",
    "TransX": "TranslateX", "TransY": "TranslateY",
}  # fmt: skip

_CIFAR10 = """
Invert 1/7 Contrast 2/6 | Rotate 7/2 TransX 3/9 | Sharp 8/1 Sharp 9/3 | ShearY 5/8 TransY 7/9
AutoC 5/8 Equal 9/2 | ShearY 2/7 Poster 3/7 | Color 4/3 Bright 6/7 | Sharp 3/9 Bright 7/9
Equal 6/5 Equal 5/1 | Contrast 6/7 Sharp 6/5 | Color 7/7 TransX 5/8 | Equal 3/7 AutoC 4/8
TransY 4/3 Sharp 2/6 | Bright 9/6 Color 2/8 | Solar 5/2 Invert 0/3 | Equal 2/0 AutoC 6/0
Equal 2/8 Equal 6/4 | Color 9/9 Equal 6/6 | AutoC 8/4 Solar 2/8 | Bright 1/3 Color 7/0
Solar 4/5 AutoC 9/3 | TransY 9/9 TransY 7/9 | AutoC 9/2 Solar 8/3 | Equal 8/8 Invert 1/3
TransY 7/9 AutoC 9/1
"""

_SVHN = """
ShearX 9/4 Invert 2/3 | ShearY 9/8 Invert 7/5 | Equal 6/5 Solar 6/6 | Invert 9/3 Equal 6/3
Equal 6/1 Rotate 9/3 | ShearX 9/4 AutoC 8/3 | ShearY 9/8 Invert 4/5 | ShearY 9/5 Solar 2/6
Invert 9/6 AutoC 8/1 | Equal 6/3 Rotate 9/3 | ShearX 9/4 Solar 3/3 | ShearY 8/8 Invert 7/4
Equal 9/5 TransY 6/6 | Invert 9/4 Equal 6/7 | Contrast 3/3 Rotate 8/4 | Invert 8/5 TransY 0/2
ShearY 7/6 Solar 4/8 | Invert 6/4 Rotate 8/4 | ShearY 3/7 TransX 9/3 | ShearX 1/6 Invert 6/5
Solar 7/2 TransY 6/7 | ShearY 8/4 Invert 8/8 | ShearX 7/9 TransY 8/3 | ShearY 8/5 AutoC 7/3
ShearX 7/2 Invert 1/5
"""

_IMAGENET = """
Poster 4/8 Rotate 6/9 | Solar 6/5 AutoC 6/5 | Equal 8/8 Equal 6/3 | Poster 6/7 Poster 6/6
Equal 4/7 Solar 2/4 | Equal 4/4 Rotate 8/8 | Solar 6/3 Equal 6/7 | Poster 8/5 Equal 10/2
Rotate 2/3 Solar 6/8 | Equal 6/8 Poster 4/6 | Rotate 8/8 Color 4/0 | Rotate 4/9 Equal 6/2
Equal 0/7 Equal 8/8 | Invert 6/4 Equal 10/8 | Color 6/4 Contrast 10/8 | Rotate 8/8 Color 10/2
Color 8/8 Solar 8/7 | Sharp 4/7 Invert 6/8 | ShearX 6/5 Equal 10/9 | Color 4/0 Equal 6/3
Equal 4/7 Solar 2/4 | Solar 6/5 AutoC 6/5 | Invert 6/4 Equal 10/8 | Color 6/4 Contrast 10/8
Equal 8/8 Equal 6/3
"""

TABLES = {"cifar10": _CIFAR10, "svhn": _SVHN, "imagenet": _IMAGENET}


def published_subpolicies(name: str) -> tuple[SubPolicy, ...]:
    """Return the 25 sub-policies of a published policy: ``cifar10``, ``svhn`` or ``imagenet``.

    >>> published_subpolicies("cifar10")[1]
    (Step(operation='Rotate', probability=0.7, magnitude=0.2222222222222222), \
Step(operation='TranslateX', probability=0.3, magnitude=1.0))
    """
    entries = TABLES[name].replace("\n", "|").strip("|").split("|")
    return tuple(_subpolicy(entry.split()) for entry in entries)


def _subpolicy(words: list[str]) -> SubPolicy:
    return tuple(
        _step(operation, setting)
        for operation, setting in zip(words[::2], words[1::2], strict=True)
    )


def _step(operation: str, setting: str) -> Step:
    probability, level = (int(number) for number in setting.split("/"))
    return Step(_SHORT[operation], probability / 10, level / 9)
