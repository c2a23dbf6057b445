"""One feature: a function, what it reads, and what it learns beforehand."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass, fields
from keyword import iskeyword
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from prodml.errors import FeatureDefinitionError, SkewError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Feature", "FeatureKind", "feature_of"]

FeatureKind = Literal["model_independent", "model_dependent", "on_demand"]

#: The parameter that receives what was learned.
STATE: Final = "state"
#: The parameter of a fit that receives the target.
TARGET: Final = "y"
#: What is called so has no name of its own.
_NO_NAMES: Final = frozenset({"", "<lambda>"})


@dataclass(slots=True, eq=False, repr=False)
class Feature:
    """A feature as it was defined. Callable, as the function it is made of.

    Made by :meth:`FeatureSet.feature` and by :mod:`prodml.features.ops`.

    Attributes
    ----------
    name : str
        Its name, and that of its column.
    function : callable
        Numpy columns in, one numpy column out; or plain values in, one out.
    inputs : tuple of str
        The fields and features that it reads, in the order of its parameters.
    elementwise : bool
        Whether it takes plain values of one row.
    kind : {"model_independent", "model_dependent", "on_demand"}
        Whether it may be stored for any model, belongs to one, or needs the request itself.
    output : bool
        Whether it is a column of the result. Features of text never are.
    crossfit : int or None
        The number of folds of training values, where the state is learned with the target.
    columns : callable or None
        For a feature of several columns: takes the state, returns their names.

    Notes
    -----
    It pickles by its place in a module, as a function does, or else by value.
    """

    name: str
    function: Callable[..., Any]
    inputs: tuple[str, ...]
    elementwise: bool = False
    kind: FeatureKind = "model_independent"
    output: bool = True
    crossfit: int | None = None
    columns: Callable[[Any], tuple[str, ...]] | None = None
    _fit: Callable[..., Any] | None = None
    _summarise: Callable[..., Any] | None = None
    #: Whether what learns takes the inputs in order, whatever it calls them.
    _in_order: bool = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the function returns."""
        return self.function(*args, **kwargs)

    @property
    def constants(self) -> tuple[str, ...]:
        """The parameters with a default, which are no inputs."""
        if self._in_order:
            return ()
        parameters = inspect.signature(self.function).parameters.values()
        return tuple(
            one.name for one in parameters if one.default is not one.empty and one.name != STATE
        )

    @property
    def takes_state(self) -> bool:
        """Whether the function has a parameter ``state``."""
        return STATE in inspect.signature(self.function).parameters

    @property
    def state_type(self) -> Any:
        """The annotation of ``state``, or else of what the fit returns, or None."""
        kind = _annotation_of(self.function, STATE)
        return _annotation_of(self._fit, "return") if kind is None else kind

    @property
    def uses_target(self) -> bool:
        """Whether its state is learned with the target."""
        learners = [one for one in (self._fit, self._summarise) if one is not None]
        return any(TARGET in inspect.signature(one).parameters for one in learners)

    @property
    def returns(self) -> Any:
        """The annotation of what it returns, or None."""
        return _annotation_of(self.function, "return")

    def arguments_of(self, function: Callable[..., Any], /) -> list[str]:
        """Return which columns a function that learns takes, ``y`` among them, in order."""
        parameters = inspect.signature(function).parameters
        if self._in_order:
            return [*self.inputs, *([TARGET] if TARGET in parameters else [])]
        known = {*self.inputs, TARGET}
        return [
            name for name, one in parameters.items() if name in known or one.default is one.empty
        ]

    def fit(self, function: Callable[..., Any], /) -> Callable[..., Any]:
        """Register the function that learns the state; for use as a decorator.

        Parameters
        ----------
        function : callable
            Takes the columns that it names, of those that the feature reads, and ``y``, the
            target, if it names it. With :meth:`summarise` it takes the summary alone. Returns
            the state: a dataclass, a pydantic model, or plain values.

        Returns
        -------
        callable
            The function.
        """
        self._fit = function
        return function

    def summarise(self, function: Callable[..., Any], /) -> Callable[..., Any]:
        """Register the function that turns a chunk into a Mergeable summary; a decorator.

        Then the state can be learned from chunks in any order, and is the same to the bit.

        Parameters
        ----------
        function : callable
            Takes columns as :meth:`fit` does. Returns a summary, such as
            :class:`prodml.sketches.Moments`, or a tuple of them.

        Returns
        -------
        callable
            The function.
        """
        self._summarise = function
        return function

    @property
    def learner(self) -> Callable[..., Any] | None:
        """The function that learns the state."""
        return self._fit

    @property
    def summariser(self) -> Callable[..., Any] | None:
        """The function that summarises a chunk."""
        return self._summarise

    def __repr__(self) -> str:
        return f"<Feature {self.name} <- {', '.join(self.inputs)}>"

    def __reduce__(self) -> Any:
        module = getattr(self.function, "__module__", "")
        place = (module, getattr(self.function, "__qualname__", ""))
        # another process has a `__main__` of its own
        if module != "__main__" and _found_at(place) is self:
            return _feature_at, (place,)
        parts = [getattr(self, one.name) for one in fields(self)]
        return _restored, (parts,)


