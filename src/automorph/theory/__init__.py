"""Why an operation helps or harms: augmentation as a kernel, the linear setting, diagnostics."""

from automorph.theory.adding import add_greedily, new_part, noise_limit, one_point_gain
from automorph.theory.alignment import alignment_gain, centred_alignment
from automorph.theory.averaging import averaged, displacement, invariance_ratio, spread_matrix
from automorph.theory.chain import Chain, operation_move, reach
from automorph.theory.classifier import LinearModel, fit_linear
from automorph.theory.diagnosis import Bench, Diagnosis
from automorph.theory.evidence import best_evidence, log_evidence, range_evidence
from automorph.theory.explainer import explain, transform_of, usual_space
from automorph.theory.explanation import Explanation, Finding, Point
from automorph.theory.features import feature_map, random_convolutions
from automorph.theory.held_out import held_out_residuals
from automorph.theory.instant import diagnose_policy, instant_policy
from automorph.theory.kernels import averaged_kernel, fourier_features, gaussian_kernel
from automorph.theory.layers import (
    AveragedAt,
    Split,
    averaging_cost,
    layer_loss,
    layer_objectives,
    split_at,
)
from automorph.theory.mixup import error_slope, mixup_kappa, mixup_penalty, mixup_shrinkage
from automorph.theory.objectives import (
    Objectives,
    agreement,
    divergence,
    objectives_of,
    variance_regulariser,
)
from automorph.theory.pruning import explained_space, narrowed
from automorph.theory.ridge import Ridge, choose_penalty, fit_ridge, predicted_change, ridge_error
from automorph.theory.robust import VarianceRobust, robust_mean, worst_weights
from automorph.theory.simulation import LinearProblem, draw_problem
from automorph.theory.walks import nearest_shares, sample_states

__all__ = [
    "AveragedAt",
    "Bench",
    "Chain",
    "Diagnosis",
    "Explanation",
    "Finding",
    "LinearModel",
    "LinearProblem",
    "Objectives",
    "Point",
    "Ridge",
    "Split",
    "VarianceRobust",
    "add_greedily",
    "agreement",
    "alignment_gain",
    "averaged",
    "averaged_kernel",
    "averaging_cost",
    "best_evidence",
    "centred_alignment",
    "choose_penalty",
    "diagnose_policy",
    "displacement",
    "divergence",
    "draw_problem",
    "error_slope",
    "explain",
    "explained_space",
    "feature_map",
    "fit_linear",
    "fit_ridge",
    "fourier_features",
    "gaussian_kernel",
    "held_out_residuals",
    "instant_policy",
    "invariance_ratio",
    "layer_loss",
    "layer_objectives",
    "log_evidence",
    "mixup_kappa",
    "mixup_penalty",
    "mixup_shrinkage",
    "narrowed",
    "nearest_shares",
    "new_part",
    "noise_limit",
    "objectives_of",
    "one_point_gain",
    "operation_move",
    "predicted_change",
    "random_convolutions",
    "range_evidence",
    "reach",
    "ridge_error",
    "robust_mean",
    "sample_states",
    "split_at",
    "spread_matrix",
    "transform_of",
    "usual_space",
    "variance_regulariser",
    "worst_weights",
]
