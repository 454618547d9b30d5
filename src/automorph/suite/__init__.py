"""The suite: one augmenter or search on public development sets, beside the same controls."""

from automorph.suite.controls import CONTROLS, ENTRANT, LABELS, LONGER, USUAL, Setting
from automorph.suite.entrant import Entrant, read_entrant
from automorph.suite.result import OUR_NAME, OURS, SetResult, SuiteResult, our_row
from automorph.suite.set_runs import Show, row_folder, run_suite
from automorph.suite.sets import SETS, DevelopmentSet, available, sets_of
from automorph.suite.statistics import interval, pairs

__all__ = [
    "CONTROLS",
    "ENTRANT",
    "LABELS",
    "LONGER",
    "OURS",
    "OUR_NAME",
    "SETS",
    "USUAL",
    "DevelopmentSet",
    "Entrant",
    "SetResult",
    "Setting",
    "Show",
    "SuiteResult",
    "available",
    "interval",
    "our_row",
    "pairs",
    "read_entrant",
    "row_folder",
    "run_suite",
    "sets_of",
]
