"""Paths of strain at one point of a material, answered by a law of the deck's choice.

    ε_ij(s) = f_n(s) - f_n(0),    s from 0 to 1,    n = number + 6 path + component

with f a drawn field (kind ``sample``) of one axis, whose coordinate in metres stands for s; of a sample
without axes a path is straight, ε_ij(s) = s f_n; then tr ε is taken times `volume`. The components are
those of the tensor, e12 half the angle of shear. The law begins each path without memory and takes `steps`
equal steps over `duration`. Every rank computes all paths, which cost less than to send them, and keeps its
share.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import field_validator

from plexus import registry
from plexus.deck import parts
from plexus.deck.params import Component, Field, Params, Unit
from plexus.deck.values import refuse
from plexus.learning.data.base import DataBase
from plexus.protocols.training import Wrong
from plexus.registry import register

if TYPE_CHECKING:
    import numpy as np

    from plexus.deck.schema import Deck
    from plexus.learning.samples import Samples
    from plexus.learning.session import Session

EXAMPLE: dict[str, Any] = {
    "type": "material_points",
    "law": {"type": "elastic", "young_modulus": "70 GPa", "poisson_ratio": 0.3},
    "strain": {"type": "uniform", "seed": 1, "low": -0.01, "high": 0.01},
    "paths": 50,
}


class MaterialPointsParams(Params):
    """Parameters of `MaterialPoints`."""

    law: Annotated[Params, Component("law")] = Field(description="the classical law that answers")
    strain: Annotated[Any, Component("sample")] = Field(
        description="field from which the components of each path are drawn"
    )
    volume: float = Field(
        1.0,
        ge=0,
        description="factor on the volumetric part of the strain; metals that flow change it little",
    )
    paths: int = Field(100, ge=1, le=100_000, description="number of paths")
    steps: int = Field(20, ge=1, le=10_000, description="steps of each path; each end of a step is a sample")
    duration: Annotated[float, Unit("s")] = Field(1.0, gt=0, description="time that a path takes")
    temperature: Annotated[float, Unit("K")] | None = Field(
        None, description="temperature of all points, for laws whose data depend on it"
    )

    @field_validator("law")
    @classmethod
    def _classical(cls, law: Params) -> Params:
        if law.learned:
            raise refuse(f"{law.type} is learned itself: a training needs a classical law to learn from")
        return law

    @field_validator("strain")
    @classmethod
    def _of_one_axis(cls, strain: Any) -> Any:
        axes = registry.build("sample", strain).axes
        if axes not in ((), ("x",)):
            raise refuse(f"a path depends on one coordinate, x, and {strain.type} on {', '.join(axes)}")
        if not hasattr(strain, "number"):
            raise refuse(f"{strain.type} has no number by which paths could differ")
        return strain


@register("data", "material_points", MaterialPointsParams)
class MaterialPoints(DataBase):
    """The ends of all steps of all paths."""

    offers = frozenset({"targets"})

    @staticmethod
    def problems(params: MaterialPointsParams, deck: Deck) -> Wrong:
        """Yield a part that is no law."""
        others = [path for path, part in parts.learned(deck) if parts.component(part).kind != "law"]
        chosen = deck.train.part if deck.train is not None else None
        if not list(parts.learned(deck)) or chosen in others or (chosen is None and others):
            yield ("type",), "strain and stress at material points are for a learned law, physics.law"

    def words(self) -> str:
        """Return the number of paths and what answers them."""
        p = self.params
        return f"{p.paths} paths of {p.steps} steps, answered by {p.law.type}"

    def samples(self, session: Session, leads: Sequence[int]) -> Samples:
        """Return every n-th sample for n ranks.

        Raises
        ------
        InputError
            If the law has no answer to some strain.
        """
        import numpy as np
        import torch

        from plexus.errors import InputError
        from plexus.laws._learned import PAIRS
        from plexus.learning.samples import Samples

        strain = self.paths()
        stress = self.answers(strain)
        bad = np.argwhere(~np.isfinite(stress).all((2, 3)))
        if len(bad):
            path, step = bad[0]
            raise InputError(
                f"train.data: {self.params.law.type} has no answer in step {step + 1} of path {path}, strain "
                f"{strain[path, step].tolist()}"
            )
        total, team = strain.shape[0] * strain.shape[1], session.team
        mine = slice(team.rank, None, team.size)

        def ports(letter: str, tensor: np.ndarray) -> dict[str, torch.Tensor]:
            rows = tensor.reshape(total, 3, 3)[mine]
            columns = {f"{letter}{i + 1}{j + 1}": np.ascontiguousarray(rows[:, i, j]) for i, j in PAIRS}
            return {name: torch.from_numpy(a).to(session.ctx.device) for name, a in columns.items()}

        number = torch.arange(total)[mine]
        time = (number % self.params.steps + 1).double() * (self.params.duration / self.params.steps)
        return Samples(
            number, torch.zeros_like(number), time, ports("e", strain), ports("s", stress),
            total=total, rank=team.rank, ranks=team.size,
        )  # fmt: skip

    def paths(self) -> np.ndarray:
        """Return the strains at the ends of all steps, (paths, steps, 3, 3)."""
        import numpy as np

        from plexus.laws._learned import PAIRS

        p = self.params
        s = np.linspace(0.0, 1.0, p.steps + 1)
        found = np.empty((p.paths, p.steps, 3, 3))
        for n in range(p.paths):
            for k, (i, j) in enumerate(PAIRS):
                drawn = registry.build(
                    "sample", p.strain.model_copy(update={"number": p.strain.number + 6 * n + k})
                )
                values = drawn(s) if drawn.axes else s * drawn()
                found[n, :, i, j] = found[n, :, j, i] = values[1:] - values[0]
        mean = np.einsum("nsii->ns", found)[..., None, None] / 3.0
        return found + (p.volume - 1.0) * mean * np.eye(3)

    def answers(self, strain: np.ndarray) -> np.ndarray:
        """Return the stresses of the law along all paths at once, (paths, steps, 3, 3) [Pa]."""
        import numpy as np

        from plexus.formulation.points import Values, View

        p, count = self.params, len(strain)
        law = registry.build("law", p.law)
        size = {"scalar": (count, 1), "tensor": (count, 1, 9)}
        before = {spec.name: np.full(size[spec.shape], spec.start) for spec in law.internal}
        heat = {} if p.temperature is None else {"temperature": Values(np.full((count, 1), p.temperature))}
        known = {"x": np.zeros((count, 1, 3)), "one": np.ones((1, 1)), "dim": 3, "regions": {}}
        stress = np.empty_like(strain)
        for k in range(p.steps):
            t = p.duration * (k + 1) / p.steps
            at: Any = View(None, heat, before=before, dt=p.duration / p.steps, t=t, **known)
            found = law.respond(at, strain[:, k, None], memory=True)
            stress[:, k], before = found.stress[:, 0], {**before, **found.memory}
        return stress

    def tell(self, session: Session) -> dict[str, dict[str, Any]]:
        """Return law, paths and seed."""
        p, told = self.params, super().tell(session)
        told["training"] |= {
            "generator": f"{p.law.type} at {p.paths} material points, {p.steps} steps in {p.duration:g} s",
            "seeds": [p.strain.seed],
        }
        return told
