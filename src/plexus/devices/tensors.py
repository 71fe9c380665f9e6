"""Tensors of a device as arrays of the host and back, outside the time step: copies are timed and counted."""

from __future__ import annotations

import numpy as np
import torch

from plexus.devices.transfers import transfers


def to_host(tensor: torch.Tensor) -> np.ndarray:
    """Return an array of the host: the same memory on the CPU, one timed copy from another device."""
    tensor = tensor.detach().resolve_conj()
    if tensor.device.type == "cpu":
        return tensor.numpy()
    # the copy would wait for the kernels that fill the tensor, and their time is not the copy's
    torch.cuda.synchronize(tensor.device)
    with transfers.timed("to_host", tensor.element_size() * tensor.nelement()):
        return tensor.cpu().numpy()


def to_device(array: np.ndarray, device: str) -> torch.Tensor:
    """Return a tensor on ``device``: the same memory on the CPU, one timed copy to another device."""
    tensor = torch.from_numpy(np.ascontiguousarray(array))
    if device == "cpu":
        return tensor
    with transfers.timed("to_device", array.nbytes):
        return tensor.to(device)


def rows_of(tensor: torch.Tensor, n: int) -> np.ndarray:
    """Return fields (..., *shape) on n points as rows (n, m) of real numbers, complex ones as pairs."""
    flat = tensor.detach().reshape(-1, n)
    if flat.is_complex():
        flat = torch.view_as_real(flat.resolve_conj()).movedim(-1, 1).reshape(-1, n)
    return np.ascontiguousarray(to_host(flat).T, dtype=float)


def from_rows(rows: np.ndarray, shape: tuple[int, ...], device: str, complex_: bool) -> torch.Tensor:
    """Return the fields (k, *shape) of rows (n, m), on ``device``; k is m, or m/2 of complex ones."""
    flat = to_device(rows.T, device)
    if complex_:
        flat = torch.view_as_complex(flat.reshape(-1, 2, rows.shape[0]).movedim(1, -1).contiguous())
    return flat.reshape(-1, *shape)
