"""Trained networks in use: predictions for new examples, and files for other programs."""

from automorph.inference.mask_predictions import MaskPredictions, check_new_masks, masks_beside
from automorph.inference.predictions import TABLE_ENDINGS, Predictions, check_new_file
from automorph.inference.run_export import Exported, export_model
from automorph.inference.run_predict import predict
from automorph.inference.trained_run import TrainedRun, load_run, predicts_masks
from automorph.inference.value_predictions import ValuePredictions

__all__ = [
    "TABLE_ENDINGS",
    "Exported",
    "MaskPredictions",
    "Predictions",
    "TrainedRun",
    "ValuePredictions",
    "check_new_file",
    "check_new_masks",
    "export_model",
    "load_run",
    "masks_beside",
    "predict",
    "predicts_masks",
]
