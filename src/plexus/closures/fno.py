"""A non-local closure: the tensor-basis coefficients of S:T from a Fourier neural operator.

    S:T = (a_0 + 2 ζ b_0) I + (a_1 + 2 ζ b_1) D + a_2 E,   coefficients = operator[D:D, E:E, D:E]

Three spectral layers (3 -> 2 -> 2 -> 5 channels), 16 modes per direction, sine between them, no pointwise
paths: 10,240 complex parameters. It is here to test whether distant points matter; being purely low-pass it
cannot follow the local part of the closure. Reflections and rotations of the coordinate axes are not built
in.

On several ranks only the retained modes are added up, never fields.

Source: S. Maddu, S. Weady, M. J. Shelley, J. Comput. Phys. 504 (2024) 112869,
doi:10.1016/j.jcp.2024.112869; Z. Li et al., doi:10.48550/arXiv.2010.08895.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from plexus.closures._stress import StressClosure, StressParams
from plexus.closures.base import Fields
from plexus.deck.params import Field
from plexus.errors import InputError
from plexus.learned.ports import Properties
from plexus.protocols import Setting
from plexus.registry import register

if TYPE_CHECKING:
    import torch

    from plexus.nets.modes import Axis

EXAMPLE: dict[str, Any] = {"type": "fno", "modes": 4}


class FnoParams(StressParams):
    """Parameters of the operator; a checkpoint brings its own architecture."""

    width: int = Field(2, ge=1, le=64, description="channels between the layers")
    depth: int = Field(3, ge=1, le=8, description="spectral layers")
    modes: int = Field(16, ge=1, le=256, description="modes kept per direction and sign")


@register("closure", "fno", FnoParams)
class Fno(StressClosure):
    """S:T from the low modes of three invariants."""

    def chosen(self) -> dict[str, Any]:
        """Return width, depth and modes."""
        return {"width": self.params.width, "depth": self.params.depth, "modes": self.params.modes}

    @property
    def properties(self) -> Properties:
        """Return those of the tensor basis, with another locality and less symmetry."""
        local = replace(super().properties, symmetry=("translation", "galilean"))
        return replace(local, locality=f"spectral({self.hyper['modes']})")

    def make(self) -> torch.nn.Module:
        """Return the operator 3 -> width -> ... -> 5."""
        from plexus.nets.lowmodes import LowModes

        h = self.hyper
        return LowModes([3, *[h["width"]] * (h["depth"] - 1), 5], h["modes"], seed=self.params.seed)

    def prepare(self, setting: Setting) -> None:
        """Prepare as all learned closures do and bind the operator to the grid. Collective.

        Raises
        ------
        InputError
            If there is no grid, or it is too coarse for the modes.
        """
        super().prepare(setting)
        self._bind()

    def _bind(self) -> None:
        """Bind the operator to the setting's grid."""
        setting = self.setting
        if setting.space is None:
            raise InputError("the operator acts on fields: it needs a grid, not loose points")
        from plexus.spaces.shared import total_over

        self.network.bind(_axes(setting.space.cells, setting.space.rows), total_over(setting.comm))

    def few(self, inputs: Fields) -> dict[str, Any]:
        """Return every n-th point of one field, as many as the modes need."""
        least = 2 * self.hyper["modes"]
        chosen = {}
        for name, value in inputs.items():
            field = value.reshape(-1, *value.shape[-2:])[0]
            steps = [max(1, n // least) for n in field.shape]
            chosen[name] = field[:: steps[0], :: steps[1]].clone()
        return chosen

    def answers(self, inputs: Fields) -> dict[str, Any]:
        """Return the network's answer on a grid of its own, which belongs to this rank alone."""
        cells = tuple(inputs["c"].shape)
        self.network.bind(_axes(cells, (0, cells[0])))
        try:
            return super().answers(inputs)
        finally:
            self._bind()


def _axes(cells: tuple[int, ...], rows: tuple[int, int]) -> list[Axis]:
    """Return the axes of a grid that is split along its first one."""
    from plexus.nets.modes import Axis

    return [Axis(cells[0], rows), *map(Axis, cells[1:])]
