"""Fourier on periodic boxes: shell spectra, derivatives, another number of points.

    u(x) = sum_k û(k) exp(i k x),   û(k) = mean of u exp(-i k x)

so that the sum of |û|² over all k is the mean of u² over the box.
"""

from __future__ import annotations

import numpy as np


def waves(cells: tuple[int, int], lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return angular wave numbers (nx, 1) and (1, ny) in the order of `numpy.fft`."""
    kx, ky = (2 * np.pi * np.fft.fftfreq(n, h / n) for n, h in zip(cells, lengths, strict=True))
    return kx[:, None], ky[None, :]


def energy(velocity: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return shells n and the kinetic energy E_n in each.

    Shell n holds the modes with n - 1/2 <= |k| / k_1 < n + 1/2, where k_1 = 2 pi / (longest side).
    The sum over all shells is the mean of |u|²/2 but for the corners of the grid of modes and for n = 0.

    Parameters
    ----------
    velocity
        (..., nx, ny, components).
    lengths
        Sides of the box.

    Returns
    -------
    shells, energy
        (K,) whole numbers 1 … n/2 and (..., K).
    """
    cells = velocity.shape[-3:-1]
    hat = np.fft.fft2(velocity, axes=(-3, -2), norm="forward")
    power = 0.5 * (np.abs(hat) ** 2).sum(axis=-1)
    kx, ky = waves((cells[0], cells[1]), lengths)
    first = 2 * np.pi / float(np.max(lengths))
    # a mode between two shells belongs to the upper one, whatever its last digit
    shell = np.floor(np.sqrt(kx**2 + ky**2) / first + 0.5 + 1e-9).astype(int)
    numbers = np.arange(1, min(cells) // 2 + 1)
    return numbers, np.stack([power[..., shell == n].sum(axis=-1) for n in numbers], axis=-1)


def derivative(field: np.ndarray, lengths: np.ndarray, axis: int) -> np.ndarray:
    """Return the derivative of a field (nx, ny) along an axis, exact for resolved waves."""
    k = waves((field.shape[0], field.shape[1]), lengths)[axis].copy()
    n = field.shape[axis]
    # the highest wave of an even grid has no sign, so its derivative is not defined
    if n % 2 == 0:
        k.reshape(-1)[n // 2] = 0
    return np.fft.ifft2(1j * k * np.fft.fft2(field)).real


def vorticity(velocity: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return dv/dx - du/dy (nx, ny) of a velocity (nx, ny, 2)."""
    return derivative(velocity[..., 1], lengths, 0) - derivative(velocity[..., 0], lengths, 1)


def resample(field: np.ndarray, cells: tuple[int, int]) -> np.ndarray:
    """Return a field (nx, ny, …) on another number of points by adding or leaving out waves."""
    old = field.shape[:2]
    if old == cells:
        return field
    keep = [min(a, b) for a, b in zip(old, cells, strict=True)]
    hat = np.fft.fft2(field, axes=(0, 1), norm="forward")
    out = np.zeros((*cells, *field.shape[2:]), dtype=complex)
    # the waves -(n-1)/2 … (n-1)/2 that both grids know, without the highest one of an even grid
    (a, b) = (np.arange(-((n - 1) // 2), (n - 1) // 2 + 1) for n in keep)
    out[np.ix_(a, b)] = hat[np.ix_(a, b)]
    result = np.fft.ifft2(out, axes=(0, 1), norm="forward")
    return result if np.iscomplexobj(field) else result.real
