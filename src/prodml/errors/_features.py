"""Errors of features: their definitions, their input and output, and skew between two paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prodml.errors._root import ProdmlError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "FeatureCycleError",
    "FeatureDefinitionError",
    "FeatureError",
    "FeatureOutputError",
    "FingerprintError",
    "FitError",
    "InputTypeError",
    "MissingInputError",
    "PointInTimeError",
    "RowDependentFeatureError",
    "SkewError",
    "UnknownInputError",
    "UnknownVersionError",
    "VersionNotBumpedError",
    "ViewChangedError",
]


class FeatureError(ProdmlError, ValueError):
    """Features that cannot be defined, fitted or computed."""


class FeatureDefinitionError(FeatureError):
    """Definitions that do not make a set of features: all faults at once.

    Attributes
    ----------
    faults : tuple of str
        One sentence for each fault.
    """

    def __init__(self, message: str, *, faults: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.faults = tuple(faults)


class UnknownInputError(FeatureError, KeyError):
    """A feature that reads what is neither an input nor a feature.

    Attributes
    ----------
    names : tuple of str
        The names that are not known.
    faults : tuple of str
        One sentence for each.
    """

    def __init__(self, message: str, *, names: Sequence[str], faults: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.names = tuple(names)
        self.faults = tuple(faults)


class FeatureCycleError(FeatureError):
    """Features that need each other.

    Attributes
    ----------
    cycle : tuple of str
        The features, each of which needs the next; the last needs the first.
    """

    def __init__(self, message: str, *, cycle: Sequence[str]) -> None:
        super().__init__(message)
        self.cycle = tuple(cycle)


class FitError(FeatureError):
    """State that cannot be learned from what was given.

    Attributes
    ----------
    feature : str
        The feature whose state it is, or empty.
    """

    def __init__(self, message: str, *, feature: str = "") -> None:
        super().__init__(message)
        self.feature = feature


class MissingInputError(FeatureError, KeyError):
    """Inputs without a value, though they must have one: all of them at once.

    Attributes
    ----------
    fields : tuple of str
        The inputs.
    rows : tuple of int
        The first rows without a value, by position; empty where the whole column or key is absent.
    """

    def __init__(self, message: str, *, fields: Sequence[str], rows: Sequence[int] = ()) -> None:
        super().__init__(message)
        self.fields = tuple(fields)
        self.rows = tuple(rows)


class InputTypeError(FeatureError, TypeError):
    """An input of another type than the declared one.

    Attributes
    ----------
    field : str
        The input.
    got : object
        The value, or the dtype of a column.
    expected : str
        The declared type.
    row : int or None
        The position of the value in its frame; None for a record or a whole column.
    """

    def __init__(
        self, message: str, *, field: str, got: Any, expected: str, row: int | None = None
    ) -> None:
        super().__init__(message)
        self.field = field
        self.got = got
        self.expected = expected
        self.row = row


class FeatureOutputError(FeatureError):
    """A feature that returns something else than one number or text per row.

    Attributes
    ----------
    feature : str
        The feature.
    """

    def __init__(self, message: str, *, feature: str) -> None:
        super().__init__(message)
        self.feature = feature


class RowDependentFeatureError(FeatureError):
    """A feature whose value for a row depends on the other rows.

    Attributes
    ----------
    feature : str
        The feature.
    row : int or None
        A row, by position in the frame, that shows it; None where only a made-up row does.
    batch_value, single_value : object
        Its value among the other rows, and alone.
    """

    def __init__(
        self, message: str, *, feature: str, row: int | None, batch_value: Any, single_value: Any
    ) -> None:
        super().__init__(message)
        self.feature = feature
        self.row = row
        self.batch_value = batch_value
        self.single_value = single_value


class FingerprintError(FeatureError, TypeError):
    """Code that reads something whose content cannot be told.

    Attributes
    ----------
    feature : str
        The function that reads it.
    name : str
        What it reads.
    """

    def __init__(self, message: str, *, feature: str, name: str) -> None:
        super().__init__(message)
        self.feature = feature
        self.name = name


class VersionNotBumpedError(FeatureError):
    """A version that is known with other code.

    Attributes
    ----------
    name, version : str
        The set of features.
    changes : dict
        For each feature that differs, a unified diff of its source or what became of it.
    """

    def __init__(
        self, message: str, *, name: str, version: str, changes: Mapping[str, str]
    ) -> None:
        super().__init__(message)
        self.name = name
        self.version = version
        self.changes = dict(changes)


class UnknownVersionError(FeatureError, KeyError):
    """A set of features, or a version of it, that a registry does not hold.

    Attributes
    ----------
    name : str
        The set of features.
    version : str
        Its version, or empty where the set itself is not known.
    """

    def __init__(self, message: str, *, name: str, version: str = "") -> None:
        super().__init__(message)
        self.name = name
        self.version = version


class SkewError(FeatureError):
    """Features that come out otherwise than they were recorded.

    Attributes
    ----------
    differences : tuple
        What differs: one object per feature and row.
    """

    def __init__(self, message: str, *, differences: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.differences = tuple(differences)


class PointInTimeError(FeatureError):
    """Rows whose time or key cannot be read.

    Attributes
    ----------
    column : str
        The column at fault.
    rows : tuple of int
        The first rows at fault, by position.
    """

    def __init__(self, message: str, *, column: str, rows: Sequence[int] = ()) -> None:
        super().__init__(message)
        self.column = column
        self.rows = tuple(rows)


class ViewChangedError(FeatureError):
    """A view of an online store that is stored with other keys or features.

    Attributes
    ----------
    view : str
        Its name.
    stored, given : tuple of (tuple of str, tuple of str)
        Its keys and its features: as they are stored, and as they were given.
    """

    def __init__(
        self,
        message: str,
        *,
        view: str,
        stored: tuple[tuple[str, ...], tuple[str, ...]],
        given: tuple[tuple[str, ...], tuple[str, ...]],
    ) -> None:
        super().__init__(message)
        self.view = view
        self.stored = stored
        self.given = given
