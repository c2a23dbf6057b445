"""The parts of a contract's description: types, fields, functions and checks, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from prodml.contracts._tagged import canonical_json
from prodml.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "CheckDescription",
    "FieldDescription",
    "FunctionDescription",
    "InputPath",
    "TypeDescription",
]

#: Where a value is looked for: a name, and keys or positions within what stands there.
InputPath = tuple[str | int, ...]

#: The same rule told from the other side.
_MIRRORED: Final = {">": "<", ">=": "<="}


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionDescription:
    """A function that the model calls, told apart by what its source says.

    Attributes
    ----------
    mode : str
        When it is called: ``"before"``, ``"after"``, ``"wrap"`` or ``"plain"`` for validators;
        ``"init"``, ``"post_init"``, ``"missing"``, ``"discriminator"``, ``"factory"`` for hooks.
    name : str
        Its qualified name, for people.
    code : str or None
        Digest of its source: of the tokens, without comments, layout, decorators and docstring.
        None for functions of Python and pydantic, which their name identifies, and where no
        source was found, which `unseen` says.
    reads : mapping of str to JSON value
        What it was given and what it reads around itself: arguments of a partial, variables of an
        enclosing function, default values, constants and functions of its module.
    unseen : tuple of str
        What could not be looked into. A function with such a part is never taken to be unchanged.
    """

    mode: str
    name: str
    code: str | None
    reads: Mapping[str, Any] = field(default_factory=dict)
    unseen: tuple[str, ...] = ()

    def deciding(self) -> dict[str, Any]:
        """Return what decides which values pass, as JSON values."""
        identity = self.name if self.code is None else self.code
        return {"mode": self.mode, "code": identity, "reads": dict(self.reads)}

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        out: dict[str, Any] = {"mode": self.mode, "name": self.name, "code": self.code}
        return out | _filled(reads=dict(self.reads), unseen=list(self.unseen))

    @classmethod
    def from_dict(cls, content: Any) -> FunctionDescription:
        """Restore it from :meth:`to_dict`; FormatError on anything else."""
        read = _Reader(content, "a function", {"mode", "name", "code", "reads", "unseen"})
        return cls(
            mode=read.text("mode"),
            name=read.text("name"),
            code=read.text("code", optional=True),
            reads=read.mapping("reads"),
            unseen=tuple(map(str, read.items("unseen"))),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeDescription:
    """What values a field, or a part of it, takes.

    Attributes
    ----------
    kind : str
        Name of the type as pydantic-core has it: ``"int"``, ``"str"``, ``"literal"``, ``"list"``,
        ``"nullable"``, ``"union"``, ``"model"`` ...; ``"recursive"`` where it contains itself.
        Kinds that prodml does not know are described all the same, by their own name.
    rules : mapping of str to JSON value
        Constraints and settings that are not at their default, those of the model included.
        ``{"ge": 0}``, ``{"values": ["a", "b"]}``; values that JSON lacks are tagged with their
        type, ``{"ge": {"decimal": "0.1"}}``.
    parts : mapping of str to TypeDescription
        Types inside: ``"items"`` of a list, ``"inner"`` of a nullable, ``"choices.0"`` of a union.
    fields : tuple of FieldDescription
        Of a model, a dataclass or a TypedDict.
    functions : tuple of FunctionDescription
        Validators and hooks around it, the outermost first.
    name : str or None
        Name of the class, for people.
    """

    kind: str
    rules: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, TypeDescription] = field(default_factory=dict)
    fields: tuple[FieldDescription, ...] = ()
    functions: tuple[FunctionDescription, ...] = ()
    name: str | None = None

    def deciding(self) -> dict[str, Any]:
        """Return what decides which values are accepted, as JSON values."""
        rules = dict(self.rules)
        if isinstance(rules.get("values"), list):
            rules["values"] = sorted(rules["values"], key=canonical_json)
        fields = sorted(self.fields, key=lambda one: one.name)
        return {"kind": self.kind} | _filled(
            rules=rules,
            parts={name: part.deciding() for name, part in self.parts.items()},
            fields=[one.deciding() for one in fields],
            functions=[one.deciding() for one in self.functions],
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"kind": self.kind} | _filled(
            name=self.name,
            rules=dict(self.rules),
            parts={name: part.to_dict() for name, part in self.parts.items()},
            fields=[one.to_dict() for one in self.fields],
            functions=[one.to_dict() for one in self.functions],
        )

    @classmethod
    def from_dict(cls, content: Any) -> TypeDescription:
        """Restore it from :meth:`to_dict`; FormatError on anything else."""
        known = {"kind", "name", "rules", "parts", "fields", "functions"}
        read = _Reader(content, "a type", known)
        parts = read.mapping("parts")
        return cls(
            kind=read.text("kind"),
            rules=read.mapping("rules"),
            parts={name: cls.from_dict(part) for name, part in parts.items()},
            fields=tuple(map(FieldDescription.from_dict, read.items("fields"))),
            functions=tuple(map(FunctionDescription.from_dict, read.items("functions"))),
            name=read.text("name", optional=True),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDescription:
    """One field of a model.

    Attributes
    ----------
    name : str
        The attribute.
    inputs : tuple of tuple
        Where its value is looked for, in order: ``(("age",),)``; with aliases several, and with a
        path into a nested value ``(("person", "age"),)``.
    type : TypeDescription
        What it takes.
    required : bool
        Whether it must be there.
    default : mapping or None
        What stands in for it otherwise: ``{"value": ...}`` or ``{"factory": ...}``.
    rules : mapping of str to JSON value
        Settings of the field itself that are not at their default.
    description : str or None
        What the model says about it, for people.
    """

    name: str
    inputs: tuple[InputPath, ...]
    type: TypeDescription
    required: bool
    default: Mapping[str, Any] | None = None
    rules: Mapping[str, Any] = field(default_factory=dict)
    description: str | None = None

    def deciding(self) -> dict[str, Any]:
        """Return what decides which values are accepted, as JSON values.

        The default counts: it is what checks and model validators see.
        """
        default = dict(self.default) if self.default is not None else None
        if default is not None and "factory" in default:
            default = {"factory": FunctionDescription.from_dict(default["factory"]).deciding()}
        return {
            "name": self.name,
            "inputs": [list(path) for path in self.inputs],
            "type": self.type.deciding(),
            "required": self.required,
        } | _filled(default=default, rules=dict(self.rules))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "name": self.name,
            "inputs": [list(path) for path in self.inputs],
            "type": self.type.to_dict(),
            "required": self.required,
        } | _filled(default=self.default, rules=dict(self.rules), description=self.description)

    @classmethod
    def from_dict(cls, content: Any) -> FieldDescription:
        """Restore it from :meth:`to_dict`; FormatError on anything else."""
        known = {"name", "inputs", "type", "required", "default", "rules", "description"}
        read = _Reader(content, "a field", known)
        paths = read.items("inputs")
        if not paths or not all(isinstance(path, list) and path for path in paths):
            message = f"`inputs` of a field must be a list of paths, got {paths!r}."
            raise FormatError(message)
        default = read.mapping("default") if content.get("default") is not None else None
        if default is not None and "factory" in default:
            FunctionDescription.from_dict(default["factory"])
        return cls(
            name=read.text("name"),
            inputs=tuple(tuple(path) for path in paths),
            type=TypeDescription.from_dict(content.get("type")),
            required=read.flag("required"),
            default=default,
            rules=read.mapping("rules"),
            description=read.text("description", optional=True),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckDescription:
    """One check beyond single fields.

    Attributes
    ----------
    rule : str
        ``"unique"``, ``"compare"``, ``"foreign_key"``, ``"row_count"``, ``"null_fraction"`` or
        ``"freshness"``.
    columns : tuple of str
        The fields it reads.
    arguments : mapping of str to JSON value
        What else it was given. Of a reference the number of values and their digest.
    """

    rule: str
    columns: tuple[str, ...]
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def deciding(self) -> dict[str, Any]:
        """Return what decides which rows pass, as JSON values: one form for each rule."""
        columns, arguments = list(self.columns), dict(self.arguments)
        if self.rule == "unique":
            columns = sorted(set(columns))
        operator = arguments.get("operator")
        if operator in _MIRRORED:
            columns, arguments["operator"] = columns[::-1], _MIRRORED[operator]
        elif operator in {"==", "!="}:
            columns = sorted(columns)
        return {"rule": self.rule, "columns": columns, "arguments": arguments}

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"rule": self.rule, "columns": list(self.columns)} | _filled(
            arguments=dict(self.arguments)
        )

    @classmethod
    def from_dict(cls, content: Any) -> CheckDescription:
        """Restore it from :meth:`to_dict`; FormatError on anything else."""
        read = _Reader(content, "a check", {"rule", "columns", "arguments"})
        return cls(
            rule=read.text("rule"),
            columns=tuple(map(str, read.items("columns"))),
            arguments=read.mapping("arguments"),
        )


def _filled(**contents: Any) -> dict[str, Any]:
    """Leave out what says nothing."""
    return {name: content for name, content in contents.items() if content not in (None, [], {})}


class _Reader:
    """Takes a JSON object apart, and says what is wrong with it."""

    def __init__(self, content: Any, what: str, known: set[str]) -> None:
        if not isinstance(content, dict):
            message = f"The description of {what} is a JSON object, got {type(content).__name__}."
            raise FormatError(message)
        if unknown := sorted(set(content) - known):
            message = f"The description of {what} has no {unknown}; a later prodml wrote it?"
            raise FormatError(message)
        self._content: dict[str, Any] = content
        self._what = what

    def _get(self, name: str, kind: type, empty: Callable[[], Any] | None) -> Any:
        content = self._content.get(name)
        if content is None and empty is not None:
            return empty()
        if not isinstance(content, kind):
            message = (
                f"`{name}` of {self._what} must be a {kind.__name__}, got {type(content).__name__}."
            )
            raise FormatError(message)
        return content

    def text(self, name: str, *, optional: bool = False) -> Any:
        return self._get(name, str, (lambda: None) if optional else None)

    def flag(self, name: str) -> bool:
        return bool(self._get(name, bool, None))

    def mapping(self, name: str) -> dict[str, Any]:
        return dict(self._get(name, dict, dict))

    def items(self, name: str) -> list[Any]:
        return list(self._get(name, list, list))
