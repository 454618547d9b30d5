"""Data: every source brought to uint8 arrays (or texts) with labels, split, and free of leaks.

>>> from automorph.data import load_data, split
>>> dataset = split(load_data("digits"), validation=0.2, test=0.2, seed=0)
>>> dataset.train.data.shape, dataset.train.labels.shape
((1077, 8, 8, 1), (1077,))
"""

from typing import TYPE_CHECKING

from automorph import _moved
from automorph.data.annotation import TARGET_KINDS, Annotation, TargetKind, check_kind
from automorph.data.build import assemble
from automorph.data.chosen import Chosen, Photographs, Sizing
from automorph.data.class_sizes import class_counts, expected_by_part
from automorph.data.class_values import ClassValue, class_value, is_numeric, same_names
from automorph.data.cross_validation import FEW, in_fold, with_default_folds, with_folds
from automorph.data.dataset import BadRow, Dataset, Domain, Split, open_part, open_test, strings
from automorph.data.deep_pixels import Window
from automorph.data.folds import Folds
from automorph.data.images import read_image
from automorph.data.leakage import Leakage, check_leakage, guard_leakage
from automorph.data.limits import limited
from automorph.data.loading import as_dataset, check_source, from_arrays, load_data
from automorph.data.masks import IGNORE
from automorph.data.memory_map import allocate, finish, mapped
from automorph.data.new_examples import NewExamples, read_new_examples
from automorph.data.one_label import one_label_classes
from automorph.data.pool import guard_unlabelled
from automorph.data.readers.tables import TABLE_ENDINGS, read_tables
from automorph.data.resizing import Decode, Resizing
from automorph.data.sources import SOURCES, SourceInfo, list_sources
from automorph.data.split_record import split_hashes
from automorph.data.splits import split
from automorph.data.spurious import CORRELATED, coupled
from automorph.data.together import units_of
from automorph.data.unlabelled import with_unlabelled
from automorph.data.window_record import WindowRecord

__all__ = [
    "CORRELATED",
    "FEW",
    "IGNORE",
    "SOURCES",
    "TABLE_ENDINGS",
    "TARGET_KINDS",
    "Annotation",
    "BadRow",
    "Chosen",
    "ClassValue",
    "Dataset",
    "Decode",
    "Domain",
    "Folds",
    "Leakage",
    "NewExamples",
    "Photographs",
    "Resizing",
    "Sizing",
    "SourceInfo",
    "Split",
    "TargetKind",
    "Window",
    "WindowRecord",
    "allocate",
    "as_dataset",
    "assemble",
    "check_kind",
    "check_leakage",
    "check_source",
    "class_counts",
    "class_value",
    "coupled",
    "expected_by_part",
    "finish",
    "from_arrays",
    "guard_leakage",
    "guard_unlabelled",
    "in_fold",
    "is_numeric",
    "limited",
    "list_sources",
    "load_data",
    "mapped",
    "one_label_classes",
    "open_part",
    "open_test",
    "read_image",
    "read_new_examples",
    "read_tables",
    "same_names",
    "split",
    "split_hashes",
    "strings",
    "units_of",
    "with_default_folds",
    "with_folds",
    "with_unlabelled",
]

if not TYPE_CHECKING:  # A checker would take every name for one that exists.
    __getattr__ = _moved.old_names(__name__)
