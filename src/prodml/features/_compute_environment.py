"""What decides the last bit of a float: the library, the vector units, and the math library."""

from __future__ import annotations

import platform
from functools import cache

import numpy as np

__all__ = ["describe_environment"]


@cache
def describe_environment() -> str:
    """Return a line of text that is the same where the same code gives the same bits.

    The version of numpy; the system, its processor and its math library, which computes what
    numpy has no vector code for; and the vector units of which numpy makes use.

    Examples
    --------
    >>> describe_environment().startswith(f"numpy {np.__version__}; ")
    True
    """
    units = np.show_config(mode="dicts")["SIMD Extensions"]
    # the second is empty but on Linux with glibc
    math_library = " ".join(platform.libc_ver()).strip() or platform.release()
    return (
        f"numpy {np.__version__}; {platform.system()} {platform.machine()} {math_library}; "
        f"{' '.join([*units.get('baseline', ()), *units.get('found', ())])}"
    )
