"""Whether one type takes every value that another takes: proved, refuted, or not known.

``pass`` is only said where it follows from the rules, ``fail`` only with a value in hand that
pydantic-core itself takes by the one type and refuses by the other, and ``inconclusive``
everywhere else. Set aside are values that no file, frame or database delivers: numbers that no
float can hold (beyond 1.8e308), complex numbers and fractions that equal a whole one, and
instances of a user's own classes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from prodml.contracts._intervals import float_interval, interval_of
from prodml.contracts._rebuilding import acceptor_of
from prodml.contracts._samples import candidates, guises
from prodml.contracts._tagged import UNKNOWN, canonical_json, from_tagged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from prodml.contracts._shapes import TypeDescription
    from prodml.evidence import Verdict

__all__ = [
    "INCONCLUSIVE",
    "PASS",
    "Effect",
    "accepts_none",
    "kind_effect",
    "rule_groups",
    "search",
    "worst",
]


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change does to data in one direction.

    Attributes
    ----------
    verdict : {"pass", "fail", "inconclusive"}
        Whether all data can still be read.
    example : object
        A value that no longer can, or ``UNKNOWN``.
    """

    verdict: Verdict
    example: Any = UNKNOWN


PASS: Final = Effect("pass")
INCONCLUSIVE: Final = Effect("inconclusive")

_ORDER: Final = ("pass", "inconclusive", "fail")
_RANGE: Final = ("ge", "gt", "le", "lt", "allow_inf_nan")
_BOUNDS: Final = frozenset({"ge", "gt", "le", "lt"})
_LENGTH: Final = ("min_length", "max_length")
_DIGITS: Final = ("max_digits", "decimal_places")
_PATTERN: Final = ("pattern", "regex_engine")
_CASE: Final = ("to_lower", "to_upper")
#: What a reader that has a rule not at all takes more of, whatever the rule says.
_ONLY_NARROWS: Final = frozenset(
    {"tz_constraint", "now_op", "version", "strict", "microseconds_precision"}
)
#: Kinds read by another in every form that they take: numbers, digits as text, and so on.
_WIDENED: Final = frozenset({("int", "float"), ("decimal", "float")})
#: Types of values that a person has in mind.
_USUAL: Final[Mapping[str, tuple[type, ...]]] = {
    "bool": (bool,),
    "int": (int,),
    "float": (float, int),
    "decimal": (Decimal,),
    "str": (str,),
    "bytes": (bytes,),
    "date": (date,),
    "datetime": (datetime,),
    "time": (time,),
    "timedelta": (timedelta,),
}


def worst(effects: Iterable[Effect]) -> Effect:
    """Return the effect that decides: fail before inconclusive before pass."""
    return max(effects, key=lambda effect: _ORDER.index(effect.verdict), default=PASS)


def rule_groups(
    data: TypeDescription, reader: TypeDescription, /
) -> dict[str, tuple[tuple[str, ...], Effect]]:
    """Hold the rules of two types of one kind against each other, a group at a time.

    Groups are independent: what one group of the reader lets through does not depend on the
    others, so the reader takes all of the data if, and only if, each of its groups does.

    Parameters
    ----------
    data, reader : TypeDescription
        Types of one kind.

    Returns
    -------
    dict
        For each group that differs, by its name, the rules in it and the effect.
    """
    changed = {
        name
        for name in {*data.rules, *reader.rules}
        if data.rules.get(name) != reader.rules.get(name)
    }
    found = {}
    for what, names in _groups_of(data.kind, changed).items():
        if not changed & set(names):
            continue
        rules = {name: data.rules[name] for name in data.rules if name not in names}
        rules |= {name: reader.rules[name] for name in names if name in reader.rules}
        single = replace(data, rules=rules)
        proof = _PROOFS.get(what, _only_narrows(what))
        found[what] = (names, PASS if proof(data, single) else _judge_values(data, single))
    return found


