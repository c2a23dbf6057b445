"""A file that remembers what each version of a set of features does.

It lies beside the code and goes into version control: one line of source is one line of the file.
A version stands for one definition for ever; another definition needs another version.
"""

from __future__ import annotations

import difflib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from prodml._core.file_gate import FileGate
from prodml._core.files import write_atomically
from prodml.clock import SYSTEM_CLOCK
from prodml.errors import StorageError, UnknownVersionError, VersionNotBumpedError
from prodml.features._registry_json import RegisteredVersion, read_registry, written_registry

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

    from prodml.features._registry_json import Sets
    from prodml.features.fingerprint import CodeFingerprint
    from prodml.protocols import Clock

__all__ = ["FeatureRegistry", "RegisteredVersion", "Registrable"]

T = TypeVar("T")

_LOCK_TIMEOUT: Final = 30.0


class Registrable(Protocol):
    """A set of features, as a registry sees it.

    Attributes
    ----------
    name, version : str
        What it is called.
    fields_digest : str
        Differs where the declared inputs do.
    """

    @property
    def name(self) -> str:
        """The name of the set."""
        ...

    @property
    def version(self) -> str:
        """The version of the set."""
        ...

    @property
    def fields_digest(self) -> str:
        """What the declared inputs are."""
        ...

    def definition(self) -> Mapping[str, CodeFingerprint]:
        """Return the fingerprint of each feature, in the order of the features."""
        ...


class FeatureRegistry:
    """Versions of sets of features, in a JSON file.

    Holds nothing in memory: each call reads the file. Writers pass through a lock beside it, one
    at a time, and replace it as a whole, so that a reader sees the old content or the new. Safe
    between threads and processes of one machine; on Windows, which has no such lock, one writer
    at a time must be seen to. Picklable.

    Parameters
    ----------
    path : str or os.PathLike
        The file. It is made with the first version; its folder must exist.
    clock : Clock, optional
        Tells when a version was registered.

    Examples
    --------
    >>> registry = FeatureRegistry("features.json")
    >>> registry.names()
    ()
    """

    def __init__(self, path: str | os.PathLike[str], *, clock: Clock = SYSTEM_CLOCK) -> None:
        self._path = Path(path)
        self._clock = clock

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def __repr__(self) -> str:
        return f"FeatureRegistry({str(self._path)!r})"

    def register(self, features: Registrable, /, *, state_digest: str = "") -> RegisteredVersion:
        """Remember a version, or see that it is the known one.

        Parameters
        ----------
        features : Registrable
            A set of features with a name, a version and a definition.
        state_digest : str, optional
            What was learned. One definition may be fitted many times, so that a version has any
            number of them.

        Returns
        -------
        RegisteredVersion
            What the file holds now. ``.weaknesses`` says which code was not known by its source.

        Raises
        ------
        VersionNotBumpedError
            If the version is known with other code, other inputs or another order of features.
            Nothing is written. ``.changes`` has a unified diff for each feature.
        FormatError, NewerSchemaError
            If the file is something else, or was written by a later prodml.
        StorageError
            If it cannot be read or written.

        Notes
        -----
        The same definition again changes nothing, also where its comments differ. New states are
        added.
        """
        new = RegisteredVersion(
            name=features.name,
            version=features.version,
            fields_digest=features.fields_digest,
            features=dict(features.definition()),
            states=(state_digest,) if state_digest else (),
            at=self._clock.now(),
        )
        with self._alone():
            sets = self._read()
            known = sets.get(new.name, {}).get(new.version)
            if known is None:
                sets.setdefault(new.name, {})[new.version] = new
                self._write(sets)
                return new
            if changes := known.changes(new):
                raise _not_bumped(known, new, changes)
            if set(new.states) <= set(known.states):
                return known
            grown = known.with_states(new.states)
            sets[new.name][new.version] = grown
            self._write(sets)
        return grown

    def names(self) -> tuple[str, ...]:
        """Return the names of all sets of features, in order."""
        return tuple(sorted(self._read()))

    def versions(self, name: str, /) -> tuple[str, ...]:
        """Return the versions of a set, in the order in which they were registered.

        Raises
        ------
        UnknownVersionError
            If there is no such set.
        """
        known = _chosen(self._read(), name, {}, "set of features")
        return tuple(sorted(known, key=lambda version: (known[version].at, version)))

    def get(self, name: str, version: str, /) -> RegisteredVersion:
        """Return what is known of a version.

        Raises
        ------
        UnknownVersionError
            If there is no such set or version; the message names near ones.
        """
        versions = _chosen(self._read(), name, {}, "set of features")
        return _chosen(versions, version, {"name": name}, f"version of {name!r}")

    def diff(self, name: str, before: str, after: str, /) -> dict[str, str]:
        """Return how two versions of a set differ.

        Parameters
        ----------
        name : str
            The set.
        before, after : str
            Two versions.

        Returns
        -------
        dict of str to str
            For each feature that differs, a unified diff of its source, or what became of it.
            Under the empty name, what is true of the set as a whole.

        Raises
        ------
        UnknownVersionError
            If there is no such set or version.
        """
        return self.get(name, before).changes(self.get(name, after))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other writers out. Each call has a gate of its own, for threads wait as well."""
        gate = FileGate(
            str(self._path.with_name(f".{self._path.name}.lock")), timeout=_LOCK_TIMEOUT
        )
        try:
            gate.acquire()
        except OSError as error:
            raise self._storage_error(error, what="locked") from error
        try:
            yield
        finally:
            gate.release()
            gate.close()

    def _read(self) -> Sets:
        try:
            text = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise self._storage_error(error, what="read") from error
        return read_registry(text, location=str(self._path))

    def _write(self, sets: Sets) -> None:
        try:
            with write_atomically(self._path, binary=True) as file:
                file.write(written_registry(sets))
        except OSError as error:
            raise self._storage_error(error, what="written") from error

    def _storage_error(self, error: OSError, *, what: str) -> StorageError:
        message = (
            f"The registry {str(self._path)!r} cannot be {what}: {error}. "
            "Its folder must exist, and files in it must be writable."
        )
        return StorageError(message, location=str(self._path))


def _chosen(known: Mapping[str, T], key: str, names: dict[str, str], what: str) -> T:
    if key in known:
        return known[key]
    near = difflib.get_close_matches(key, known, n=3) or sorted(known)[:5]
    hint = f" There are: {', '.join(map(repr, near))}." if near else " There are none yet."
    message = f"The registry holds no {what} called {key!r}.{hint}"
    facts = {"name": names["name"], "version": key} if names else {"name": key}
    raise UnknownVersionError(message, **facts)


def _not_bumped(
    known: RegisteredVersion, new: RegisteredVersion, changes: dict[str, str]
) -> VersionNotBumpedError:
    named = ", ".join(repr(name) for name in changes if name) or "the set as a whole"
    weak = sorted({*known.weaknesses, *new.weaknesses})
    told = f" Not all code is known by its source: {'; '.join(weak)}." if weak else ""
    message = (
        f"Version {new.version!r} of {new.name!r} is known with another definition: "
        f"{named} changed.{told} Give the set another version, or take the change back."
    )
    return VersionNotBumpedError(message, name=new.name, version=new.version, changes=changes)
