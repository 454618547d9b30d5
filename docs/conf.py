"""How the documentation is built: Sphinx, furo and MyST; `make docs` builds it strictly."""

import sys
from pathlib import Path

import automorph

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "Automorph"
author = "The Automorph authors"
copyright = author
version = release = automorph.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "generated_reference",
    "mathml",
]
exclude_patterns = ["_build", "_ext", "reference/_generated/objectives.md"]
myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True}
autodoc_type_aliases = {name: name for name in ("ArrayLike", "Fill", "Images", "Interpolation")}
add_module_names = False
python_maximum_signature_line_length = 88

html_math_renderer = "mathml"
html_theme = "furo"
html_title = f"Automorph {release}"
html_static_path = ["_static"]
html_css_files = ["automorph.css"]
html_js_files = ["accessible.js"]
# Its link to the source of the page lies outside of all landmarks.
html_theme_options = {"top_of_page_buttons": []}
html_extra_path = [
    "../src/automorph/policies/policy.schema.json",
    "../src/automorph/policies/space.schema.json",
]
