"""Metrics by their typed names, for every kind of target."""

from __future__ import annotations

import re
from collections.abc import Sequence

from automorph.errors import UsageError
from automorph.metrics.builtin import METRICS
from automorph.metrics.of_labels import LABEL_METRICS
from automorph.metrics.of_masks import MASK_METRICS
from automorph.metrics.of_values import VALUE_METRICS
from automorph.metrics.scorer import Scorer
from automorph.registry import Entry, ParsedName, Registry

OTHER_METRICS: dict[str, Registry[Entry[Scorer]]] = {
    "labels": LABEL_METRICS,
    "masks": MASK_METRICS,
    "values": VALUE_METRICS,
}
"""The metrics of other targets than classes, by kind (see `automorph.data.Annotation`)."""
DEFAULTS = {"labels": "mean-average-precision", "masks": "mean-iou", "values": "mae"}
"""The metric of these targets for which none is asked, by kind."""
_POINT = re.compile(r"@(\w+)=([^@]*)$")
_AT = re.compile(r"(\w+)(?::(.+))?@(\w+)=([\d.]+)(?::(.+))?")


def list_metrics() -> dict[str, dict[str, str]]:
    """Return a line about every metric by name and by kind of target, those of classes first.

    >>> sorted(list_metrics()["auroc"])
    ['classes', 'labels']
    """
    found: dict[str, dict[str, str]] = {}
    for kind, registry in {"classes": METRICS, **OTHER_METRICS}.items():
        for name, about in registry.about().items():
            found.setdefault(name, {})[kind] = about
    return found


def load_metric(text: str, classes: Sequence[str], kind: str = "classes") -> Scorer:
    """Return the metric of a name, for data with these classes.

    For another ``kind`` of target than classes, ``classes`` are the names of labels, of values or
    of the classes of pixels. Raises `UsageError` for an unknown name, class or option.

    >>> load_metric("sensitivity:malignant@specificity=0.8", ("benign", "malignant")).title
    'sensitivity of malignant at specificity 0.8'
    """
    if kind != "classes":
        others = OTHER_METRICS[kind]
        entry, options = others.read(_call(text, classes, others))
        return entry(tuple(classes), **options)
    entry, options = METRICS.read(_call(text, classes))
    return entry(tuple(classes), **options)


def check_metric(text: str) -> None:
    """Refuse an unknown metric, or one that lacks an option, before any data are read."""
    name = text.partition(":")[0].strip()
    if any(others.has(name) for others in OTHER_METRICS.values()):
        return
    METRICS.read(_call(text, ()))


def _call(
    text: str, classes: Sequence[str], registry: Registry[Entry[Scorer]] = METRICS
) -> ParsedName:
    """Parse a name with options; what follows a colon is a class, whatever its characters."""
    if match := _AT.fullmatch(text.strip()):
        what, first, given, at, last = match.groups()
        number = registry.parse(f"x({at})").arguments[0]
        return _needing_class(
            ParsedName(f"{what}-at-{given}", first or last, (number,), {}), text, registry
        )
    name, colon, label = text.strip().partition(":")
    if not colon or "(" in name:
        return _needing_class(registry.parse(text), text, registry)
    if classes and label not in classes and (point := _POINT.search(label)):
        raise UsageError(
            f"the metric {text!r} got {point[1]}={point[2]}; expected a number above 0 to 1, as in "
            f"{name}:CLASS@{point[1]}=0.8"
        )
    if label.endswith(")") and "(" in label and label not in classes:
        label, _, inside = label.rpartition("(")
        call = registry.parse(f"{name}({inside}")
        return ParsedName(name, label, call.arguments, call.options)
    return ParsedName(name, label, (), {})


def _needing_class(call: ParsedName, text: str, registry: Registry[Entry[Scorer]]) -> ParsedName:
    """Refuse a metric of one class without the class."""
    entry = registry.find(call.name)
    needs = entry.options and entry.options[0].name == "label" and entry.options[0].required
    named = call.variant is not None or "label" in call.options
    words = [one for one in call.arguments if not isinstance(one, int | float)]
    if needs and not named and not words:
        example = text.replace("@", ":CLASS@") if "@" in text else f"{call.name}:CLASS"
        raise UsageError(
            f"the metric {text!r} is that of one class; expected its name, as in {example}"
        )
    return call
