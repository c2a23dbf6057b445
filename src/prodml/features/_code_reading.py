"""Reads a function and all of the user's own code that it uses.

A function of the user is what its source says, with the values of its defaults, its closure and
the globals it reads; a function of a library is its name. Where a function stands, and what its
module is called, doesn't count.
"""

from __future__ import annotations

import ast
import functools
import inspect
import sys
from itertools import count
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    FunctionType,
    GetSetDescriptorType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml._core.function_source import find_class, find_function
from prodml.errors import FingerprintError
from prodml.features._bytecode import bytecode_reads, bytecode_text, is_compiled_from
from prodml.features._code_origin import (
    is_library,
    is_library_class,
    is_library_function,
    library_name,
    qualified_name,
)
from prodml.features._global_reads import Reads, reads_of_class, reads_of_function
from prodml.features._name_lookup import UNDEFINED, LibraryName, Surroundings, methods_of
from prodml.features._shown_values import shown
from prodml.features._syntax_dump import dump_class, dump_function
from prodml.features._value_text import Untold, ValueText, digest_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from prodml._core.function_source import Definition

__all__ = ["CodeReading"]

_BUILTIN_KINDS: Final = (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    GetSetDescriptorType,
    MethodDescriptorType,
    MethodWrapperType,
    WrapperDescriptorType,
)
#: Where compilers and vectorisers of other libraries keep the function that they were given.
_INNER_FUNCTIONS: Final = ("__wrapped__", "py_func", "pyfunc")
#: Values of a class that are compared; all else in it follows from its source.
_CLASS_DATA: Final = (bool, int, float, complex, str, bytes, tuple, list, dict, set, frozenset)
_NO_BEHAVIOUR: Final = frozenset({"object", "Generic", "Protocol", "ABC"})


