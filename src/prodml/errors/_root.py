"""The root of all errors, and those that any part may raise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "EvidenceError",
    "FormatError",
    "MergeError",
    "MissingDependencyError",
    "NewerSchemaError",
    "ProdmlError",
    "StorageError",
]


def _restore(cls: type[ProdmlError], args: tuple[Any, ...], state: dict[str, Any]) -> ProdmlError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class ProdmlError(Exception):
    """The root of all errors that prodml raises on purpose."""

    def __str__(self) -> str:
        # KeyError would show the repr of its message.
        return str(self.args[0]) if self.args else ""

    def __reduce__(
        self,
    ) -> tuple[
        Callable[..., ProdmlError], tuple[type[ProdmlError], tuple[Any, ...], dict[str, Any]]
    ]:
        # The default calls cls(*args), which fails for keyword-only facts.
        return _restore, (type(self), self.args, self.__dict__)


class EvidenceError(ProdmlError, ValueError):
    """A piece of evidence that contradicts itself.

    Attributes
    ----------
    field : str
        The field of the evidence that is at fault.
    """

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


class MergeError(ProdmlError, ValueError):
    """Two summaries that cannot be added, because they summarise different things.

    Attributes
    ----------
    left, right : object
        The setting in which the two differ.
    """

    def __init__(self, message: str, *, left: object, right: object) -> None:
        super().__init__(message)
        self.left = left
        self.right = right


class FormatError(ProdmlError, ValueError):
    """Bytes, JSON or a dict that do not hold what they are read as."""


class MissingDependencyError(ProdmlError, ImportError):
    """An optional library that is needed and not installed.

    Attributes
    ----------
    library : str
        The name to import.
    extra : str
        The extra of prodml that brings it.
    """

    def __init__(self, message: str, *, library: str, extra: str) -> None:
        super().__init__(message)
        self.library = library
        self.extra = extra

    @classmethod
    def for_extra(cls, library: str, *, extra: str, purpose: str) -> MissingDependencyError:
        """Build the error that names the command which repairs it."""
        command = f'pip install "prodml[{extra}]"'
        return cls(
            f"{purpose} needs {library}, which is not installed. Run: {command}",
            library=library,
            extra=extra,
        )


class StorageError(ProdmlError, OSError):
    """A store that cannot be opened, read or written.

    Attributes
    ----------
    location : str
        The file or database, without credentials.
    """

    def __init__(self, message: str, *, location: str) -> None:
        super().__init__(message)
        self.location = location


class NewerSchemaError(StorageError):
    """A store that a later version of prodml has written.

    Attributes
    ----------
    found, supported : int
        The layout version in the store, and the newest one that this prodml knows.
    """

    def __init__(self, message: str, *, location: str, found: int, supported: int) -> None:
        super().__init__(message, location=location)
        self.found = found
        self.supported = supported
