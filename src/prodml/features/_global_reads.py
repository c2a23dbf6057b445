"""What code reads from around itself: globals, and what it imports for itself.

By the rules of scopes, so that a name which is local to one part of a function and global to
another is seen. A name that is read with attributes, as ``np.log1p``, keeps them: of a module only
what is used counts.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prodml._core.function_source import FunctionNode

__all__ = ["Chain", "Imported", "Reads", "reads_of_class", "reads_of_function"]

#: Attributes in the order in which they are read; empty for the thing itself.
Chain = tuple[str, ...]

_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
#: Which field of other nodes is a name that they set.
_NAMING: Final = {
    ast.FunctionDef: "name",
    ast.AsyncFunctionDef: "name",
    ast.ClassDef: "name",
    ast.ExceptHandler: "name",
    ast.MatchAs: "name",
    ast.MatchStar: "name",
    ast.MatchMapping: "rest",
}
_COMPREHENSIONS: Final = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True, slots=True)
class Imported:
    """A module that code imports when it runs.

    Attributes
    ----------
    module : str
        The module whose attributes are read.
    loaded : str
        The module that must be imported for that, which may be one inside it.
    level : int
        How many dots stand before it.
    """

    module: str
    loaded: str
    level: int


@dataclass(frozen=True, slots=True)
class Reads:
    """What code reads from around itself.

    Attributes
    ----------
    names : dict of str to set of tuple
        Names that are not its own, and the attributes by which each is used.
    imports : dict of Imported to set of tuple
        The same for what it imports.
    """

    names: defaultdict[str, set[Chain]] = field(default_factory=lambda: defaultdict(set))
    imports: defaultdict[Imported, set[Chain]] = field(default_factory=lambda: defaultdict(set))


def reads_of_function(node: FunctionNode, /) -> Reads:
    """Return what the body of a function reads, and the functions inside it.

    Its defaults, decorators and annotations are read where it is defined, and not here. Names of
    an enclosing function are among those returned.
    """
    reads = Reads()
    _visit_body(node, None, reads)
    return reads


def reads_of_class(node: ast.ClassDef, /) -> Reads:
    """Return what a class reads: bases, decorators, fields with their annotations, and methods."""
    reads = Reads()
    _Visitor(_Scope("function", None), reads).visit(node)
    return reads


@dataclass(slots=True)
class _Scope:
    kind: Literal["function", "class"]
    parent: _Scope | None
    bound: set[str] = field(default_factory=set)
    outside: set[str] = field(default_factory=set)
    imports: dict[str, list[tuple[Imported, Chain]]] = field(default_factory=dict)

    def owner_of(self, name: str) -> _Scope | None:
        """Return the scope in which a name is bound, or None where it is none of these."""
        scope: _Scope | None = self
        while scope is not None:
            if name in scope.outside:
                return None
            if name in scope.bound and (scope.kind == "function" or scope is self):
                return scope
            scope = scope.parent
        return None


def _visit_body(node: FunctionNode, parent: _Scope | None, reads: Reads) -> None:
    body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
    scope = _Scope("function", parent)
    scope.bound.update(one.arg for one in ast.walk(node.args) if isinstance(one, ast.arg))
    _bind(scope, body)
    visitor = _Visitor(scope, reads)
    for statement in body:
        visitor.visit(statement)


def _bind(scope: _Scope, nodes: Iterable[ast.AST]) -> None:
    """Note which names the code of a scope sets itself."""
    passed: set[str] = set()
    for node in (inner for outer in nodes for inner in _of_one_scope(outer)):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            scope.bound.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            _bind_import(scope, node)
        elif isinstance(node, ast.Global):
            scope.outside.update(node.names)
        elif isinstance(node, ast.Nonlocal):
            passed.update(node.names)
        elif isinstance(name := getattr(node, _NAMING.get(type(node), ""), None), str):
            scope.bound.add(name)
    scope.bound -= passed


def _bind_import(scope: _Scope, node: ast.Import | ast.ImportFrom) -> None:
    for alias in node.names:
        root = alias.name.partition(".")[0]
        found: tuple[Imported, Chain]
        if isinstance(node, ast.ImportFrom):
            name = alias.asname or alias.name
            module = node.module or ""
            found = Imported(module, module, node.level), (alias.name,)
        elif alias.asname:
            name, found = alias.asname, (Imported(alias.name, alias.name, 0), ())
        else:
            name, found = root, (Imported(root, alias.name, 0), ())
        scope.bound.add(name)
        scope.imports.setdefault(name, []).append(found)


def _of_one_scope(outer: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and what it holds, but not the inside of functions and comprehensions."""
    waiting = [outer]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, _COMPREHENSIONS):
            # an assignment expression sets a name of the function around it
            yield from (one.target for one in ast.walk(node) if isinstance(one, ast.NamedExpr))
            waiting.append(node.generators[0].iter)
        elif isinstance(node, _FUNCTIONS):
            waiting += _read_outside(node)
        elif isinstance(node, ast.ClassDef):
            waiting += [*node.decorator_list, *node.bases, *node.keywords]
        else:
            waiting += ast.iter_child_nodes(node)


def _read_outside(node: FunctionNode) -> list[ast.AST]:
    """Return what of an inner function is evaluated where it is defined."""
    decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
    defaults = [one for one in node.args.kw_defaults if one is not None]
    return [*decorators, *node.args.defaults, *defaults]


class _Visitor(ast.NodeVisitor):
    """Notes the reads of one scope, and starts another visitor for each scope inside."""

    def __init__(self, scope: _Scope, reads: Reads) -> None:
        self.scope = scope
        self.reads = reads

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load):
                self._read(node.id, ())
        elif isinstance(node, ast.Attribute):
            self._visit_attribute(node)
        elif isinstance(node, ast.AnnAssign) and self.scope.kind == "function":
            self._visit_all([node.target, *([node.value] if node.value else [])])
        elif isinstance(node, ast.AugAssign):
            if isinstance(node.target, ast.Name):
                self._read(node.target.id, ())  # read before it is set
            self.generic_visit(node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            self._visit_all(_read_outside(node))
            _visit_body(node, self.scope, self.reads)
        elif isinstance(node, ast.ClassDef):
            self._visit_class(node)
        elif isinstance(node, _COMPREHENSIONS):
            self._visit_comprehension(node)
        else:
            self.generic_visit(node)

    def _visit_all(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)

    def _visit_attribute(self, node: ast.Attribute) -> None:
        chain: list[str] = []
        inner: ast.expr = node
        while isinstance(inner, ast.Attribute):
            chain.append(inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Name):
            self._read(inner.id, tuple(reversed(chain)))
        else:
            self.visit(inner)

    def _visit_class(self, node: ast.ClassDef) -> None:
        self._visit_all([*node.decorator_list, *node.bases, *node.keywords])
        scope = _Scope("class", self.scope)
        _bind(scope, node.body)
        _Visitor(scope, self.reads)._visit_all(node.body)  # noqa: SLF001 - its own class

    def _visit_comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
    ) -> None:
        first, *others = node.generators
        self.visit(first.iter)  # outside, as Python does
        scope = _Scope("function", self.scope)
        for one in node.generators:
            _bind(scope, [one.target])
        inner = _Visitor(scope, self.reads)
        inner._visit_all(first.ifs)
        inner._visit_all(others)
        results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        inner._visit_all(results)

    def _read(self, name: str, chain: Chain) -> None:
        owner = self.scope.owner_of(name)
        if owner is None:
            self.reads.names[name].add(chain)
            return
        for imported, beginning in owner.imports.get(name, ()):
            self.reads.imports[imported].add(beginning + chain)
