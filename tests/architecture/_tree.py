"""The source tree, as the architecture tests look at it."""

from __future__ import annotations

import ast
import importlib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "prodml"
FILES = sorted(SOURCE.rglob("*.py"))


def name_of(path):
    """Return the path as a test is named after it."""
    return str(path.relative_to(ROOT))


@cache
def parsed(path):
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def module_name(path):
    """Return what a file is imported as."""
    parts = ("prodml", *path.relative_to(SOURCE).with_suffix("").parts)
    return ".".join(part for part in parts if part != "__init__")


@cache
def modules():
    """Import every module of prodml. None of them needs an extra for that."""
    return tuple(importlib.import_module(module_name(path)) for path in FILES)


def public_objects():
    """Return what `__all__` of any public module offers, as (module, name, object)."""
    return [
        (module.__name__, name, getattr(module, name))
        for module in modules()
        if not any(part.startswith("_") for part in module.__name__.split("."))
        for name in getattr(module, "__all__", ())
    ]
