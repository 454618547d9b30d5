"""Policies exported as timm strings (`automorph.load_policy` reads them)."""

from __future__ import annotations

from automorph.interop.errors import refuse_operations
from automorph.interop.fidelity import EQUAL, IMPORTED, MIXED, Fidelity, alike, none
from automorph.interop.ir import NotExpressibleError
from automorph.operations import CATALOGUE
from automorph.policies import AugMix, Policy, Uniform, is_timm

NAME = "timm"
TITLE = "timm strings"

_HAS = (
    "AutoContrast", "Equalize", "Invert", "Rotate", "Posterize", "Solarize", "SolarizeAdd",
    "Color", "Contrast", "Brightness", "Sharpness", "ShearX", "ShearY", "TranslateX", "TranslateY",
)  # fmt: skip
FIDELITY: dict[str, Fidelity] = (
    {
        operation.name: EQUAL if operation.name in _HAS else none("no timm string includes it")
        for operation in CATALOGUE
    }
    | MIXED
    | IMPORTED
)
_SAME_SHEAR = Fidelity("close", 0.1, "differs in the last bit of a ratio")
_PARTS = alike("also moves by fractions of a pixel")
FIDELITY |= {"ShearX": _SAME_SHEAR, "ShearY": _SAME_SHEAR}
FIDELITY |= {"TranslateX": _PARTS, "TranslateY": _PARTS}
FIDELITY["Posterize"] = Fidelity(
    "equal", note="except one bit more here where timm keeps none, and for m4 and m7 without inc1"
)


def write_string(policy: Policy, *, strict: bool = False) -> str:
    """Write the timm string of a policy over timm's own operations and ranges.

    With ``strict``, a policy with operations that are only alike is refused.

    >>> from automorph import load_policy
    >>> write_string(load_policy("rand-m9-mstd0.5-inc1"))
    'rand-m9-mstd0.5-inc1'
    """
    plain = isinstance(policy, (Uniform, AugMix)) and policy.title
    if not plain or not is_timm(plain):
        raise NotExpressibleError(
            f"the policy {policy.name!r:.200} cannot be written as a timm string, which "
            "has only timm's own operations, ranges and magnitudes (0 to 10)",
            "start from one, as in rand-m9-mstd0.5-inc1",
        )
    try:
        refuse_operations(policy, TITLE, FIDELITY, strict=strict)
    except NotExpressibleError as error:
        # Its operations are timm's own, so none can be left out.
        raise NotExpressibleError(error.what, "leave --strict out") from None
    return plain
