"""Compile kernels that any run may need ahead of time: ``python -m plexus_kernels.native.build``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from plexus_kernels.native.loader import cache_folder, library

ELEMENTS = ((1, 2, 3), (2, 3, 6), (2, 4, 9), (3, 4, 10), (3, 8, 27))
"""Dimension, nodes of degree 1, nodes of degree 2: line, triangle, quadrilateral, tetrahedron, hexahedron."""


def standard() -> Iterator[dict[str, Any]]:
    """Yield the arguments of `library` for all elements of degree 1 and 2, scalar and vector, and laws.

    The geometry has degree 1 or the degree of the field; matrices are purely diffusive and symmetric,
    symmetric, or general. Laws after von Mises have up to three back strains.
    """
    yield {"kernel": "pattern"}
    yield {"kernel": "joint"}
    for moment, narrow in ((2, 32), (3, 16)):
        # trained on one run, and over a range of constants
        for scalars, width, depth in ((0, 32, 3), (1, narrow, 2)):
            sizes = {"MOMENT": moment, "SCALARS": scalars, "VORTICITY": 1, "WIDTH": width, "DEPTH": depth}
            yield {"kernel": "spin", "ACT": 0} | sizes
    yield {"kernel": "fourier"}
    yield {"kernel": "suspension"}
    yield {"kernel": "combine"}
    yield {"kernel": "curve"}
    # what decks say where they say nothing else
    yield {"kernel": "transport", "VALUES": 1, "LIMITER": 2, "RIEMANN": 0}
    yield {"kernel": "transport", "VALUES": 3, "LIMITER": 0, "RIEMANN": 0}
    yield {"kernel": "levinson", "ORDER": 2}
    for backs in range(4):
        yield {"kernel": "viscoplastic", "KIN": backs}
        yield {"kernel": "galerkin", "KIN": backs}
    for d, n1, n2 in ELEMENTS:
        for g in (n1, n2):
            yield {"kernel": "geometry", "D": d, "G": g}
        # the field on straight cells in both degrees, and isoparametric
        for n, g in ((n1, n1), (n2, n1), (n2, n2)):
            for m in sorted({1, d}):
                sizes = {"D": d, "G": g, "N": n, "M": m}
                yield {"kernel": "sample"} | sizes
                yield {"kernel": "vector"} | sizes
                if m == d == 3:
                    yield {"kernel": "strain"} | sizes
                for first, symmetric in ((1, 1), (0, 1), (0, 0)):
                    yield {"kernel": "matrix", "LO": first, "SYM": symmetric} | sizes


def build(workers: int | None = None) -> int:
    """Compile what the cache lacks, ``workers`` at a time, and return the number of libraries."""
    tasks = list(standard())
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        list(pool.map(lambda sizes: library(**sizes), tasks))
    return len(tasks)


if __name__ == "__main__":
    print(f"{build()} kernels in {cache_folder()}")
