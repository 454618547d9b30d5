"""Reports: one self-contained HTML page per result, its figures and pictures.

The room reads results and computes none.
"""

from automorph.report.audit import audit_page
from automorph.report.comparison import compare_page
from automorph.report.explain import explain_page
from automorph.report.multi_run import runs_page
from automorph.report.page import Page, Section, render, write_report
from automorph.report.patch import patch_page
from automorph.report.pictures import contact_sheet
from automorph.report.publisher import PAGES, publish, read_kept
from automorph.report.search import search_page
from automorph.report.train import train_page

__all__ = [
    "PAGES",
    "Page",
    "Section",
    "audit_page",
    "compare_page",
    "contact_sheet",
    "explain_page",
    "patch_page",
    "publish",
    "read_kept",
    "render",
    "runs_page",
    "search_page",
    "train_page",
    "write_report",
]
