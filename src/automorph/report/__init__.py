"""Reports: one self-contained HTML page per result, with its figures and pictures.

The package reads results and computes none.
"""

from automorph.report.audit import audit_page
from automorph.report.audit_changes import audits_page
from automorph.report.comparison import TITLES, compare_page
from automorph.report.explain import explain_page
from automorph.report.formatting import count, duration, in_brief, plural, times
from automorph.report.multi_run import runs_page
from automorph.report.overlays import beside, overlaid
from automorph.report.page import Page, Picture, Section, render, write_report
from automorph.report.patch import patch_page
from automorph.report.pictures import column, contact_sheet
from automorph.report.publisher import PAGES, publish, read_kept
from automorph.report.search import search_page
from automorph.report.text_examples import MARKS, changes, marked, passages
from automorph.report.train import train_page
from automorph.report.view_model import Results

__all__ = [
    "MARKS",
    "PAGES",
    "TITLES",
    "Page",
    "Picture",
    "Results",
    "Section",
    "audit_page",
    "audits_page",
    "beside",
    "changes",
    "column",
    "compare_page",
    "contact_sheet",
    "count",
    "duration",
    "explain_page",
    "in_brief",
    "marked",
    "overlaid",
    "passages",
    "patch_page",
    "plural",
    "publish",
    "read_kept",
    "render",
    "runs_page",
    "search_page",
    "times",
    "train_page",
    "write_report",
]
