"""Linear regression between the principal components of inputs and of outputs.

    y = ȳ + V A ξ,   ξ = Uᵀ (x - x̄),   A = argmin Σ ‖η - A ξ‖² + μ ‖A‖²

U and V are the leading left singular vectors of the centred inputs and outputs, ξ and η the coordinates in
them, μ the ridge times the mean variance of ξ times the samples. With all components it is linear regression.

Source: K. Bhattacharya, B. Hosseini, N. B. Kovachki, A. M. Stuart, Model reduction and neural networks for
parametric PDEs, SMAI J. Comput. Math. 7 (2021) 121-157, doi:10.5802/smai-jcm.74; the map between the
coordinates is linear here.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from plexus.nets.modes import Total


class Regression(nn.Module):
    """A map of rows (N, inputs) to rows (N, outputs) through ``components`` numbers each."""

    def __init__(self, inputs: int, outputs: int, components: int):
        super().__init__()
        shapes = {
            "mean_in": (inputs,), "basis_in": (inputs, components), "matrix": (components, components),
            "mean_out": (outputs,), "basis_out": (outputs, components),
        }  # fmt: skip
        self.weights = nn.ParameterDict({n: nn.Parameter(torch.zeros(s)) for n, s in shapes.items()})

    def solve(self, x: Tensor, y: Tensor, ridge: float) -> None:
        """Find bases and matrix for rows of inputs and outputs."""
        w, parts = self.weights, {}
        for name, rows in (("in", x.double()), ("out", y.double())):
            mean = rows.mean(0)
            basis = torch.linalg.svd(rows - mean, full_matrices=False)[2].T
            count = w[f"basis_{name}"].shape[1]
            # fewer samples than components leave the rest at zero
            full = basis.new_zeros(basis.shape[0], count)
            full[:, : min(count, basis.shape[1])] = basis[:, :count]
            parts[name] = mean, full, (rows - mean) @ full
        xi, eta = parts["in"][2], parts["out"][2]
        gram = xi.T @ xi
        shift = max(ridge, 1e-14) * float(gram.trace()) / len(gram) + 1e-300
        matrix = torch.linalg.solve(gram + shift * torch.eye(len(gram), dtype=gram.dtype), xi.T @ eta).T
        found = {"matrix": matrix}
        found |= {
            f"{k}_{n}": v
            for n, (mean, basis, _) in parts.items()
            for k, v in (("mean", mean), ("basis", basis))
        }
        with torch.no_grad():
            for name, value in found.items():
                w[name].copy_(value)

    def forward(self, x: Tensor, own: Tensor, total: Total) -> Tensor:
        """Return the own outputs (N, own) for own inputs (N, own).

        ``own`` are the numbers of this rank's points, ``total`` adds coordinates over the ranks. Collective.
        """
        w = self.weights
        xi = total((x - w["mean_in"][own]) @ w["basis_in"][own])
        return w["mean_out"][own] + xi @ w["matrix"].T @ w["basis_out"][own].T