class CodeReading:
    """Reads code on behalf of one function. Not for several threads.

    Parameters
    ----------
    feature : str
        What the function is called in messages.

    Attributes
    ----------
    parts : dict of str to str
        What went in: a digest for each piece of source and each value.
    sources : dict of str to str
        The source of each piece of code, and each value it reads, in the order of reading.
    weaknesses : dict of str to str
        Why what was read is known by its bytecode, or by its name alone.
    roots : set of str
        Top-level modules of the libraries that are used.
    """

    def __init__(self, feature: str) -> None:
        self.feature = feature
        self.parts: dict[str, str] = {}
        self.sources: dict[str, str] = {}
        self._labels: dict[int, tuple[Any, str]] = {}
        self.weaknesses: dict[str, str] = {}
        self.roots: set[str] = set()
        self._label = feature
        self._values = ValueText(self._describe, self._describe_object)

    def read(self, function: Any, /) -> str:
        """Return the digest of a function.

        Raises
        ------
        FingerprintError
            If it reads something whose content cannot be told.
        """
        text = self._value("", function)
        if not self.parts:  # of a library
            self.parts[self.feature] = digest_text(text)
            self.sources[self.feature] = f"# {self.feature}: {shown(function, text)}\n"
        return digest_text(text)

    # ------------------------------------------------------------------ what kind of thing it is

    def _describe(self, value: Any) -> str | None:
        """Return the text of code, or None for data."""
        cases: tuple[tuple[Any, Callable[[Any], str]], ...] = (
            (ModuleType, self._module),
            (type, self._class),
            (FunctionType, self._function),
            (MethodType, self._method),
            (functools.partial, self._partial),
            (_BUILTIN_KINDS, self._builtin),
            (np.ufunc, self._ufunc),
        )
        for kinds, describe in cases:
            if isinstance(value, kinds):
                return describe(value)
        return self._marker(value)

    def _marker(self, value: Any) -> str | None:
        if isinstance(value, LibraryName):
            return self._named(value.name)
        return "(undefined)" if value is UNDEFINED else None

    def _describe_object(self, value: Any) -> str | None:
        """Return the text of an object, by its class and what it holds, or None."""
        kind = type(value)
        if kind.__module__ in {"typing", "types"} and hasattr(value, "__origin__"):
            return f"(annotation {self._values.text([value.__origin__, *value.__args__])})"
        library = is_library_class(kind)
        if library and callable(value) and self._is_importable(value):
            return self._named(qualified_name(value))
        for name in _INNER_FUNCTIONS if library and callable(value) else ():
            if isinstance(inner := getattr(value, name, None), FunctionType):
                return f"({self._named(qualified_name(kind))} {self._values.text(inner)})"
        if library or not self._is_readable(kind):
            return None
        return f"(object {self._values.text(kind)} {self._values.text(self._held(value))})"

    @staticmethod
    def _is_readable(kind: type) -> bool:
        """Say whether what objects of a class are stands in Python alone."""
        return all(
            one.__name__ in _NO_BEHAVIOUR or not is_library_class(one) for one in kind.__mro__
        )

    @staticmethod
    def _held(value: Any) -> dict[str, Any]:
        slots = [
            name
            for cls in type(value).__mro__
            for name in vars(cls).get("__slots__", ())
            if name not in {"__dict__", "__weakref__"}
        ]
        held = {name: getattr(value, name) for name in slots if hasattr(value, name)}
        return dict(sorted((held | getattr(value, "__dict__", {})).items()))

    # --------------------------------------------------------------------------- libraries

    def _named(self, name: str) -> str:
        self.roots.add(name.partition(".")[0])
        return f"(library {name})"

    def _known(self, thing: Any) -> str:
        """Return the name of a library's class or function, with its version where it has one."""
        version = vars(thing).get("_fingerprint_version")
        name = qualified_name(thing)
        return self._named(name) if version is None else f"({self._named(name)} {version})"

    @staticmethod
    def _is_importable(value: Any) -> bool:
        """Say whether something is found under its name in a library."""
        module = library_name(value)
        found: Any = sys.modules.get(module) if is_library(module) else None
        for name in str(getattr(value, "__qualname__", "?")).split("."):
            found = getattr(found, name, None)
        return found is value and found is not None

    def _module(self, module: ModuleType) -> str:
        if is_library(module.__name__):
            return self._named(module.__name__)
        name = module.__name__
        message = f"the module {name!r} itself, of which anything may be read (name what is used)"
        raise Untold(message)

    def _ufunc(self, value: np.ufunc) -> str:
        for module in ("numpy", "scipy.special"):
            if getattr(sys.modules.get(module), value.__name__, None) is value:
                return self._named(f"{module}.{value.__name__}")
        reason = f"the ufunc {value.__name__!r}, which is no function of numpy or scipy"
        raise Untold(reason)

    def _builtin(self, value: Any) -> str:
        owner = getattr(value, "__self__", None)
        name = str(getattr(value, "__qualname__", value.__name__))
        if isinstance(owner, ModuleType) or (owner is None and library_name(value)):
            module = library_name(value)
            if module and not is_library(module):
                self.weaknesses[name] = f"{name} is compiled: what it does is not seen"
                return f"(compiled {name})"
            return self._named(qualified_name(value))
        if owner is None or isinstance(owner, type):
            return self._named(f"builtins.{name}")
        return f"(method builtins.{name} {self._values.text(owner)})"

    def _method(self, method: MethodType) -> str:
        parts = self._values.text(method.__func__), self._values.text(method.__self__)
        return f"(method {' '.join(parts)})"

    def _partial(self, value: functools.partial[Any]) -> str:
        parts = (value.func, value.args, value.keywords)
        return f"(partial {' '.join(map(self._values.text, parts))})"

    # ---------------------------------------------------------------------------- own code

    def _function(self, function: FunctionType) -> str:
        if not is_library_function(function):
            text = self._values.nested(function, self._own_function)
            return f"(function {text})"
        if self._is_importable(function):
            return self._known(function)
        inner = getattr(function, "__wrapped__", None)
        root = str(function.__globals__["__name__"]).partition(".")[0]
        name = self._named(f"{root}.{function.__code__.co_qualname}")
        if isinstance(inner, FunctionType):  # what a decorator of a library made of it
            handlers = vars(function).get("registry")  # of a singledispatch
            return f"({name} {self._values.text(inner)} {self._values.text(handlers)})"
        around = Surroundings(function)
        given = [*around.defaults().items(), *sorted(around.closure().items())]
        return f"(made {name} {self._values.text(given)})"

    def _own_function(self, function: Any) -> str:
        """Return the digest of a function's source and of all that it reads."""
        label = self._label_of(function)
        code = function.__code__
        found = find_function(code)
        if found is not None and is_compiled_from(code, found.node, found.file_text):
            said, reads = dump_function(found.node), reads_of_function(found.node)
            self.sources[label] = f"# {label}\n{found.text.rstrip()}\n"
        else:
            said, reads = bytecode_text(code), bytecode_reads(code)
            why = "has no source" if found is None else "runs other code than its source says"
            self.weaknesses[label] = f"{label} {why}: it is known by its bytecode"
            self.sources[label] = f"# {label}: no source\n"
        self.parts[label] = digest_text(said)
        around = Surroundings(function)
        outer, self._label = self._label, label
        values = [
            *((f"default {name}", value) for name, value in around.defaults().items()),
            *self._read_values(reads, around),
        ]
        texts = [f"{name}={self._value(name, value)}" for name, value in values]
        self._label = outer
        return digest_text("\n".join([said, *texts]))

    def _class(self, cls: type) -> str:
        if is_library_class(cls):
            return self._known(cls)
        return f"(class {self._values.nested(cls, self._own_class)})"

    def _own_class(self, cls: Any) -> str:
        label = self._label_of(cls)
        found = find_class(cls)
        values: list[tuple[str, Any]]
        if found is not None and _is_current(cls, found):
            said = dump_class(found.node)
            values = [
                *self._read_values(reads_of_class(found.node), Surroundings.of_class(cls)),
                *_data_of(cls, found.node),
            ]
            self.sources[label] = f"# {label}\n{found.text.rstrip()}\n"
        else:
            said = "members alone"
            self.weaknesses[label] = f"{label} has no source: it is known by its members"
            self.sources[label] = f"# {label}: no source\n"
            values = _members_of(cls)
        self.parts[label] = digest_text(said)
        outer, self._label = self._label, label
        texts = [f"{name}={self._value(name, value)}" for name, value in values]
        self._label = outer
        return digest_text("\n".join([said, *texts]))

    # ------------------------------------------------------------------------- what it reads

    @staticmethod
    def _read_values(reads: Reads, around: Surroundings) -> list[tuple[str, Any]]:
        """Return each thing that is read, under the name by which the code knows it."""
        found: dict[str, Any] = {}
        for name, chains in reads.names.items():
            found.update(around.look_up(name, chains))
        for imported, chains in reads.imports.items():
            found.update(around.import_for(imported, chains))
        return sorted(found.items())

    def _value(self, name: str, value: Any) -> str:
        """Return the text of what the current code reads, and note it as a part."""
        try:
            text = self._values.text(value)
        except Untold as fault:
            raise self._error(name, fault.reason) from None
        except RecursionError:
            raise self._error(name, "a value that is nested too deeply") from None
        if name and not text.startswith(("(function", "(class")):
            part = f"{self._label}: {name}"
            self.parts[part] = digest_text(text)
            self.sources[part] = f"# {part} = {shown(value, text)}\n"
        return text

    def _error(self, name: str, reason: str) -> FingerprintError:
        inside = "" if self._label == self.feature else f" (in {self._label!r})"
        what = f"{name!r}{inside} holds" if name else "is"
        message = (
            f"Feature {self.feature!r} cannot be given a fingerprint: {what} {reason}. "
            "Read plain values, or give the object a method `__fingerprint__` that returns "
            "a str which changes whenever its content does."
        )
        return FingerprintError(message, feature=self.feature, name=name or self.feature)

    def _label_of(self, thing: Any) -> str:
        """Return a name for code that no other code has here."""
        known = self._labels.get(id(thing))
        if known is not None:
            return known[1]
        name = str(thing.__qualname__).replace("<locals>.", "") if self._labels else self.feature
        taken = {label for _, label in self._labels.values()}
        candidates = (f"{name} ({number})" for number in count(2))
        label = name if name not in taken else next(one for one in candidates if one not in taken)
        self._labels[id(thing)] = thing, label  # kept, so that nothing else gets its id
        return label


