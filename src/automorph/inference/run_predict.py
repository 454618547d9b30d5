"""`predict`: a trained network used on examples."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from torch import nn

from automorph.data import Dataset, split_hashes
from automorph.errors import DataError, UsageError
from automorph.inference.examples import (
    Given,
    examples_of_dataset,
    examples_of_part,
    new_examples,
    split_like_run,
)
from automorph.inference.label_predictions import LabelPredictions, thresholds_in_words
from automorph.inference.mask_predictions import MaskPredictions, class_shares
from automorph.inference.predictions import Predictions
from automorph.inference.trained_run import TrainedRun, load_run
from automorph.inference.value_predictions import ValuePredictions
from automorph.inference.views import (
    MOST_VIEWS,
    ViewChoice,
    averaged_views,
    choose_views,
    log_losses,
)
from automorph.targets import Masks, SeveralLabels, Values, check_target
from automorph.training import Encoder


def predict(
    run: str | os.PathLike[str],
    source: Any,
    *,
    part: str | None = None,
    tta: int | None = None,
    training_data: Any = None,
    precision: str | None = None,
    model: nn.Module | None = None,
    encoder: Encoder | None = None,
    device: str = "auto",
    **options: Any,
) -> Predictions:
    """Predict examples with the network of a run, reading them as in its training.

    - ``run``: a run folder of `train`, or a file of weights (a custom network and encoder are
      passed as ``model`` and ``encoder``);
    - ``source``: a ``DATA`` string, images uint8 ``(n, H, W[, C])``, a list of texts, or a
      `Dataset`. Labels are read where there are any. ``options`` are ``image``, ``text``,
      ``label``, ``subgroup``, ``window``, ``skip_bad``, ``root``, ``cache`` and ``download`` of
      `load_data`;
    - ``part``: only this part of the source, split as in the training; all options of `load_data`
      then apply. On the machine of the training, figures of the test part equal its own;
    - ``tta``: average the probabilities of so many views by the run's policy, if that was no worse
      than one view on the validation part of ``training_data`` (a ``DATA`` string or a `Dataset`;
      default: that of ``source``, if ``part`` is given);
    - ``precision``: ``fp32``, ``bf16`` or ``fp16``; default: that of the training.

    Raises `UsageError` for a folder without a trained network, `DataError` for unusable examples.
    """
    _check_views(tta)
    trained = load_run(run, model=model, encoder=encoder, precision=precision, device=device)
    check_target(trained.target, "predict")
    if tta is not None and trained.target != "classes":
        raise UsageError(
            f"got tta={tta} for a network that predicts {trained.target}; expected one of classes, "
            "whose views are compared by log-loss: leave out --tta (tta)"
        )
    if part is not None:
        given, notes = examples_of_part(trained, source, part, options)
    elif isinstance(source, Dataset):
        given, notes = examples_of_dataset(trained, source)
    else:
        given, notes = new_examples(trained, source, options)
    choice = None
    if tta is not None:
        own = source if training_data is None and part is not None else training_data
        choice = _choice(trained, own, tta, options if own is source else {})
        notes = (*notes, choice.note)
    point = trained.operating_point
    if point is not None:
        notes = (*notes, point.words)
    found = [_predicted(trained, one, choice) for one in given]
    several = trained.predicts
    kind: Callable[..., Predictions] = Predictions
    if isinstance(several, SeveralLabels):
        at = dict(zip(trained.classes, several.thresholds, strict=False))
        notes = (*notes, thresholds_in_words(at))
        kind = partial(LabelPredictions, thresholds=at)
    elif trained.target == "values":
        kind = ValuePredictions
    elif trained.target == "masks":
        height, width = trained.shape[:2]
        notes = (*notes, f"masks are {height}x{width}, the size of the images of the training")
        kind = MaskPredictions
    return kind(
        classes=trained.classes,
        examples=[name for one in given for name in one.names],
        probabilities=np.concatenate([probabilities for _, probabilities, _ in found]),
        predictions=np.concatenate([predictions for predictions, _, _ in found]),
        labels=np.concatenate([one.labels for one in given]),
        losses=np.concatenate([losses for _, _, losses in found]),
        part_names=[one.part for one in given for _ in one.names],
        subgroups=[word for one in given for word in (one.subgroups or [""] * len(one.names))],
        views=choice.views if choice is not None and choice.favoured else None,
        notes=notes,
        operating_point=point,
        metrics=trained.metrics,
    )


def _check_views(views: int | None) -> None:
    if views is not None and not (type(views) is int and 1 <= views <= MOST_VIEWS):
        raise UsageError(
            f"tta is {views!r:.40}; expected the number of views, 1 to {MOST_VIEWS}, or None"
        )


def _choice(run: TrainedRun, source: Any, views: int, options: dict[str, Any]) -> ViewChoice:
    """Compare views on the validation part of the training, which must be exactly that."""
    if source is None:
        raise UsageError(
            "views are compared on the validation part of the training, which is not given; "
            "expected the data of the training: pass them as training_data=..., or leave out tta"
        )
    data, _ = split_like_run(run, source, options)
    wanted = run.part("validation")
    if wanted is not None and split_hashes(data).get("validation") != wanted:
        raise UsageError(
            f"the validation part of {data.name} is not that of the training, so views cannot be "
            "compared on it; expected the same data and options as in training: pass them, or "
            "leave out --tta (tta)"
        )
    return choose_views(run, data.without_test(), views)


def _predicted(run: TrainedRun, given: Given, choice: ViewChoice | None) -> tuple[Any, Any, Any]:
    """Return classes ``(n,)``, probabilities ``(n, k)`` and losses ``(n,)`` of one part.

    Of masks, the predicted ones ``(n, H, W)`` and the shares of their classes.
    """
    any_class = np.maximum(given.labels, 0)
    if isinstance(run.predicts, Values):
        any_class = np.where(np.isnan(given.labels), run.predicts.mean, given.labels)
    if choice is not None and choice.favoured:
        mean = averaged_views(run, given.data, choice.policy, choice.views)
        return mean.argmax(axis=1), mean, log_losses(mean, any_class)
    seen = run.evaluate(given.data, any_class)
    finite = np.isfinite(seen.logits).reshape(len(seen.logits), -1).all(axis=1)
    if bad := int((~finite).sum()):
        raise DataError(
            f"the network predicts NaN or infinity for {bad:,} of {len(seen.logits):,} "
            "examples; expected finite numbers: check its weights, or try --precision fp32"
        )
    if isinstance(run.predicts, Masks):
        shares = class_shares(seen.predictions, len(run.classes))
        return seen.predictions, shares, seen.losses
    return seen.predictions, seen.target.probabilities(seen.logits), seen.losses