def _groups_of(kind: str, changed: set[str]) -> dict[str, tuple[str, ...]]:
    groups: dict[str, tuple[str, ...]] = {"range": _RANGE, "digits": _DIGITS, "case": _CASE}
    if kind in {"literal", "enum"}:
        groups = {"values": ("values", "sub_type")}
    elif "strip_whitespace" in changed:  # what remains of a text decides its length and its match
        groups["text"] = ("strip_whitespace", *_LENGTH, *_PATTERN)
    else:
        groups |= {"length": _LENGTH, "pattern": _PATTERN}
    told = {name for names in groups.values() for name in names}
    return groups | {name: (name,) for name in sorted(changed - told)}


def _is_within_range(data: TypeDescription, reader: TypeDescription) -> bool:
    mine, theirs = interval_of(data.kind, data.rules), interval_of(reader.kind, reader.rules)
    if mine is None or theirs is None:
        return False
    if mine.is_empty:
        return True
    if mine.scale and theirs.scale and mine.scale != theirs.scale:
        return False
    usual = data.kind == "float"
    if data.rules.get("allow_inf_nan", usual):
        if not mine.is_bounded and not reader.rules.get("allow_inf_nan", usual):
            return False
        # NaN, which may come as text, is on neither side of any bound
        if not _BOUNDS & set(data.rules) and _BOUNDS & set(reader.rules):
            return False
    return mine.lies_within(theirs)


def _is_within_length(data: TypeDescription, reader: TypeDescription) -> bool:
    mine, theirs = data.rules, reader.rules
    least, most = theirs.get("min_length", 0), theirs.get("max_length")
    if mine.get("min_length", 0) < least:
        return False
    return most is None or ("max_length" in mine and mine["max_length"] <= most)


def _is_within_text(data: TypeDescription, reader: TypeDescription) -> bool:
    """Compare lengths where one side strips spaces from a text and the other doesn't."""
    if "pattern" in reader.rules:
        return False
    if "strip_whitespace" in reader.rules:  # what is left may be as short as nothing
        return "min_length" not in reader.rules and _is_within_length(data, reader)
    return "max_length" not in reader.rules and _is_within_length(data, reader)


def _is_within_digits(data: TypeDescription, reader: TypeDescription) -> bool:
    mine, theirs = data.rules, reader.rules
    for name in _DIGITS:
        if name in theirs and (name not in mine or mine[name] > theirs[name]):
            return False
    if not set(_DIGITS) <= set(theirs):
        return True
    # with both given, so many digits are left before the point
    return bool(
        mine["max_digits"] - mine["decimal_places"]
        <= theirs["max_digits"] - theirs["decimal_places"]
    )


def _is_multiple(data: TypeDescription, reader: TypeDescription) -> bool:
    if "multiple_of" not in reader.rules:
        return True
    big, small = (
        from_tagged(data.rules.get("multiple_of")),
        from_tagged(reader.rules["multiple_of"]),
    )
    whole = isinstance(big, int) and isinstance(small, int) and small != 0
    return whole and big % small == 0


def _is_subset(data: TypeDescription, reader: TypeDescription) -> bool:
    same_form = data.rules.get("sub_type") == reader.rules.get("sub_type")
    return same_form and _holds_all(reader.rules.get("values"), data.rules.get("values"))


def _holds_all(whole: Any, part: Any) -> bool:
    if not isinstance(whole, list) or not isinstance(part, list):
        return False
    known = {canonical_json(one) for one in whole}
    return all(canonical_json(one) in known for one in part)


def _only_narrows(name: str) -> Callable[[TypeDescription, TypeDescription], bool]:
    return lambda _, reader: name in _ONLY_NARROWS and name not in reader.rules


