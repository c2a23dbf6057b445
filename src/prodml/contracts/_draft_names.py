"""Names for the fields of a draft: the column's own where Python and pydantic allow it."""

from __future__ import annotations

import keyword
import re
import unicodedata
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["IMPORTS", "attribute_names", "is_free_name"]

#: Where the source of a draft takes its types from; a field of that name would hide the type.
IMPORTS: Final = {
    "Any": "typing",
    "AwareDatetime": "pydantic",
    "BaseModel": "pydantic",
    "Contract": "prodml.contracts",
    "Decimal": "decimal",
    "Field": "pydantic",
    "Literal": "typing",
    "NaiveDatetime": "pydantic",
    "UTC": "datetime",
    "UUID": "uuid",
    "date": "datetime",
    "datetime": "datetime",
    "time": "datetime",
    "timedelta": "datetime",
}
_BUILTINS: Final = frozenset({"bool", "bytes", "float", "int", "str"})
_OF_PYDANTIC: Final = "model_"
_LONGEST: Final = 60


def is_free_name(name: str, /) -> bool:
    """Say whether a class or a field of a draft may have a name as it is."""
    return (
        name.isidentifier()
        and not keyword.iskeyword(name)
        and not name.startswith(("_", _OF_PYDANTIC))
        and not hasattr(BaseModel, name)
        and name not in IMPORTS
        and name not in _BUILTINS
        and name != "contract"
        # Python reads identifiers in this form
        and unicodedata.normalize("NFKC", name) == name
    )


def attribute_names(columns: Sequence[str], /) -> list[str]:
    """Return a name for the field of each column, none of them twice.

    Parameters
    ----------
    columns : sequence of str
        Names of columns, all different.

    Examples
    --------
    >>> attribute_names(["age", "class", "Zip code", "1st", "_id", "model_config", "€"])
    ['age', 'class_', 'Zip_code', 'column_1st', 'id', 'column_model_config', 'column']
    """
    taken = {column for column in columns if is_free_name(column)}
    names = []
    for column in columns:
        if is_free_name(column):
            names.append(column)
            continue
        stem = _made_free(column)
        name, number = stem, 2
        while name in taken:
            name, number = f"{stem}_{number}", number + 1
        taken.add(name)
        names.append(name)
    return names


def _made_free(column: str) -> str:
    text = unicodedata.normalize("NFKC", column)
    stem = re.sub(r"\W+", "_", text).strip("_")[:_LONGEST]
    if not stem:
        return "column"
    if not stem.isidentifier() or stem.startswith(_OF_PYDANTIC):
        stem = f"column_{stem}"
    return stem if is_free_name(stem) else f"{stem}_"
