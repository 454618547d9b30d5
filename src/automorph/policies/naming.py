"""Parts of names that policies and tables share."""

from __future__ import annotations

from collections.abc import Iterable

from automorph.operations import TEXT_DEFINITION, SearchSpace, list_spaces, named_space
from automorph.policies.rendering import Fill, follows, painting, rendering_of


def space_option(space: SearchSpace, default: str, fill: Fill | None = None) -> str:
    """Return the option that names a policy's space; empty for the default space.

    A custom space that differs from the built-in one of its name is marked, so names stay unique.
    The definition by which an operation is computed is no part of a name.
    ``fill`` is that of the policy (None: the default): it also colours operations that paint.

    >>> from automorph.operations import find_operation
    >>> space = named_space("augmix")
    >>> space_option(space, "augmix"), space_option(space, "randaugment")
    ('', 'space=augmix')
    >>> space_option(space.with_operations(find_operation("Blur")), "augmix")
    'space=own:augmix'
    """
    shown = fill is not None and fill != rendering_of(space)[0]
    given = fill if fill is not None and (shown or follows(space, fill)) else None
    if space.name in list_spaces() and space.defined_by(TEXT_DEFINITION) == (
        named_space(space.name) if given is None else painting(named_space(space.name), given)
    ):
        return "" if space.name == default else f"space={space.name}"
    return f"space=own:{space.name}"


def share_text(share: float) -> str:
    """Format a probability for people to read.

    >>> share_text(0.5), share_text(0.125)
    ('50%', '12.5%')
    """
    return f"{100 * share:.3g}%"


def with_options(title: str, options: Iterable[str]) -> str:
    """Add options to a name.

    >>> with_options("flip(p=0.3)", ["fill=128"]), with_options("flip", [])
    ('flip(p=0.3,fill=128)', 'flip')
    """
    inside = ",".join(filter(None, options))
    if not inside:
        return title
    return f"{title[:-1]},{inside})" if title.endswith(")") else f"{title}({inside})"
