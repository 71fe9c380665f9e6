"""What quantities and outputs can ask of the fields of a run, beyond their values."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np


@runtime_checkable
class Balances(Protocol):
    """Fields of a body with boundaries, through which something flows."""

    def outflow(self, flux: str, boundary: str) -> float:
        """Return what boundary terms let out of the body through a boundary. Collective."""

    def reaction(self, field: str, boundary: str, component: int) -> float:
        """Return what prescribed values on a boundary feed into the body. Collective."""


@runtime_checkable
class Spectra(Protocol):
    """Fields with Fourier modes."""

    def spectrum(self, name: str) -> np.ndarray:
        """Return the power of a field or component in the complete shells of wave numbers. Collective."""
