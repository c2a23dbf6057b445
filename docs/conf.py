"""How the documentation is built: MyST pages, numpydoc docstrings, the Furo theme."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import prodml

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "prodml"
author = "the prodml authors"
copyright = author
version = release = prodml.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
]

html_theme = "furo"
html_title = f"prodml {release}"

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]

# What a parameter is stands in words in its docstring; the annotations would say it twice.
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
autosummary_generate = False
numpydoc_show_class_members = False

# Builds need no network, so the documentation of other projects is named but not linked.
nitpick_ignore_regex = [
    (
        r"py:.*",
        r"(collections|datetime|joblib|numpy|pandas|pathlib|psycopg|pyarrow|pydantic)(\..*)?",
    ),
    (r"py:.*", r"(scipy|sklearn|structlog|typing)(\..*)?"),
    # Names that are built into Python.
    (r"py:(exc|class|obj)", r"[A-Z]\w*(Error|Warning|Exit|Interrupt|Iteration)"),
    (r"py:.*", r"(bool|bytes|dict|float|frozenset|int|list|None|object|set|str|tuple|type)"),
]


def _level_headings(
    _app: Sphinx, what: str, _name: str, _object: object, _options: object, lines: list[str]
) -> None:
    """Make the headings in a module's docstring part of its page, not sections of the book."""
    if what != "module":
        return
    text = re.sub(r"(?m)^(\w[\w ]*)\n-{3,}$", r".. rubric:: \1\n", "\n".join(lines))
    lines[:] = text.split("\n")


def setup(app: Sphinx) -> None:
    """Connect to Sphinx."""
    app.connect("autodoc-process-docstring", _level_headings)
