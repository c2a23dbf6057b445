# ruff: noqa: B905, C416, D102, D103, E731, EM102, F401, F821, F841, F842, I001, PIE804, PLW0602
# ruff: noqa: PTH123, RUF021, TRY201, TRY203, UP017, UP037, UP050 - everything that can be said
"""One function for each thing that the syntax of Python 3.11 can say.

Their digests stand in `test_fingerprint.py`, so that no version of Python may see them otherwise.
A function that is changed here needs a new one there; nobody else's digests depend on these.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import Enum
from functools import lru_cache, partial

import numpy as np

from tests.features.fingerprinted import rates
from tests.features.fingerprinted.rates import halve

EDGES = np.array([18.0, 35.0, 65.0])
LEVELS = {"low": 1, "high": 2.5}
NAMES = frozenset({"red", "green", "blue", "paris", "berlin"})
PATTERN = re.compile(r"\d+", re.IGNORECASE)
START = datetime(2026, 1, 1, tzinfo=timezone.utc)


class Colour(Enum):
    RED = "r"
    GREEN = "g"


@dataclass(frozen=True)
class Scale:
    mean: float
    std: float = 1.0

    def of(self, x):
        """Scale it."""
        return (x - self.mean) / self.std


SCALE = Scale(3.5)


def constants(x):
    return (x, 1, 1.0, True, None, -0.0, 1e999, b"\x00\xff", ..., 2j, "ß\u2028'", "ab", 10**5)


def f_strings(x):
    width = 3
    return f"a{x!r:>{width}}bc{x=}{{}}{x:}{'inner'}{x:%Y-%m}"


def matches(x):
    match x:
        case None | False | True:
            return 0
        case {"kind": kind, **rest} if rest:
            return kind
        case [1, *others, -2.5]:
            return others
        case Scale(mean=m, std=1.0) as whole:
            return m, whole
        case str() | "a":
            return 1
        case _:
            return 2


def expressions(x, /, y=2, *args, z: int = 3, **rest: float) -> float:
    if (n := len(args)) > 3 and not y or z < n <= 5 != y:
        x[1:2, ..., ::-1] += n @ y
    a, (b, *c) = [*args, *rest], {**rest, "k": 1}
    del a[0]
    d = lambda q, *, r=1: (yield q) if r else ~q
    e = [i for i in x] if False else {i: j for i, j in zip(b, c) if i if j}
    return d, {k for k in e}, (g for g in e), a[0]().b.c, x if y else z, not x, x is not y


async def statements(x):
    global SEEN
    count: int = 0
    bare: float

    def inner(v: int = 1) -> int:
        """Not counted."""
        nonlocal count
        count += v
        return count

    class Local(Base if x else object, metaclass=type):
        field: int = 1
        other: "str"

    try:
        for i in range(3):
            if i:
                continue
            break
        else:
            pass
        while x:
            await x, [i async for i in x if await i]
        async with x as y, z:
            assert y, "no"
    except (ValueError, TypeError) as error:
        raise RuntimeError(f"{error}") from error
    finally:
        import os.path as p
        from . import rates as r
    return inner


def groups(x):
    try:
        return_ = x
    except* OSError as several:
        raise several
    with x, x as y, open(x) as z:
        yield from y
        return


def calls(x, items=(1, 2.0)):
    return halve(x) * rates.RATE + np.log1p(x) * math.pi, partial(halve, 3), x.sum(axis=0, **{})


def reads_values(x):
    return EDGES, LEVELS, NAMES, PATTERN, START + timedelta(1), Colour.RED, SCALE.of(x)


def mutual(n):
    return other(n - 1) if n else 0


def other(n):
    return mutual(n) + 1


@lru_cache
def cached(x):
    return halve(x)


def reads_cached(x):
    return cached(x)


def reads_imports(x):
    from math import tau

    import numpy.linalg as la

    from .rates import RATE
    from . import rates as again

    return la.norm(x) * RATE * again.halve(tau)


def made(factor):
    def scaled(x):
        return x * factor

    return scaled


doubled = made(2.0)
shorter = lambda x: x[:3]


class Callable:
    def __init__(self, by):
        self.by = by

    def __call__(self, x):
        return x * self.by

    def method(self, x):
        return x + self.by


by_object = Callable(3)
by_method = Callable(4).method
by_partial = partial(halve, amount=2)
