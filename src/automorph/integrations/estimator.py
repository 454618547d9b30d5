"""scikit-learn: a wrapper that trains any classifier on augmented copies of its examples."""

from __future__ import annotations

from itertools import chain
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import (
    _check_sample_weight,
    check_consistent_length,
    check_is_fitted,
    has_fit_parameter,
    validate_data,
)

from automorph.errors import UsageError
from automorph.integrations.checks import checked_whole
from automorph.integrations.image_types import need_no_others
from automorph.integrations.notes import note
from automorph.policies import Policy, are_texts, as_texts, check_domain, load_policy

_FEW_LEVELS = 16
"""Images of fewer levels have probably been scaled to another range."""
_MANY = 10_000
"""Above it, scikit-learn's ``early_stopping="auto"`` means yes."""


def _validating(estimator: Any, n: int) -> list[str]:
    """Return the options by which an estimator, or one inside it, holds out some of n examples."""
    options = estimator.get_params(deep=True)

    def holds_out(name: str, value: Any) -> bool:
        prefix, _, last = name.rpartition("__")
        stopping = f"{prefix}__early_stopping" if prefix else "early_stopping"
        if last == "early_stopping":
            return n > _MANY if value == "auto" else bool(value)
        if last == "n_iter_no_change":  # of estimators that have no option early_stopping
            return value is not None and stopping not in options
        return (last == "cv" and value != "prefit") or (last == "oob_score" and bool(value))

    return [name for name, value in options.items() if holds_out(name, value)]


def _has(name: str) -> Any:
    """Return a check whether the wrapped classifier has a method."""

    def check(self: Any) -> bool:
        inside = getattr(self, "estimator_", None) or self._inside()
        getattr(inside, name)
        return True

    return check


class AugmentedClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier that is fitted on its examples and ``copies`` augmented copies of each.

    - Images in rows, as scikit-learn stores them: ``shape`` is their (H, W) or (H, W, C),
      ``levels`` the values of black and white (``(0, 16)`` for ``load_digits``), which bound all
      values.
    - Images ``(n, H, W)`` or ``(n, H, W, C)`` of uint8 need no ``shape``; the wrapped classifier
      receives them in rows.
    - Texts are a list, an array or a column of strings, for a wrapped classifier that accepts a
      list of strings (a pipeline). Operations that need the words of the training texts are fitted
      to those that ``fit`` gets, also if the policy was fitted to others before: in
      cross-validation, they never know the texts of a test fold.
    - Vectors ``(n, d)``, for a policy of operations on vectors.

    Prediction never augments. ``policy`` is a policy or its name; policies that mix labels are
    refused. The same ``random_state`` gives the same copies.

    >>> from sklearn.datasets import load_digits
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> inside = KNeighborsClassifier()
    >>> model = AugmentedClassifier(inside, "crop", shape=(8, 8), levels=(0, 16), copies=2)
    >>> int(model.fit(X[:300], y[:300]).n_examples_)
    900
    """

    def __init__(
        self,
        estimator: Any = None,
        policy: Policy | str = "none",
        *,
        copies: int = 1,
        shape: tuple[int, ...] | None = None,
        levels: tuple[float, float] = (0.0, 255.0),
        random_state: int = 0,
    ) -> None:
        self.estimator, self.policy, self.copies = estimator, policy, copies
        self.shape, self.levels, self.random_state = shape, levels, random_state

    def _inside(self) -> Any:
        return LogisticRegression(max_iter=1000) if self.estimator is None else self.estimator

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the classifier on the examples and their augmented copies."""
        policy = load_policy(self.policy)
        need_no_others(
            policy,
            "AugmentedClassifier",
            "leave that stage out: classifiers of scikit-learn take one class for each example",
        )
        checked_whole("copies", self.copies, 0)
        checked_whole("random_state", self.random_state)
        examples, labels = self._read(X, y)
        check_consistent_length(examples, labels)
        if isinstance(examples, list):
            check_domain(policy, "text", data="X")
            policy = policy.fitted(examples)
        elif policy.space.domain == "text":
            check_domain(policy, "image", data="X")
        copies = [self._rows(examples)]
        if len(policy.space):
            copies += [self._copy(policy, examples, copy) for copy in range(1, self.copies + 1)]
        self.estimator_ = clone(self._inside())
        inside = _validating(self.estimator_, len(labels) * len(copies))
        if inside and len(copies) > 1:
            note(
                f"{', '.join(inside)}: {type(self.estimator_).__name__} holds out examples itself, "
                "and copies of them are among those that it is fitted on, so its scores are too "
                "high; put the search outside, as in GridSearchCV(AugmentedClassifier(...), ...), "
                "or turn it off"
            )
        options = {}
        if sample_weight is not None:
            if not has_fit_parameter(self.estimator_, "sample_weight"):
                raise UsageError(
                    f"got sample_weight, and {type(self.estimator_).__name__} takes none"
                )
            weights = _check_sample_weight(sample_weight, labels)
            options["sample_weight"] = np.tile(weights, len(copies))
        lists = isinstance(copies[0], list)
        together = [*chain(*copies)] if lists else np.concatenate(copies)
        self.n_examples_ = len(together)
        self.estimator_.fit(together, np.tile(labels, len(copies)), **options)
        self.classes_ = self.estimator_.classes_
        return self

    def _read(self, X: Any, y: Any) -> tuple[Any, NDArray[Any]]:
        """Return the examples in the form of policies, and their labels."""
        if are_texts(X):
            return as_texts(X).tolist(), np.asarray(y)
        if getattr(X, "ndim", 2) in (3, 4):
            images = np.asarray(X)
            self.n_features_in_ = int(np.prod(images.shape[1:]))
            return images[..., None] if images.ndim == 3 else images, np.asarray(y)
        rows, labels = validate_data(self, X, y)
        return rows, np.asarray(labels)

    def _copy(self, policy: Policy, examples: Any, copy: int) -> Any:
        """Return an augmented copy of all examples, in the form of the wrapped classifier."""
        seed = int(self.random_state)
        if isinstance(examples, list):
            return [str(text) for text in policy.augment(examples, seed=seed, copy=copy)]
        if policy.space.domain == "vector":
            examples = examples.astype(np.float64)
        if examples.ndim == 4 or policy.space.domain == "vector":
            return self._rows(policy.augment(examples, seed=seed, copy=copy))
        if self.shape is None:
            raise UsageError(
                f"got rows of {examples.shape[1]} numbers and no shape; give the shape of the "
                "images, as in shape=(8, 8), levels=(0, 16)"
            )
        low, high = self._checked_levels(examples)
        try:
            images = examples.reshape(len(examples), *self.shape)
        except (TypeError, ValueError):
            raise UsageError(
                f"got rows of {examples.shape[1]} numbers and shape={self.shape}; expected the "
                "sides of the images, (H, W) or (H, W, C), with as many pixels"
            ) from None
        bytes_ = np.rint((images - low) / (high - low) * 255).clip(0, 255).astype(np.uint8)
        batch = bytes_[..., None] if bytes_.ndim == 3 else bytes_
        out = policy.augment(np.ascontiguousarray(batch), seed=seed, copy=copy)
        rows = out.reshape(len(out), -1) / 255 * (high - low) + low
        if examples.dtype.kind in "iub":
            rows = np.rint(rows)  # A cast alone would truncate 8.97 to 8.
        return rows.astype(examples.dtype)

    def _checked_levels(self, examples: NDArray[Any]) -> tuple[float, float]:
        """Return black and white; they must bound all examples, or copies would be clipped."""
        try:
            low, high = map(float, self.levels)
        except (TypeError, ValueError):
            raise UsageError(
                f"got levels={self.levels!r}; expected two numbers, those of black and white"
            ) from None
        found = float(examples.min()), float(examples.max())
        slack = abs(high - low) / 255 / 2  # Within the rounding error.
        if low == high or found[0] < min(low, high) - slack or found[1] > max(low, high) + slack:
            raise UsageError(
                f"got values from {found[0]:.3g} to {found[1]:.3g} and levels={self.levels}; "
                "expected the values of black and white, which enclose all others. If the data "
                "was scaled beforehand, scale it inside instead: "
                "AugmentedClassifier(make_pipeline(StandardScaler(), ...), ...)"
            )
        kept = 1 + round((found[1] - found[0]) / abs(high - low) * 255)
        if kept < _FEW_LEVELS and (examples != np.rint(examples)).any():
            note(
                f"got values from {found[0]:.3g} to {found[1]:.3g} and levels={self.levels}, so "
                f"copies of images are rounded to {kept} of 256 levels; pass the values of black "
                "and white, such as levels=(0, 1)"
            )
        return low, high

    def _rows(self, examples: Any) -> Any:
        """Return the input of the wrapped classifier."""
        return examples if isinstance(examples, list) else examples.reshape(len(examples), -1)

    def _checked(self, X: Any) -> Any:
        check_is_fitted(self)
        if are_texts(X):
            return as_texts(X).tolist()
        if getattr(X, "ndim", 2) in (3, 4):
            return self._rows(np.asarray(X))
        return validate_data(self, X, reset=False)

    def predict(self, X: Any) -> Any:
        """Predict the classes of examples, without augmentation."""
        checked = self._checked(X)
        return self.estimator_.predict(checked)

    @available_if(_has("predict_proba"))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Any:
        """Predict the probabilities of the classes."""
        checked = self._checked(X)
        return self.estimator_.predict_proba(checked)

    @available_if(_has("decision_function"))  # type: ignore[untyped-decorator]
    def decision_function(self, X: Any) -> Any:
        """Return the decision scores of the classes."""
        checked = self._checked(X)
        return self.estimator_.decision_function(checked)
