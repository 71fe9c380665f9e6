"""The spin network in compiled C, for runs on a CPU: one pass over the cells instead of fifty.

`SpinNetwork.answer` in torch is the readable version, the one that is differentiated, and the one for GPUs.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from plexus.closures.base import Fields

if TYPE_CHECKING:
    import torch

    from plexus.closures.spin_network import SpinNetwork


class Native:
    """The kernel of one spin network."""

    def __init__(self, closure: SpinNetwork):
        self.closure = closure
        self.works = True
        """Whether the kernel could be compiled so far."""
        self._kept: tuple[Any, list[Any], tuple[Any, ...]] | None = None
        self._own: tuple[Any, list[torch.Tensor]] | None = None

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
            and all(v.is_cpu and v.shape == seen[0].shape for v in seen)
            and seen[0].dtype == torch.float64
        )

    def evaluate(self, fields: Fields) -> tuple[torch.Tensor, torch.Tensor, int] | None:
        """Return the moment, how far the worst feature of each cell is outside, the number of cells to guard.

        None where the kernel cannot be had; then it is not tried again.
        """
        import torch

        from plexus_kernels.native import spin

        try:
            function, constants = self._prepared()
        except (RuntimeError, ImportError, OSError):
            self.works = False
            return None
        c, scalars = fields["c"], [_solid(self._scalar(name, fields)) for name in self.closure.scalar_names]
        seen = [_solid(v) for v in self._seen(fields)]
        moment = c.new_empty(c.shape, dtype=torch.complex128)
        beyond = c.new_empty(c.shape, dtype=torch.float32)
        guarded = function(
            c.numel(), *_addresses(seen), spin.addresses(_addresses(scalars)),
            spin.addresses(_addresses(self._weights())), *constants, moment.data_ptr(), beyond.data_ptr(),
        )  # fmt: skip
        return moment, beyond, guarded

    def _seen(self, fields: Fields) -> list[torch.Tensor | None]:
        """Return c, f_1, f_2, e and W, None for what this network does not see."""
        closure, c = self.closure, fields["c"]
        f2 = fields["f2"] if closure.closes == 3 else None
        return [c, fields["f1"], f2, fields["e"], fields["W"].expand(c.shape) if closure.turns else None]

    def _scalar(self, name: str, fields: Fields) -> torch.Tensor:
        """Return an even input; a number of the medium is spread over the cells once."""
        closure = self.closure
        if name in fields or name == "gradient":
            return closure.scalar(name, fields)
        return _spread(closure.setting.constants[name], fields["c"].shape)

    def _weights(self) -> list[torch.Tensor]:
        """Return W_0, b_0, W_1, ...; they are read where they are, as someone may have changed them."""
        network = self.closure.network
        if self._own is None or self._own[0] is not network:
            pairs = zip(network.dense.weights, network.dense.biases, strict=True)
            self._own = network, [p for pair in pairs for p in pair]
        return self._own[1]

    def _prepared(self) -> tuple[Any, tuple[Any, ...]]:
        """Return the function and what does not change from call to call: scales, range and table."""
        from plexus_kernels.native import spin

        closure, h = self.closure, self.closure.hyper
        key = (closure.guard.range, *closure.scales.values())
        if self._kept is None or self._kept[0] != key:
            sizes = closure.closes, len(closure.scalar_names), closure.turns, h["width"], h["depth"]
            function, constants = spin.function(*sizes, h["activation"]), self._constants()
            # the arrays stay alive beside their addresses
            self._kept = key, constants, (function, (*_addresses(constants), len(constants[-1])))
        return self._kept[2]

    def _constants(self) -> list[Any]:
        """Return scales, range and table in the kernel's order: evens first, then odds."""
        import torch

        from plexus.closures._bingham import bingham_table

        closure, third = self.closure, self.closure.closes == 3
        scales = torch.tensor([closure.scales[name] for name in ("e", *closure.scalar_names, "W")])
        middle = inverse = None
        if closure.guard.range is not None:
            order = ["r", "strain_along", *["k2_along"] * third, *closure.scalar_names, "strain_across"]
            order += [*["k2_across"] * third, *["vorticity"] * closure.turns]
            places = [list(closure.feature_units()).index(name) for name in order]
            middle, inverse = (torch.tensor([values[i] for i in places]) for values in closure.guard.range)
        return [scales, middle, inverse, bingham_table("cpu").table]


def _solid(field: torch.Tensor | None) -> torch.Tensor | None:
    return None if field is None else field.resolve_conj().contiguous()


def _addresses(arrays: list[Any]) -> list[Any]:
    return [None if a is None else a.data_ptr() for a in arrays]


@lru_cache(maxsize=8)
def _spread(value: float, shape: tuple[int, ...]) -> torch.Tensor:
    import torch

    return torch.full(shape, value, dtype=torch.float64)
