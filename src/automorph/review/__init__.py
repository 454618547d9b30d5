"""Ranges of a search space set by looking at the user's own examples, on a local page."""

from automorph.review.page import render_review
from automorph.review.predicted_risk import Risks, read_risks
from automorph.review.server import ReviewServer
from automorph.review.sheet import Sheet, make_sheet

__all__ = ["ReviewServer", "Risks", "Sheet", "make_sheet", "read_risks", "render_review"]
