"""A contract with something of everything, whose fingerprint is known: run it to print it.

It is read by one process as a module and by another as a script, and under every Python version.
"""

from __future__ import annotations

import enum
import functools
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasPath,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from prodml.contracts import (
    Compare,
    Contract,
    ForeignKey,
    Freshness,
    NullFraction,
    RowCount,
    Unique,
)

LIMIT = 500
WORDS = {"zero", "one", "two", "three"}


class Colour(enum.Enum):
    RED = "red"
    TWO = 2

    @classmethod
    def _missing_(cls, value: object) -> Colour | None:
        return cls.RED if value == "rouge" else None


def _doubled(number: int) -> int:
    return number * 2


def _at_most(limit: int) -> Any:
    def check(number: int) -> int:
        """Raise on large numbers."""
        if _doubled(number) > limit + LIMIT:
            message = f"more than {limit!r} or {'any'} word of {sorted(WORDS)}"
            raise ValueError(message)
        return number

    return check


def _kept(value: Any, *, words: frozenset[str]) -> Any:
    return None if value in words else value


class Node(BaseModel):
    value: int = 0
    children: list[Node] = Field(default_factory=list)


class Golden(BaseModel):
    """Described without its words."""

    model_config = ConfigDict(str_strip_whitespace=True, extra="forbid")

    id: Annotated[int, Field(ge=1, le=2**70)]
    share: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.1
    price: Annotated[Decimal, Field(ge=Decimal("0.01"), max_digits=8, decimal_places=2)]
    name: Annotated[str, Field(min_length=1, pattern=r"^\w+$")] = Field(description="Who?")
    size: Literal["small", "large", None, 3, True]
    colour: Colour = Colour.RED
    born: Annotated[date, Field(ge=date(1900, 1, 1))] | None = None
    seen: Annotated[datetime, Field(lt=datetime(2100, 1, 1))]
    sent: AwareDatetime = datetime(2024, 5, 17, tzinfo=UTC)
    took: timedelta = timedelta(days=1, microseconds=3)
    token: UUID
    tags: set[str] = {"b", "a", "c"}
    scores: dict[str, float | int]
    pair: tuple[int, str]
    either: int | str | None
    tree: Node
    count: Annotated[
        int, AfterValidator(_at_most(5)), BeforeValidator(lambda given: given or 0)
    ] = Field(validation_alias=AliasChoices("count", "n", AliasPath("counts", 0)))
    note: Annotated[str | None, BeforeValidator(functools.partial(_kept, words=frozenset("?-")))]
    anything: Any = None

    @field_validator("id")
    @classmethod
    def _is_even(cls, number: int) -> int:
        # a comment
        assert number % 2 == 0, "odd"
        return number

    @model_validator(mode="after")
    def _is_whole(self) -> Golden:
        return self


CONTRACT = Contract(
    Golden,
    version="7",
    key="id",
    checks=[
        Unique("id"),
        Unique("name", "size"),
        Compare("born", "<=", "seen"),
        ForeignKey("name", {"ann", "bob", "eve"}),
        RowCount(minimum=1, maximum=10),
        NullFraction("born", 0.25),
        Freshness("seen", timedelta(hours=6)),
    ],
)

if __name__ == "__main__":
    print(CONTRACT.fingerprint)  # noqa: T201 - what it is run for
