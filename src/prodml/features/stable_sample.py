"""A sample of entities that is the same in every process, on every day."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from prodml._core.canonical import digest_value
from prodml._core.scalars import normalise
from prodml.errors import FeatureError, MissingInputError

__all__ = ["StableSample"]

_RANGE: Final = 2**64
_LONGEST_SALT: Final = 16


@dataclass(frozen=True, slots=True)
class StableSample:
    """Says of an entity whether it is in a sample, by a hash of its key.

    The same entities are in it in every process and with any version of Python and its libraries,
    and all rows of an entity are in it or none. A smaller fraction is a part of a larger one.
    Immutable, picklable.

    Parameters
    ----------
    fraction : float
        The share of entities, from 0 to 1.
    salt : str, default ""
        At most 16 bytes. Another salt draws another sample.

    Raises
    ------
    FeatureError
        If the fraction or the salt is none.

    Notes
    -----
    The first 64 bits of a BLAKE2b digest of the canonical bytes of the key, held against the
    fraction. ``1``, ``1.0`` and ``"1"`` are three keys, since a service and a pipeline that
    differ in that do not mean the same entity; ints of numpy are ints.

    Examples
    --------
    >>> sample = StableSample(0.01)
    >>> [key for key in range(500) if sample.holds(key)]
    [12, 141, 149, 263, 337, 436, 468]
    """

    fraction: float
    salt: str = ""
    _threshold: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        given: tuple[Any, Any] = (self.fraction, self.salt)
        fraction, salt = given
        number = isinstance(fraction, int | float) and not isinstance(fraction, bool)
        if not number or not 0 <= fraction <= 1:
            message = f"`fraction` must be between 0 and 1, got {self.fraction!r}."
            raise FeatureError(message)
        if not isinstance(salt, str) or len(salt.encode()) > _LONGEST_SALT:
            message = f"`salt` must be text of at most {_LONGEST_SALT} bytes, got {self.salt!r}."
            raise FeatureError(message)
        object.__setattr__(self, "_threshold", round(self.fraction * _RANGE))

    def holds(self, key: Any, /) -> bool:
        """Return whether an entity is in the sample.

        Parameters
        ----------
        key : object
            Text, a number, a UUID, a date, or a tuple of them.

        Raises
        ------
        MissingInputError
            If the key, or a part of it, is missing: such rows are of no known entity.
        UnkeyableError
            If it is of another type.
        """
        plain = normalise(key)
        if plain is None or (type(plain) is tuple and None in plain):
            message = f"The key {key!r} is missing, or a part of it is. Give each request its key."
            raise MissingInputError(message, fields=("key",))
        digest = digest_value(plain, salt=self.salt.encode())
        return int.from_bytes(digest[:8], "big") < self._threshold
