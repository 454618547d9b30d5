"""The catalogue of operations on texts.

Values are the *share* of a text's words that is touched. What is protected (see
`automorph.texts`) and punctuation stay as they are.
"""

from __future__ import annotations

from automorph.space.operations import Operation

_ORDER = "the order of words can carry the meaning (not good, but bad)"
_LOST = "a word that carries the label can be lost (not, never)"


def _share(name: str, about: str, *, most: float = 0.5, label_risk: str = "") -> Operation:
    return Operation(
        name, low=0.0, high=most, identity=0.0, unit="share", domain="text", about=about,
        label_risk=label_risk,
    )  # fmt: skip


TEXT_OPERATIONS = {
    operation.name: operation
    for operation in (
        _share("Swap", "Words exchange their places, pair by pair.", label_risk=_ORDER),
        _share("Delete", "Words are left out.", label_risk=_LOST),
    )
}