#: What is certain about a group of rules, from the rules alone.
_PROOFS: Final[Mapping[str, Callable[[TypeDescription, TypeDescription], bool]]] = {
    "range": _is_within_range,
    "length": _is_within_length,
    "digits": _is_within_digits,
    "multiple_of": _is_multiple,
    "values": _is_subset,
    # the case is changed after everything else was judged
    "case": lambda _data, _reader: True,
    "text": _is_within_text,
    "pattern": lambda _, reader: "pattern" not in reader.rules,
    "coerce_numbers_to_str": lambda _, reader: "coerce_numbers_to_str" in reader.rules,
}


def kind_effect(data: TypeDescription, reader: TypeDescription, /) -> Effect:
    """Say whether a type of another kind takes all of the data.

    Containers are looked into by the caller; here they are searched for a counter-example alone.
    """
    bounds = interval_of(data.kind, data.rules)
    if reader.kind == "any" or (bounds is not None and bounds.is_empty):
        return PASS
    if _is_widened(data, reader):
        return PASS
    return _judge_values(data, reader)


def _judge_values(data: TypeDescription, reader: TypeDescription) -> Effect:
    """Ask pydantic-core about all values of the data where they are few, else about samples."""
    values = _all_values(data)
    taker, giver = acceptor_of(reader, upper=False), acceptor_of(data, upper=False)
    if values is None or taker is None or giver is None:
        return search(data, reader)
    turned_away = (one for one in values if giver.accepts(one) and not taker.accepts(one))
    example = next(turned_away, UNKNOWN)
    return PASS if example is UNKNOWN else Effect("fail", example)


def _is_widened(data: TypeDescription, reader: TypeDescription) -> bool:
    pair = (data.kind, reader.kind)
    if pair == ("date", "datetime"):
        return not data.rules.keys() - {"strict"} and not reader.rules
    exact_ints = pair == ("int", "decimal") and "strict" in data.rules
    if pair not in _WIDENED and not exact_ints:
        return False
    if "strict" in reader.rules and "strict" not in data.rules:
        return False
    if set(reader.rules) - {*_RANGE, "strict"}:
        return False
    mine, theirs = interval_of(data.kind, data.rules), interval_of(reader.kind, reader.rules)
    if mine is None or theirs is None:
        return False
    if "allow_inf_nan" in data.rules and "allow_inf_nan" in reader.rules:
        return False
    rounded = float_interval(mine) if reader.kind == "float" else mine
    return rounded is not None and rounded.lies_within(theirs)


def _all_values(data: TypeDescription) -> list[Any] | None:
    """Return every value, in every form, of a type that takes few."""
    if data.kind == "none":
        return [None]
    if data.kind == "bool" and "strict" in data.rules:
        return [True, False]
    if data.kind not in {"literal", "enum"}:
        return None
    values = [from_tagged(one) for one in data.rules.get("values", ())]
    if any(one is UNKNOWN for one in values):
        return None
    return [form for one in values for form in guises(one)]


def accepts_none(reader: TypeDescription, /) -> Effect:
    """Say whether a type takes None."""
    acceptor = acceptor_of(reader, upper=True)
    if acceptor is None:
        return INCONCLUSIVE
    if not acceptor.accepts(None):
        return Effect("fail", None)
    return PASS if acceptor_of(reader, upper=False) is not None else INCONCLUSIVE


def search(data: TypeDescription, reader: TypeDescription, /) -> Effect:
    """Look for a value that fits the data and not the reader."""
    giver, taker = acceptor_of(data, upper=False), acceptor_of(reader, upper=True)
    if giver is None or taker is None:
        return INCONCLUSIVE
    example: Any = UNKNOWN
    for value in candidates(data, reader):
        if giver.accepts(value) and not taker.accepts(value):
            if _comes_to_mind(data.kind, value):
                return Effect("fail", value)
            example = value if example is UNKNOWN else example
    return INCONCLUSIVE if example is UNKNOWN else Effect("fail", example)


def _comes_to_mind(kind: str, value: Any) -> bool:
    """Say whether a value is what a person would call one of a type, so that it makes a point."""
    types = _USUAL.get(kind)
    return types is None or type(value) in types
