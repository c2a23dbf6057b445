"""A ready-made feature that puts any number of categories into a fixed number of buckets."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prodml.features.ops._making import made_of, refuse_option, whole_of

if TYPE_CHECKING:
    from prodml.features.feature import Feature

__all__ = ["hash_bucket"]


@dataclass(frozen=True, slots=True)
class _HashBucket:
    n_buckets: int
    seed: int

    def __call__(self, x: Any) -> float:
        if x is None:
            return math.nan
        # lone surrogates are text, too
        return float(zlib.crc32(x.encode("utf-8", "surrogatepass"), self.seed) % self.n_buckets)


def hash_bucket(
    name: str, n_buckets: int = 1024, /, *, seed: int = 0, called: str | None = None
) -> Feature:
    """Return the bucket of a text, by a hash that is the same in every process and on any machine.

    Python's own ``hash`` differs from process to process. This is CRC-32 [1]_ of the UTF-8 bytes,
    modulo the number of buckets; it is quick, not secret.

    Parameters
    ----------
    name : str
        Text; missing text stays missing.
    n_buckets : int, default 1024
        Between 2 and 2**32.
    seed : int, default 0
        Another one gives other buckets; between 0 and 2**32 - 1.
    called : str, optional
        By default ``<name>_hash``.

    Returns
    -------
    Feature
        To be added to a set.

    Raises
    ------
    FeatureDefinitionError
        For other numbers of buckets or seeds.

    References
    ----------
    .. [1] ITU-T Recommendation V.42 (2002), section 8.1.1.6.2: the 32-bit frame check sequence.

    Examples
    --------
    >>> hash_bucket("merchant")("shop no 7")
    1017.0
    """
    buckets = whole_of(n_buckets, least=2, most=2**32)
    if buckets is None:
        raise refuse_option(n_buckets, "n_buckets", "an integer between 2 and 2**32")
    start = whole_of(seed, least=0, most=2**32 - 1)
    if start is None:
        raise refuse_option(seed, "seed", "an integer between 0 and 2**32 - 1")
    function = _HashBucket(buckets, start)
    return made_of(function, (name,), called or f"{name}_hash", elementwise=True)
