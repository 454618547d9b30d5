"""Words that names and tables of policies share."""

from __future__ import annotations

from collections.abc import Iterable

from automorph.operations import SearchSpace, list_spaces, named_space


def space_option(space: SearchSpace, default: str) -> str:
    """The option that says which space a policy draws from; empty if it is the usual one.

    A space that differs from the one of its name says so: a name never stands for two policies.

    >>> from automorph.operations import find_operation
    >>> space = named_space("augmix")
    >>> space_option(space, "augmix"), space_option(space, "randaugment")
    ('', 'space=augmix')
    >>> space_option(space.with_operations(find_operation("Blur")), "augmix")
    'space=own:augmix'
    """
    if space.name in list_spaces() and space == named_space(space.name):
        return "" if space.name == default else f"space={space.name}"
    return f"space=own:{space.name}"


def share_text(share: float) -> str:
    """A probability as people read it.

    >>> share_text(0.5), share_text(0.125)
    ('50%', '12.5%')
    """
    return f"{100 * share:.3g}%"


def with_options(title: str, options: Iterable[str]) -> str:
    """A name with more options.

    >>> with_options("flip(p=0.3)", ["fill=128"]), with_options("flip", [])
    ('flip(p=0.3,fill=128)', 'flip')
    """
    inside = ",".join(filter(None, options))
    if not inside:
        return title
    return f"{title[:-1]},{inside})" if title.endswith(")") else f"{title}({inside})"
