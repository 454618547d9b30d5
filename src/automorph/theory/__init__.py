"""The mathematics of the papers: augmentation as a kernel, and the linear setting."""

from typing import TYPE_CHECKING

from automorph import _moved
from automorph.theory.classifier import LinearModel, fit_linear
from automorph.theory.data_addition import add_greedily, new_part, noise_limit, one_point_gain
from automorph.theory.feature_averaging import (
    averaged,
    displacement,
    invariance_ratio,
    spread_matrix,
)
from automorph.theory.kernel_alignment import (
    AlignmentGain,
    AlignmentGains,
    alignment,
    alignment_gain,
    alignment_gains,
    centred_alignment,
    gain_in_words,
    target_alignment,
)
from automorph.theory.kernels import averaged_kernel, fourier_features, gaussian_kernel
from automorph.theory.layers import (
    AveragedAt,
    SplitNetwork,
    averaging_cost,
    layer_loss,
    layer_objectives,
    split_at,
)
from automorph.theory.linear_problem import LinearProblem, draw_problem
from automorph.theory.loo_residuals import held_out_residuals
from automorph.theory.marginal_likelihood import best_evidence, log_evidence, range_evidence
from automorph.theory.markov_chain import MarkovChain, operation_move, reach
from automorph.theory.markov_walks import nearest_shares, sample_states
from automorph.theory.mixup import error_slope, mixup_kappa, mixup_penalty, mixup_shrinkage
from automorph.theory.objectives import (
    Objectives,
    agreement,
    divergence,
    objectives_of,
    variance_regulariser,
)
from automorph.theory.ridge import Ridge, choose_penalty, fit_ridge, predicted_change, ridge_error
from automorph.theory.variance_dro import VarianceRobust, robust_mean, worst_weights

__all__ = [
    "AlignmentGain",
    "AlignmentGains",
    "AveragedAt",
    "LinearModel",
    "LinearProblem",
    "MarkovChain",
    "Objectives",
    "Ridge",
    "SplitNetwork",
    "VarianceRobust",
    "add_greedily",
    "agreement",
    "alignment",
    "alignment_gain",
    "alignment_gains",
    "averaged",
    "averaged_kernel",
    "averaging_cost",
    "best_evidence",
    "centred_alignment",
    "choose_penalty",
    "displacement",
    "divergence",
    "draw_problem",
    "error_slope",
    "fit_linear",
    "fit_ridge",
    "fourier_features",
    "gain_in_words",
    "gaussian_kernel",
    "held_out_residuals",
    "invariance_ratio",
    "layer_loss",
    "layer_objectives",
    "log_evidence",
    "mixup_kappa",
    "mixup_penalty",
    "mixup_shrinkage",
    "nearest_shares",
    "new_part",
    "noise_limit",
    "objectives_of",
    "one_point_gain",
    "operation_move",
    "predicted_change",
    "range_evidence",
    "reach",
    "ridge_error",
    "robust_mean",
    "sample_states",
    "split_at",
    "spread_matrix",
    "target_alignment",
    "variance_regulariser",
    "worst_weights",
]

if not TYPE_CHECKING:  # A checker would take every name for one that exists.
    __getattr__ = _moved.old_names(__name__)
