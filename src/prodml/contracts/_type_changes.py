"""Two versions of a type, held against each other part by part."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from prodml.contracts._differences import Difference
from prodml.contracts._function_changes import (
    doubted,
    function_differences,
    function_effect,
    guarded,
    guarded_effect,
    surprised,
    unseen,
)
from prodml.contracts._inclusion import (
    INCONCLUSIVE,
    PASS,
    Effect,
    accepts_none,
    kind_effect,
    rule_groups,
    search,
    worst,
)
from prodml.contracts._record_changes import compare_records
from prodml.contracts._shapes import FunctionDescription, TypeDescription
from prodml.contracts._wording import rules_text, type_text

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["TypeComparison"]

_ANY: Final = TypeDescription(kind="any")
_RECORDS: Final = frozenset({"model", "dataclass", "typed-dict"})
#: Kinds that take more if a type inside them does.
_COVARIANT: Final = frozenset({"list", "set", "frozenset", "dict", "tuple", "json", "root"})
#: Kinds whose values may fall together when what is inside them is converted.
_MERGING: Final = frozenset({"set", "frozenset", "dict"})
_SCALARS: Final = frozenset(
    {"any", "none", "bool", "int", "float", "decimal", "str", "bytes", "date", "time", "datetime"}
    | {"timedelta", "uuid", "url", "complex", "callable", "literal", "enum"}
)
#: Kinds that may take None without saying so.
_MAY_TAKE_NONE: Final = frozenset({"any", "none", "literal", "enum", "union", "tagged-union"})
_CHOICES: Final = frozenset({"union", "tagged-union"})
_TYPE_RULES: Final = frozenset({"variadic_item_index", "discriminator", "mode", "cls"})


@dataclass(frozen=True, slots=True)
class _Place:
    """Two types that stand at one place, and those around them, the outermost first."""

    path: str
    old: TypeDescription
    new: TypeDescription
    old_above: tuple[TypeDescription, ...] = ()
    new_above: tuple[TypeDescription, ...] = ()

    def at(self, path: str, old: TypeDescription, new: TypeDescription) -> _Place:
        """Return a place inside both."""
        return _Place(path, old, new, (*self.old_above, self.old), (*self.new_above, self.new))

    def resolved(self) -> _Place:
        """Return the place with what a type that contains itself stands for."""
        old, old_above = _resolve(self.old, self.old_above)
        new, new_above = _resolve(self.new, self.new_above)
        return _Place(self.path, old, new, old_above, new_above)

    def into_old(self, old: TypeDescription) -> _Place:
        """Return the place with the old type taken from inside itself."""
        return replace(self, old=old, old_above=(*self.old_above, self.old))

    def into_new(self, new: TypeDescription) -> _Place:
        """Return the place with the new type taken from inside itself."""
        return replace(self, new=new, new_above=(*self.new_above, self.new))

    def swapped(self) -> _Place:
        """Return the place with the versions changed over."""
        return _Place(self.path, self.new, self.old, self.new_above, self.old_above)


def _resolve(
    described: TypeDescription, above: tuple[TypeDescription, ...]
) -> tuple[TypeDescription, tuple[TypeDescription, ...]]:
    if described.kind != "recursive":
        return described, above
    at = len(above) - described.rules["up"]
    return above[at], above[:at]


@dataclass(slots=True)
class TypeComparison:
    """Compares types.

    Attributes
    ----------
    watched : frozenset of str
        Fields of the row whose default is seen by a check.
    """

    watched: frozenset[str] = frozenset()
    _active: set[tuple[int, int]] = field(default_factory=set)

    def differences(self, old: TypeDescription, new: TypeDescription) -> list[Difference]:
        """Return how two versions of a whole model differ."""
        return self._compare(_Place("", old, new))

    def _compare(self, place: _Place) -> list[Difference]:
        place = place.resolved()
        old, new = place.old, place.new
        if old.deciding() == new.deciding():
            return [unseen(path, one) for path, one in _functions_in(new, place.path) if one.unseen]
        pair = (id(old), id(new))
        if pair in self._active:  # a type within itself: what differs is told further out
            return []
        self._active.add(pair)
        found = self._compare_forms(place)
        self._active.discard(pair)
        around = function_differences(place.path, old.functions, new.functions)
        if old.kind in _RECORDS:
            return around + found + surprised(place.path, old.functions, new.functions, found)
        return around + [guarded(one, old.functions, new.functions) for one in found]

    def _compare_forms(self, place: _Place) -> list[Difference]:
        old, new = place.old, place.new
        if {old.kind, new.kind} <= _RECORDS and not {*old.rules, *new.rules} & {"strict"}:
            return compare_records(
                old,
                new,
                path=place.path,
                watched=self.watched if not place.path else frozenset(),
                compare=lambda path, a, b: self._compare(place.at(path, a, b)),
            )
        if old.kind == new.kind and old.kind in _SCALARS:
            return _rule_differences(place)
        if old.kind == new.kind == "nullable":
            return self._compare(place.at(place.path, *_inner(old, new)))
        if old.kind == new.kind and old.kind in _COVARIANT and _same_shape(old, new):
            return _rule_differences(place) + self._part_differences(place)
        if old.kind == new.kind == "tagged-union" and _same_type_rules(old, new):
            return self._choice_differences(place)
        if "nullable" in {old.kind, new.kind} and not {old.kind, new.kind} & _MAY_TAKE_NONE:
            return self._nullable_differences(place)
        return [self._type_difference(place)]

    def _nullable_differences(self, place: _Place) -> list[Difference]:
        was = place.old.kind == "nullable"
        if was:
            inside = place.into_old(place.old.parts["inner"])
        else:
            inside = place.into_new(place.new.parts["inner"])
        difference = Difference(
            path=place.path,
            what="nullable",
            old="may be None" if was else "never None",
            new="never None" if was else "may be None",
            backward=accepts_none(place.new) if was else PASS,
            forward=PASS if was else accepts_none(place.old),
            message="may no longer be None" if was else "may now be None",
            keeps_values=False,
        )
        return [difference, *self._compare(inside)]

    def _part_differences(self, place: _Place) -> list[Difference]:
        labels = dict.fromkeys([*place.old.parts, *place.new.parts])
        found = []
        for label in labels:
            old, new = place.old.parts.get(label, _ANY), place.new.parts.get(label, _ANY)
            found += self._compare(place.at(f"{place.path}{_step(label)}", old, new))
        if place.old.kind not in _MERGING or all(one.keeps_values for one in found):
            return found
        lengths = {"min_length", "max_length"} & {*place.old.rules, *place.new.rules}
        return [doubted(one) for one in found] if lengths else found

    def _choice_differences(self, place: _Place) -> list[Difference]:
        old, new = place.old.parts, place.new.parts
        found = []
        for label in dict.fromkeys([*old, *new]):
            if label in old and label in new:
                found += self._compare(place.at(place.path, old[label], new[label]))
                continue
            gone = label in old
            tag = label.removeprefix("choices.")
            found.append(
                Difference(
                    path=place.path,
                    what="values",
                    old=tag if gone else None,
                    new=None if gone else tag,
                    backward=Effect("fail") if gone else PASS,
                    forward=PASS if gone else Effect("fail"),
                    message=f"no longer takes the kind {tag!r}"
                    if gone
                    else f"now takes the kind {tag!r}",
                    keeps_values=False,
                )
            )
        return found

    def _type_difference(self, place: _Place) -> Difference:
        old, new = type_text(place.old), type_text(place.new)
        return Difference(
            path=place.path,
            what="type",
            old=old,
            new=new,
            backward=self._effect(place),
            forward=self._effect(place.swapped()),
            message=f"was {old} and is now {new}",
            keeps_values=False,
        )

    def _effect(self, place: _Place) -> Effect:
        """Say whether the new type of a place takes what the old one takes."""
        place = place.resolved()
        data, reader = place.old, place.new
        if data.deciding() == reader.deciding():
            seen = not any(one.unseen for _, one in _functions_in(data, place.path))
            return PASS if seen else INCONCLUSIVE
        if data.functions or reader.functions:
            bare = replace(
                place, old=replace(data, functions=()), new=replace(reader, functions=())
            )
            return worst(
                [
                    function_effect(data.functions, reader.functions),
                    guarded_effect(
                        self._effect(bare), data.functions, reader.functions, same=False
                    ),
                ]
            )
        if data.kind == "nullable":
            return worst([accepts_none(reader), self._effect(place.into_old(data.parts["inner"]))])
        if data.kind in _CHOICES:
            return worst(self._effect(place.into_old(one)) for one in data.parts.values())
        if reader.kind in {"nullable", "union"}:
            inside_new = (self._effect(place.into_new(one)) for one in reader.parts.values())
            some = any(effect.verdict == "pass" for effect in inside_new)
            return PASS if some else kind_effect(data, reader)
        if data.kind == reader.kind or {data.kind, reader.kind} <= _RECORDS:
            return self._shape_effect(place)
        return kind_effect(data, reader)

    def _shape_effect(self, place: _Place) -> Effect:
        data, reader = place.old, place.new
        if data.kind in _COVARIANT and not _same_shape(data, reader):
            return search(data, reader)
        if data.kind in _RECORDS and "strict" in {*data.rules, *reader.rules}:
            return INCONCLUSIVE
        if data.kind in _SCALARS | _COVARIANT | _RECORDS:
            return worst(one.backward for one in self._compare(place))
        return INCONCLUSIVE


def _inner(old: TypeDescription, new: TypeDescription) -> tuple[TypeDescription, TypeDescription]:
    return old.parts["inner"], new.parts["inner"]


def _same_type_rules(old: TypeDescription, new: TypeDescription) -> bool:
    return all(old.rules.get(name) == new.rules.get(name) for name in _TYPE_RULES)


def _same_shape(old: TypeDescription, new: TypeDescription) -> bool:
    return _same_type_rules(old, new) and (old.kind != "tuple" or set(old.parts) == set(new.parts))


def _step(label: str) -> str:
    name, _, place = label.partition(".")
    if name == "items":
        return f"[{place}]"
    return {"keys": "{key}", "values": "{}", "inner": ""}.get(name, f"<{label}>")


def _functions_in(
    described: TypeDescription, path: str
) -> Iterator[tuple[str, FunctionDescription]]:
    for function in described.functions:
        yield path, function
    for label, part in described.parts.items():
        yield from _functions_in(part, f"{path}{_step(label)}")
    for one in described.fields:
        yield from _functions_in(one.type, f"{path}.{one.name}" if path else one.name)


def _rule_differences(place: _Place) -> list[Difference]:
    backward = rule_groups(place.old, place.new)
    forward = rule_groups(place.new, place.old)
    found = []
    for what, (names, effect) in backward.items():
        sides = [
            {name: one.rules[name] for name in names if name in one.rules}
            for one in (place.old, place.new)
        ]
        if what == "values":
            old, new = type_text(place.old), type_text(place.new)
        else:
            old, new = (rules_text(side) or "no limit" for side in sides)
        found.append(
            Difference(
                path=place.path,
                what=what,
                old=old,
                new=new,
                backward=effect,
                forward=forward[what][1],
                message=f"{what.replace('_', ' ')}: was {old} and is now {new}",
                keeps_values=what not in {"case", "coerce_numbers_to_str", "text"},
            )
        )
    return found