def _is_current(cls: type, found: Definition[ast.ClassDef]) -> bool:
    """Say whether the methods that run are those of the source."""
    written = {one.name: one for one in found.node.body if isinstance(one, ast.FunctionDef)}
    return all(
        is_compiled_from(function.__code__, written[name], found.file_text)
        for name, function in methods_of(cls).items()
        if name in written and function.__code__.co_qualname == f"{cls.__qualname__}.{name}"
    )


def _members_of(cls: type) -> list[tuple[str, Any]]:
    """Return what can be seen of a class without its source."""
    held = sorted(vars(cls).items())
    fields = inspect.get_annotations(cls)
    return [
        *((f"base {one.__qualname__}", one) for one in cls.__bases__),
        *((f"method {name}", one) for name, one in sorted(methods_of(cls).items())),
        *((f"field {name}", repr(one)) for name, one in fields.items()),
        *((f"has {name}", one) for name, one in held
          if type(one) in _CLASS_DATA and not name.startswith("__")),
    ]  # fmt: skip


def _data_of(cls: type, node: ast.ClassDef) -> list[tuple[str, Any]]:
    """Return the plain values of a class now, which may be other than its source says."""
    targets = [
        target
        for one in node.body
        if isinstance(one, ast.Assign | ast.AnnAssign)
        for target in (one.targets if isinstance(one, ast.Assign) else [one.target])
    ]
    names = sorted({target.id for target in targets if isinstance(target, ast.Name)})
    return [
        (f"has {name}", vars(cls)[name])
        for name in names
        if type(vars(cls).get(name)) in _CLASS_DATA
    ]
