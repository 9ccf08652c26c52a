"""Sphinx as `make docs` runs it, over the pages that gather.py has put together."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import gradstep

project = "gradstep"
author = "The gradstep developers"
copyright = author
version = release = gradstep.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
    "mathml",
    "docstrings",
    "examples",
    "described",
    "leftovers",
    "pictures",
    "tables",
    "speeds",
]

# What is wrong is an error: `make docs` turns warnings into them, and here is what is warned of.
nitpicky = True
nitpick_ignore_regex = [
    # Of other packages, whose pages would have to be fetched.
    ("py:.*", r"(MPI|np|numpy|NDArray|ndarray|matplotlib|Axes|scipy|os|Path|pathlib|collections)\b.*"),
    ("py:obj", "fnmatch"),
    ("py:class", r".*\.P"),  # a type variable
    ("py:exc", r"As .*"),  # what is raised is said elsewhere
    (
        "py:.*",
        r"(Any|Callable.*|Iterator|Iterable|Mapping|Sequence|Literal|Self|Unpack|Never|SupportsFloat|SupportsIndex)",
    ),
]

default_role = "py:obj"
add_module_names = False
python_maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"

autodoc_member_order = "groupwise"
autodoc_typehints = "signature"
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
napoleon_custom_sections = [("State", "params_style"), ("Scalars", "params_style")]

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 4

templates_path: list[str] = []
exclude_patterns: list[str] = []

html_theme = "pydata_sphinx_theme"
html_title = "gradstep"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_domain_indices = False
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "gradstep"},
    "navbar_end": ["theme-switcher"],
    "navbar_persistent": ["search-button"],
    "secondary_sidebar_items": ["page-toc"],
    "header_links_before_dropdown": 6,
    "show_prev_next": True,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "footer_start": ["copyright"],
    "footer_end": [],
}