def _annotation_of(function: Any, name: str) -> Any:
    """Return one annotation of a function, where what it names can be found."""
    if not inspect.isroutine(function) and not inspect.isclass(function):
        function = type(function).__call__
    try:
        annotation = inspect.get_annotations(function).get(name)
        if isinstance(annotation, str):
            # as inspect does, and of this one alone: others may be for type checkers
            names = getattr(inspect.unwrap(function), "__globals__", {})
            annotation = eval(annotation, names)  # noqa: S307 - the user's own code
    except (NameError, TypeError, AttributeError, SyntaxError):
        return None
    return annotation


def _feature_at(place: tuple[str, str]) -> Feature:
    found = _found_at(place)
    if not isinstance(found, Feature):
        message = (
            f"Feature {place[1]!r} is not in module {place[0]!r} any more, where it was when the "
            "features were stored. Go back to that code, or fit again."
        )
        raise SkewError(message, differences=(place[1],))
    return found


def _found_at(place: tuple[str, str]) -> Any:
    module, path = place
    try:
        found: Any = importlib.import_module(module)
        for name in path.split("."):
            found = getattr(found, name)
    except (ImportError, AttributeError, ValueError):
        return None
    return found


def _restored(parts: list[Any]) -> Feature:
    return Feature(*parts)


def _is_number_of_folds(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 2  # noqa: PLR2004


def _kind_of(function: object) -> str:
    return "lambda" if isinstance(function, FunctionType) else type(function).__name__


def _fault_of_function(function: Any) -> str | None:
    """Return why something can be no feature whatever it is called, or None."""
    if isinstance(function, Feature):
        return (
            f"{function.name!r} is a feature already. Decorate a function once; `add` takes it "
            "into another set."
        )
    if not callable(function):
        return f"A feature is a function, got {function!r}."
    called = getattr(function, "__name__", type(function).__name__)
    run = (function, type(function).__call__)  # a function, or an object that is called
    if any(inspect.iscoroutinefunction(one) or inspect.isasyncgenfunction(one) for one in run):
        return (
            f"{called!r} is an async function, and features are computed without waiting. Write "
            "it with `def`, and make what it waits for an input."
        )
    if any(map(inspect.isgeneratorfunction, run)):
        return (
            f"{called!r} is a generator: it has a `yield`. Return one column, as "
            "np.array([...]), or declare it elementwise=True and return one value."
        )
    return None


def feature_of(
    function: Callable[..., Any],
    /,
    *,
    name: str | None = None,
    elementwise: bool = False,
    kind: FeatureKind = "model_independent",
    output: bool = True,
    crossfit: int | None = None,
) -> Feature:
    """Return the feature that a function defines; its parameters name what it reads.

    Parameters
    ----------
    function : callable
        A plain function.
    name : str, optional
        By default that of the function.
    elementwise, kind, output, crossfit
        See :class:`Feature`.

    Raises
    ------
    FeatureDefinitionError
        For anything but a function with plain named parameters, or a bad option.
    """
    if (message := _fault_of_function(function)) is not None:
        raise FeatureDefinitionError(message, faults=(message,))
    name = str(name or getattr(function, "__name__", ""))
    faults = []
    if not name.isidentifier() or iskeyword(name) or name in {STATE, TARGET}:
        repair = f" A {_kind_of(function)} has no name: give name=." if name in _NO_NAMES else ""
        faults.append(
            "A feature must be named by an identifier other than 'state' and 'y', "
            f"got {name!r}.{repair}"
        )
    if crossfit is not None and not _is_number_of_folds(crossfit):
        faults.append(f"`crossfit` of {name!r} must be an integer >= 2, got {crossfit!r}.")
    if kind not in get_args(FeatureKind):
        choices = ", ".join(map(repr, get_args(FeatureKind)))
        faults.append(f"`kind` of {name!r} must be one of {choices}; got {kind!r}.")
    inputs = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}:
            faults.append(f"{name!r} takes {parameter}; name what it reads instead.")
        elif parameter.name != STATE and parameter.default is parameter.empty:
            inputs.append(parameter.name)
    if not inputs:
        faults.append(f"{name!r} reads nothing. Name its inputs as parameters.")
    if faults:
        raise FeatureDefinitionError(" ".join(faults), faults=faults)
    return Feature(
        name=name,
        function=function,
        inputs=tuple(inputs),
        elementwise=elementwise,
        kind=kind,
        output=output,
        crossfit=crossfit,
    )
