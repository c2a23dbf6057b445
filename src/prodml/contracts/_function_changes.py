"""Two versions of the validators around a type, and what validators leave of other differences.

A validator that was changed may take anything away or let anything in: that is never compatible,
only not known. Nor is it known whether a value that fits the fields gets past them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from prodml.contracts._differences import Difference
from prodml.contracts._inclusion import INCONCLUSIVE, PASS, Effect

if TYPE_CHECKING:
    from prodml.contracts._shapes import FunctionDescription

    Functions = tuple[FunctionDescription, ...]

__all__ = [
    "doubted",
    "function_differences",
    "function_effect",
    "guarded",
    "guarded_effect",
    "surprised",
    "unseen",
]

#: Functions that can only take values away.
_NARROWING: Final = frozenset({"after", "post_init"})


def unseen(path: str, function: FunctionDescription) -> Difference:
    missing = ", ".join(function.unseen)
    return Difference(
        path=path,
        what="validator",
        old=function.name,
        new=function.name,
        backward=INCONCLUSIVE,
        forward=INCONCLUSIVE,
        message=f"{function.name} cannot be compared: not seen is {missing}",
    )


def function_differences(path: str, old: Functions, new: Functions) -> list[Difference]:
    if [one.deciding() for one in old] == [one.deciding() for one in new]:
        return [unseen(path, one) for one in new if one.unseen]
    before = [one for one in old if one.deciding() not in [other.deciding() for other in new]]
    after = [one for one in new if one.deciding() not in [other.deciding() for other in old]]
    gone, come = (", ".join(one.name for one in side) or None for side in (before, after))
    if gone and come:
        message = f"validator {gone} was changed or replaced by {come}"
    elif gone or come:
        message = f"validator {gone} was removed" if gone else f"validator {come} was added"
    else:
        message = "its validators run in another order"
    return [
        Difference(
            path=path,
            what="validator",
            old=gone,
            new=come,
            backward=function_effect(old, new),
            forward=function_effect(new, old),
            message=message,
            keeps_values=False,
        )
    ]


def function_effect(data: Functions, reader: Functions) -> Effect:
    """Say what a change of validators does by itself."""
    if any(one.unseen for one in reader):
        return INCONCLUSIVE
    if not data and all(one.mode == "missing" for one in reader):
        return PASS  # it only helps out where no member is found
    outer = len(data) - len(reader)
    if outer < 0 or [one.deciding() for one in data[outer:]] != [one.deciding() for one in reader]:
        return INCONCLUSIVE
    return PASS if all(one.mode in _NARROWING for one in data[:outer]) else INCONCLUSIVE


def guarded(
    difference: Difference,
    old: Functions,
    new: Functions,
) -> Difference:
    same = difference.keeps_values
    return replace(
        difference,
        backward=guarded_effect(difference.backward, old, new, same=same),
        forward=guarded_effect(difference.forward, new, old, same=same),
    )


def guarded_effect(
    effect: Effect,
    data: Functions,
    reader: Functions,
    *,
    same: bool,
) -> Effect:
    """Return what is left of an effect behind validators, which may have more to say."""
    if effect.verdict == "fail":
        # a validator of the data may refuse the example, one of the reader may mend it
        mended = any(one.mode not in _NARROWING for one in reader)
        return INCONCLUSIVE if data or mended else effect
    if effect.verdict == "pass" and reader:
        modes = {one.mode for one in (*data, *reader)}
        return effect if modes <= {"before"} or (same and modes <= _NARROWING) else INCONCLUSIVE
    return effect


def doubted(difference: Difference) -> Difference:
    doubt = {"pass": INCONCLUSIVE}
    return replace(
        difference,
        backward=doubt.get(difference.backward.verdict, difference.backward),
        forward=doubt.get(difference.forward.verdict, difference.forward),
    )


def surprised(
    path: str,
    old: Functions,
    new: Functions,
    found: list[Difference],
) -> list[Difference]:
    """Return that validators of the whole row see something else than they were written for."""
    unchanged = old and [one.deciding() for one in old] == [one.deciding() for one in new]
    if not unchanged or all(one.keeps_values for one in found):
        return []
    names = ", ".join(one.name for one in new)
    fields = ", ".join(dict.fromkeys(one.path for one in found if not one.keeps_values))
    return [
        Difference(
            path=path,
            what="validator",
            old=names,
            new=names,
            backward=INCONCLUSIVE,
            forward=INCONCLUSIVE,
            message=f"validator {names} is the same, but may see other values of {fields}",
        )
    ]
