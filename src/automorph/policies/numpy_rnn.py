"""The networks of learned generators in plain NumPy, so that policies work without torch.

Every row is computed separately and in a fixed order, so that the draw for an example does not
depend on its batch (a BLAS matrix product does not guarantee this).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Network = Literal["mean-field", "per-position", "lstm", "gru"]
NETWORKS: tuple[str, ...] = get_args(Network)
GATES = {"lstm": 4, "gru": 3}
"""Recurrent networks, and the number of row blocks in their matrices."""

Floats = NDArray[np.float64]
Choose = Callable[[int, Floats], NDArray[np.int64]]
"""Maps a position and its logits ``(n, K)`` to operation numbers ``(n,)``."""


def shapes(network: str, operations: int, length: int) -> dict[str, tuple[int, ...]]:
    """Return the parameter shapes of a network over K operations by name, in the order of the file.

    Recurrent networks have as many units as operations, and torch's layout: gates i, f, g, o (LSTM)
    or r, z, n (GRU).

    >>> shapes("lstm", 3, 10)["weight_ih"]
    (12, 3)
    """
    if network == "mean-field":
        return {"logits": (operations,)}
    if network == "per-position":
        return {"logits": (length, operations)}
    rows = GATES[network] * operations
    return {
        "start": (operations,),
        "weight_ih": (rows, operations),
        "weight_hh": (rows, operations),
        "bias_ih": (rows,),
        "bias_hh": (rows,),
    }


def unpacked(flat: Floats, network: str, operations: int, length: int) -> dict[str, Floats]:
    """Split a flat vector into the parameters by name."""
    parts, start = {}, 0
    for name, shape in shapes(network, operations, length).items():
        size = int(np.prod(shape))
        parts[name] = flat[start : start + size].reshape(shape)
        start += size
    return parts


def walk(
    parameters: dict[str, Floats],
    network: str,
    bound: float | None,
    n: int,
    length: int,
    choose: Choose,
) -> None:
    """Call ``choose`` at each position with its logits, which depend on the earlier choices.

    - mean field: theta, or bound * tanh(theta / bound), independent of earlier choices;
    - LSTM and GRU: bound * h_t, the state of as many units as operations after reading the previous
      operation as a one-hot vector (initially a trained vector); |h| < 1.
    """
    if network in GATES:
        _recurrent(parameters, network, bound or 1.0, n, length, choose)
        return
    logits = parameters["logits"] if bound is None else bounded(parameters["logits"], bound)
    for t in range(length):
        row = logits if logits.ndim == 1 else logits[t]
        choose(t, np.broadcast_to(row, (n, len(row))))


def bounded(logits: Floats, bound: float) -> Floats:
    """Squeeze logits into (-bound, bound), nearly unchanged around 0."""
    return np.asarray(bound * np.tanh(logits / bound))


def _recurrent(
    p: dict[str, Floats], network: str, bound: float, n: int, length: int, choose: Choose
) -> None:
    units = len(p["start"])
    h, c = np.zeros((n, units)), np.zeros((n, units))
    # The columns of the input matrix, one per operation: a one-hot vector selects its column.
    columns = np.ascontiguousarray(p["weight_ih"].T) + p["bias_ih"]
    fed = np.broadcast_to(
        _times(p["start"][None], p["weight_ih"]) + p["bias_ih"], (n, len(columns[0]))
    )
    for t in range(length):
        back = _times(h, p["weight_hh"]) + p["bias_hh"]
        if network == "lstm":
            i, f, g, o = np.split(fed + back, 4, axis=1)
            c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
            h = _sigmoid(o) * np.tanh(c)
        else:
            (r1, z1, n1), (r2, z2, n2) = np.split(fed, 3, axis=1), np.split(back, 3, axis=1)
            r, z = _sigmoid(r1 + r2), _sigmoid(z1 + z2)
            h = (1.0 - z) * np.tanh(n1 + r * n2) + z * h
        fed = columns[choose(t, bound * h)]


def _times(rows: Floats, matrix: Floats) -> Floats:
    """Return ``rows @ matrix.T`` with a summation order that does not depend on the row count."""
    out = np.zeros((len(rows), len(matrix)))
    product = np.empty_like(out)
    for k, column in enumerate(np.ascontiguousarray(matrix.T)):
        np.multiply(rows[:, k, None], column, out=product)
        out += product
    return out


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))
