"""Two versions of a row, or of a model inside one, held against each other field by field.

Data of a version are rows with the columns that it names, each under one of its names, and
possibly others that neither version names. So a column that a version adds is taken to be absent
from older data, as schema registries have it, unless the older version kept whatever came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prodml.contracts._differences import Difference, both_ways
from prodml.contracts._inclusion import INCONCLUSIVE, PASS, Effect
from prodml.contracts._rebuilding import acceptor_of
from prodml.contracts._renames import likely_renames
from prodml.contracts._tagged import UNKNOWN, from_tagged
from prodml.contracts._wording import type_text, value_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from prodml.contracts._shapes import FieldDescription, InputPath, TypeDescription

    Compare = Callable[[str, TypeDescription, TypeDescription], list[Difference]]

__all__ = ["compare_records", "paired_fields"]

_REFUSE: Final = "forbid"
_KEEP: Final = "allow"


def compare_records(
    old: TypeDescription,
    new: TypeDescription,
    *,
    path: str,
    watched: frozenset[str],
    compare: Compare,
) -> list[Difference]:
    """Return how two versions of a record differ.

    Parameters
    ----------
    old, new : TypeDescription
        Models, dataclasses or TypedDicts.
    path : str
        Where they stand; empty for the row itself.
    watched : frozenset of str
        Fields whose default is seen by a check.
    compare : callable
        Compares the types of a field, given the path to it.
    """
    found = _extra_differences(path, old, new)
    pairs, gone, come = paired_fields(old.fields, new.fields)
    for before, after in pairs:
        inside = f"{path}.{after.name}" if path else after.name
        found += _field_differences(inside, before, after, old, new, watched)
        found += compare(inside, before.type, after.type)
    hints = likely_renames([one.name for one in gone], [one.name for one in come])
    found += [_removed(path, one, new, hints.get(one.name)) for one in gone]
    found += [_added(path, one, old) for one in come]
    return found + _crossed(path, gone, new) + _crossed(path, come, old)


def paired_fields(
    old: tuple[FieldDescription, ...], new: tuple[FieldDescription, ...]
) -> tuple[
    list[tuple[FieldDescription, FieldDescription]],
    list[FieldDescription],
    list[FieldDescription],
]:
    """Pair fields that read a column of the same name, and return those that are left over.

    Where several would do, the one with the most names in common and then with the same attribute
    is taken.
    """
    scored = sorted(
        (
            (-len({*before.inputs} & {*after.inputs}), before.name != after.name, a, b)
            for a, before in enumerate(old)
            for b, after in enumerate(new)
            if {*before.inputs} & {*after.inputs}
        ),
    )
    pairs: dict[int, int] = {}
    for _, _, a, b in scored:
        if a not in pairs and b not in pairs.values():
            pairs[a] = b
    matched = [(old[a], new[b]) for a, b in sorted(pairs.items())]
    gone = [one for a, one in enumerate(old) if a not in pairs]
    come = [one for b, one in enumerate(new) if b not in pairs.values()]
    return matched, gone, come


def _extra(record: TypeDescription) -> str:
    return str(record.rules.get("extra_behavior", "ignore"))


def _extra_differences(path: str, old: TypeDescription, new: TypeDescription) -> list[Difference]:
    before, after = _extra(old), _extra(new)
    same_parts = {name: one.deciding() for name, one in old.parts.items()} == {
        name: one.deciding() for name, one in new.parts.items()
    }
    if before == after and same_parts:
        return []

    def effect(backward: bool) -> Effect | bool:  # noqa: FBT001 - the protocol of `both_ways`
        data, reader = (before, after) if backward else (after, before)
        if data != _REFUSE and reader == _REFUSE:
            return False
        return True if same_parts or data == _REFUSE else INCONCLUSIVE

    backward, forward = both_ways(effect)
    return [
        Difference(
            path=path,
            what="extra",
            old=before,
            new=after,
            backward=backward,
            forward=forward,
            message=f"columns that it does not name: was {before!r} and is now {after!r}",
        )
    ]


def _field_differences(
    path: str,
    before: FieldDescription,
    after: FieldDescription,
    old: TypeDescription,
    new: TypeDescription,
    watched: frozenset[str],
) -> list[Difference]:
    found = []
    if before.name != after.name:
        found.append(
            Difference(
                path=path,
                what="renamed",
                old=before.name,
                new=after.name,
                backward=PASS,
                forward=PASS,
                message=f"was called {before.name!r}, and reads the same column",
                keeps_values=False,
            )
        )
    if set(before.inputs) != set(after.inputs):
        found.append(_input_difference(path, before, after, old, new))
    if before.required != after.required:
        found.append(
            Difference(
                path=path,
                what="required",
                old="required" if before.required else "optional",
                new="required" if after.required else "optional",
                backward=Effect("fail") if after.required else PASS,
                forward=PASS if after.required else Effect("fail"),
                message="must now be there" if after.required else "need no longer be there",
                keeps_values=False,
            )
        )
    elif before.default != after.default:
        seen = bool({before.name, after.name} & watched)
        found.append(
            Difference(
                path=path,
                what="default",
                old=_default_text(before),
                new=_default_text(after),
                backward=INCONCLUSIVE if seen else PASS,
                forward=INCONCLUSIVE if seen else PASS,
                message=f"its default was {_default_text(before)} and is now {_default_text(after)}"
                + (", which a check sees" if seen else ""),
                keeps_values=False,
            )
        )
    if before.rules != after.rules:
        found.append(_setting_difference(path, before, after))
    return found


def _input_difference(
    path: str,
    before: FieldDescription,
    after: FieldDescription,
    old: TypeDescription,
    new: TypeDescription,
) -> Difference:
    def effect(backward: bool) -> Effect | bool | None:  # noqa: FBT001 - the protocol of `both_ways`
        data, reader = (before, after) if backward else (after, before)
        giver, taker = (old, new) if backward else (new, old)
        unread = set(data.inputs) - set(reader.inputs)
        further = set(reader.inputs) - set(data.inputs)
        crossed = _heads(unread) & _others(taker, reader) or _heads(further) & _others(giver, data)
        if crossed or any(len(one) > 1 for one in unread | further):
            return None
        return not unread or not (reader.required or _extra(taker) == _REFUSE)

    backward, forward = both_ways(effect)
    was, now = (_names(one.inputs) for one in (before, after))
    return Difference(
        path=path,
        what="inputs",
        old=was,
        new=now,
        backward=backward,
        forward=forward,
        message=f"was read from {was} and is now read from {now}",
    )


def _setting_difference(path: str, before: FieldDescription, after: FieldDescription) -> Difference:
    def effect(backward: bool) -> Effect | bool | None:  # noqa: FBT001 - the protocol of `both_ways`
        reader = after if backward else before
        if {*before.rules, *after.rules} != {"validate_default"}:
            return None
        return True if "validate_default" not in reader.rules else _takes_default(reader)

    backward, forward = both_ways(effect)
    return Difference(
        path=path,
        what="setting",
        old=", ".join(before.rules) or None,
        new=", ".join(after.rules) or None,
        backward=backward,
        forward=forward,
        message="a setting of the field was changed",
    )


def _takes_default(reader: FieldDescription) -> bool | None:
    default = from_tagged((reader.default or {}).get("value", {"opaque": ""}))
    acceptor = acceptor_of(reader.type, upper=False)
    return None if acceptor is None or default is UNKNOWN else acceptor.accepts(default)


def _heads(paths: Iterable[InputPath]) -> set[str | int]:
    return {path[0] for path in paths}


def _others(record: TypeDescription, field: FieldDescription) -> set[str | int]:
    """Return the columns that the other fields of a record read."""
    return _heads(path for one in record.fields if one is not field for path in one.inputs)


def _crossed(path: str, fields: list[FieldDescription], other: TypeDescription) -> list[Difference]:
    """Return the fields without a partner whose columns the other version reads all the same."""
    read = _heads(path for one in other.fields for path in one.inputs)
    return [
        Difference(
            path=f"{path}.{one.name}" if path else one.name,
            what="inputs",
            old=_names(one.inputs),
            new=_names(one.inputs),
            backward=INCONCLUSIVE,
            forward=INCONCLUSIVE,
            message=f"{_names(one.inputs)} is read by another field in the other version",
            keeps_values=False,
        )
        for one in fields
        if read & _heads(one.inputs)
    ]


def _added(path: str, field: FieldDescription, old: TypeDescription) -> Difference:
    said = f"{type_text(field.type)}, {'required' if field.required else 'optional'}"
    return Difference(
        path=f"{path}.{field.name}" if path else field.name,
        what="added",
        old=None,
        new=said,
        backward=_effect_of_absence(field, old),
        forward=_effect_of_presence(old),
        message=f"is new ({said})",
    )


def _removed(
    path: str,
    field: FieldDescription,
    new: TypeDescription,
    renamed: str | None,
) -> Difference:
    said = f"{type_text(field.type)}, {'required' if field.required else 'optional'}"
    hint = (
        f"; if it is now called {renamed!r}, let that field read both names by "
        f"validation_alias=AliasChoices({renamed!r}, {field.name!r})"
        if renamed is not None
        else ""
    )
    return Difference(
        path=f"{path}.{field.name}" if path else field.name,
        what="removed",
        old=said,
        new=None,
        backward=_effect_of_presence(new),
        forward=_effect_of_absence(field, new),
        message=f"was removed{hint}",
        keeps_values=False,
    )


def _effect_of_absence(field: FieldDescription, data: TypeDescription) -> Effect:
    """Say what becomes of data that know nothing of a field."""
    if field.required:
        return Effect("fail")
    if _extra(data) == _KEEP and field.type.kind != "any":
        return INCONCLUSIVE  # a column of this name may have been kept, with anything in it
    if "validate_default" in field.rules:
        return PASS if _takes_default(field) else INCONCLUSIVE
    return PASS


def _effect_of_presence(reader: TypeDescription) -> Effect:
    """Say what becomes of data that have a column which their reader does not name."""
    if _extra(reader) == _REFUSE:
        return Effect("fail")
    return INCONCLUSIVE if reader.parts else PASS  # its extra columns have a type of their own


def _names(inputs: tuple[InputPath, ...]) -> str:
    return " or ".join(repr(".".join(map(str, path))) for path in inputs)


def _default_text(field: FieldDescription) -> str:
    if field.default is None:
        return "none"
    if "factory" in field.default:
        return f"{field.default['factory'].get('name', 'a factory')}()"
    return value_text(field.default.get("value"))
