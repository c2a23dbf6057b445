"""The lazy door of a package: names that are imported when they are first asked for (PEP 562).

This module is loaded by ``import prodml`` and therefore imports nothing itself.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in `prodml`: `typing` is not free
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["attach"]


def attach(
    package: str, /, *, submodules: Iterable[str], attributes: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return the ``__getattr__`` and ``__dir__`` of a package that imports on demand.

    Parameters
    ----------
    package : str
        The package's ``__name__``.
    submodules : iterable of str
        Its modules that can be reached as attributes.
    attributes : mapping of str to str
        Other names, each with the module of the package that defines it.

    Returns
    -------
    tuple of two functions
        ``__getattr__``, which raises `AttributeError` with the nearest name for an unknown one,
        and ``__dir__``, which lists what is loaded and what could be. Each name is looked up
        once: what is found is kept in the package. Two threads may ask for the same name.
    """
    modules = frozenset(submodules)
    homes = dict(attributes)

    def lazy_getattr(name: str) -> object:
        import sys
        from importlib import import_module

        if name in modules:
            return import_module(f"{package}.{name}")  # the import system binds it
        if name in homes:
            value: object = getattr(import_module(f"{package}.{homes[name]}"), name)
            setattr(sys.modules[package], name, value)
            return value
        raise AttributeError(_unknown(package, name, sorted(modules | homes.keys())))

    def lazy_dir() -> list[str]:
        import sys

        return sorted(modules | homes.keys() | vars(sys.modules[package]).keys())

    return lazy_getattr, lazy_dir


def _unknown(package: str, name: str, known: list[str]) -> str:
    """Return the message for a name that the package does not have."""
    message = f"module {package!r} has no attribute {name!r}."
    if name.startswith("_"):  # asked for by the interpreter and its tools, not by a person
        return message
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    return f"{message} Did you mean {near[0]!r}?" if near else message
