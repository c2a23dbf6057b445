"""Predictions of a model on golden rows: kept exactly, and compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml._core.cells import decode_cell, encode_cell
from prodml.errors import FeatureOutputError, FormatError
from prodml.features._ulps import MOST_ULPS, NO_DISTANCE, ulps_between

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import numpy.typing as npt

__all__ = ["decode_predictions", "encode_predictions", "predicted", "unlike_predictions"]

_LARGEST_ITEM: Final = 8


def predicted(predict: Callable[[Any], Any], matrix: npt.NDArray[np.float64], /) -> Any:
    """Return what a model says of features, as an array that can be kept.

    Raises
    ------
    FeatureOutputError
        If it is not one number, boolean or text, or list of them, per row.
    """
    found = np.asarray(predict(matrix.copy(order="K")))  # models may write into what they get
    if found.dtype.kind == "U":
        found = found.astype(object)
    kept = found.dtype.kind in "fiub" and found.dtype.itemsize <= _LARGEST_ITEM
    if found.dtype.kind == "O":
        kept = all(one is None or type(one) is str for one in found.ravel().tolist())
    if not kept or not found.ndim or len(found) != len(matrix):
        message = (
            f"`predict` must return a number, a boolean or text for each of {len(matrix)} rows; "
            f"got {found.dtype} of shape {found.shape}."
        )
        raise FeatureOutputError(message, feature="prediction")
    return found


def encode_predictions(found: npt.NDArray[Any], /) -> dict[str, Any]:
    """Return predictions as values that JSON holds."""
    flat = found.ravel().tolist()
    if found.dtype.kind == "f":
        flat = [one.hex() for one in flat]
    return {
        "dtype": found.dtype.str,
        "shape": list(found.shape),
        "values": [encode_cell(one) for one in flat],
    }


def decode_predictions(content: Mapping[str, Any], /) -> npt.NDArray[Any]:
    """Return predictions from :func:`encode_predictions`.

    Raises
    ------
    FormatError
        If there are no such predictions.
    """
    dtype = np.dtype(content["dtype"])
    if dtype.kind not in "fiubO" or dtype.itemsize > _LARGEST_ITEM:
        message = f"Predictions of dtype {dtype} are none that prodml stores."
        raise FormatError(message)
    cells = [decode_cell(one) for one in content["values"]]
    if dtype.kind == "f":
        cells = [float.fromhex(one) for one in cells]
    found = np.empty(len(cells), dtype=dtype)
    found[:] = cells
    return found.reshape(content["shape"])


def unlike_predictions(
    expected: npt.NDArray[Any], got: npt.NDArray[Any], /, *, exact: bool, rtol: float
) -> Iterator[tuple[tuple[int, ...], Any, Any, int | None]]:
    """Yield the place of each prediction that differs, both values, and their distance.

    Parameters
    ----------
    expected, got : numpy.ndarray
        Of one dtype and shape.
    exact : bool
        Whether every bit counts; otherwise floats may be 4 ulp apart.
    rtol : float
        How far floats may be apart in any case, relative to the expected one.
    """
    if expected.dtype.kind != "f":
        for place in zip(*np.nonzero(expected != got), strict=True):
            yield _plain(place), _item(expected[place]), _item(got[place]), None
        return
    steps = ulps_between(expected, got)
    with np.errstate(invalid="ignore"):
        near = np.abs(got - expected) <= rtol * np.abs(expected)
    allowed = np.uint64(0 if exact else MOST_ULPS)
    for place in zip(*np.nonzero((steps > allowed) & ~(near & (rtol > 0))), strict=True):
        distance = int(steps[place])
        yield (
            _plain(place),
            expected[place].item(),
            got[place].item(),
            None if distance == NO_DISTANCE else distance,
        )


def _plain(place: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(int(one) for one in place)


def _item(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
