"""The spin network in compiled C, for runs on a CPU: one pass over the cells instead of fifty.

`SpinNetwork.answer` in torch is the readable version, the one that is differentiated, and the one for GPUs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plexus.closures.base import Fields

if TYPE_CHECKING:
    import numpy as np
    import torch

    from plexus.closures.spin_network import SpinNetwork
    from plexus_kernels.native.spin import Network


class Native:
    """The kernel of one spin network."""

    def __init__(self, closure: SpinNetwork):
        self.closure = closure
        self.works = True
        """Whether the kernel could be compiled so far."""
        self._fixed: tuple[Any, dict[str, Any]] | None = None

    def fits(self, fields: Fields) -> bool:
        """Return whether the kernel can stand in: double precision on the host, no derivatives wanted."""
        import torch

        closure = self.closure
        seen = [fields[name] for name in ("c", "e", *(f"f{m}" for m in range(1, closure.closes)))]
        learns = torch.is_grad_enabled() and any(
            v.requires_grad for v in (*fields.values(), *self._weights())
        )
        return (
            self.works
            and not learns
            and closure.dtype == torch.float32
            and closure.hyper["activation"] in ("silu", "tanh")
            and all(v.device.type == "cpu" and v.shape == seen[0].shape for v in seen)
            and seen[0].dtype == torch.float64
        )

    def evaluate(self, fields: Fields) -> tuple[torch.Tensor, torch.Tensor, int] | None:
        """Return the moment, how far the worst feature of each cell is outside, the number of cells to guard.

        None where the kernel cannot be had; then it is not tried again.
        """
        import torch

        from plexus_kernels.native.spin import spin

        shape = fields["c"].shape
        try:
            found = spin(
                self._network(),
                _flat(fields["c"]),
                _flat(fields["f1"]),
                _flat(fields["e"]),
                _flat(fields["f2"]) if self.closure.closes == 3 else None,
                _flat(fields["W"] + 0 * fields["c"]) if self.closure.turns else None,
                [_flat(self.closure.scalar(name, fields)) for name in self.closure.scalar_names],
            )
        except (RuntimeError, ImportError, OSError):
            self.works = False
            return None
        moment, beyond, guarded = found
        return torch.from_numpy(moment).view(shape), torch.from_numpy(beyond).view(shape), guarded

    def _weights(self) -> list[torch.Tensor]:
        dense = self.closure.network.dense
        return [p for pair in zip(dense.weights, dense.biases, strict=True) for p in pair]

    def _network(self) -> Network:
        """Return sizes and numbers; the weights are read anew, as someone may have changed them."""
        import torch

        from plexus_kernels.native.spin import Network

        weights = torch.cat([p.detach().reshape(-1) for p in self._weights()]).numpy()
        closure = self.closure
        key = (closure.guard.range, tuple(closure.scales.values()))
        if self._fixed is None or self._fixed[0] != key:
            self._fixed = key, self._constants()
        h = closure.hyper
        return Network(
            closure.closes,
            len(closure.scalar_names),
            closure.turns,
            h["width"],
            h["depth"],
            h["activation"],
            weights,
            **self._fixed[1],
        )

    def _constants(self) -> dict[str, Any]:
        """Return scales, table and range in the kernel's order: evens first, then odds."""
        import numpy as np

        from plexus.closures._bingham import bingham_table

        closure, third = self.closure, self.closure.closes == 3
        scales = [closure.scales[name] for name in ("e", *closure.scalar_names, "W")]
        made = {"scales": np.array(scales, np.float32), "table": bingham_table("cpu").table.numpy()}
        if closure.guard.range is not None:
            order = ["r", "strain_along", *["k2_along"] * third, *closure.scalar_names, "strain_across"]
            order += [*["k2_across"] * third, *["vorticity"] * closure.turns]
            places = [list(closure.feature_units()).index(name) for name in order]
            for name, values in zip(("middle", "inverse"), closure.guard.range, strict=True):
                made[name] = np.array([values[place] for place in places], np.float32)
        return made


def _flat(field: torch.Tensor) -> np.ndarray:
    return field.detach().resolve_conj().contiguous().view(-1).numpy()
