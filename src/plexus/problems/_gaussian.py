"""Gaussian random fields on a box of equal cells, by circulant embedding.

On a torus twice as long in every direction a covariance is a convolution, with the Fourier transform λ of
its values as spectrum; φ = Re F⁻¹(√λ F(white noise)) has that covariance, and the box is a part of the torus.
Source: C. R. Dietrich, G. N. Newsam, SIAM J. Sci. Comput. 18 (1997) 1088-1107,
doi:10.1137/S1064827592240555.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator

Covariance = Callable[[np.ndarray], np.ndarray]
"""Distance relative to the correlation length -> covariance of a field of variance one."""

COVARIANCES: dict[str, Covariance] = {
    "exponential": lambda t: np.exp(-t),
    "gaussian": lambda t: np.exp(-(t**2)),
    "cubic": lambda t: np.where(t <= 1, 1 - 7 * t**2 + 8.75 * t**3 - 3.5 * t**5 + 0.75 * t**7, 0.0),
}


def spectrum(cells: tuple[int, ...], length: float, covariance: str, images: bool) -> np.ndarray:
    """Return λ for a field of variance one on cells of a box of unit edges, twice as many in each direction.

    ``length`` is the correlation length relative to the box. With ``images`` the values are sums over the
    nearest copies of the torus, which leaves no λ below zero.
    """
    offsets = list(product((-1, 0, 1), repeat=len(cells))) if images else [(0,) * len(cells)]
    lines = [np.fft.fftfreq(2 * n, 0.5 / n) / n for n in cells]
    values = np.zeros([2 * n for n in cells])
    for offset in offsets:
        shifted = [x + 2 * o for x, o in zip(lines, offset, strict=True)]
        squares = np.meshgrid(*[x**2 for x in shifted], indexing="ij", sparse=True)
        values += COVARIANCES[covariance](np.sqrt(sum(squares)) / length)
    return np.maximum(np.fft.fftn(values).real, 0.0)


def field(draw: Generator, spectrum: np.ndarray) -> np.ndarray:
    """Return a sample of variance one on the cells of the box."""
    noise = draw.standard_normal(spectrum.shape) + 1j * draw.standard_normal(spectrum.shape)
    found = np.fft.fftn(np.sqrt(spectrum / spectrum.size) * noise).real
    return np.ascontiguousarray(found[tuple(slice(n // 2) for n in spectrum.shape)])
