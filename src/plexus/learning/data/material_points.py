"""Paths of strain at one point of a material, answered by a law or a potential of the deck's choice.

    ε(s) = Σ_n (f_n(s) - f_n(0)) B_n,    s from 0 to 1,    n = number + 6 path + place of B_n

with f a drawn field (kind ``sample``) of one axis, whose coordinate in metres stands for s; of a sample
without axes a path is straight, f_n(s) = s f_n; then tr ε is taken times `volume`. A path of mode ``random``
has all six components, those of the tensor, e12 half the angle of shear; the others have one B: ``uniaxial``
diag(1, -1/2, -1/2), ``biaxial`` diag(1/2, 1/2, -1), ``shear`` e12, ``volumetric`` diag(1, 1, 1). A law
answers with σ; it begins each path without memory and takes `steps` equal steps over `duration`. A potential
answers with P at the stretch F = exp ε, whose logarithmic strain is ε: any is possible, and ln J = tr ε.
Every rank computes all paths, which cost less than to send them, and keeps its share.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import field_validator, model_validator

from plexus import registry
from plexus.deck import parts
from plexus.deck.params import Component, Field, Params, Unit
from plexus.deck.values import refuse
from plexus.learning.data.base import DataBase
from plexus.protocols.training import Wrong
from plexus.registry import register

if TYPE_CHECKING:
    import numpy as np
    import torch

    from plexus.deck.schema import Deck
    from plexus.learning.data._teachers import Teacher
    from plexus.learning.samples import Samples
    from plexus.learning.session import Session

EXAMPLE: dict[str, Any] = {
    "type": "material_points",
    "law": {"type": "elastic", "young_modulus": "70 GPa", "poisson_ratio": 0.3},
    "strain": {"type": "uniform", "seed": 1, "low": -0.01, "high": 0.01},
    "paths": 50,
}


Mode = Literal["random", "uniaxial", "biaxial", "shear", "volumetric"]


class MaterialPointsParams(Params):
    """Parameters of `MaterialPoints`."""

    law: Annotated[Params | None, Component("law")] = Field(
        None, description="the classical law that answers"
    )
    potential: Annotated[Params | None, Component("potential")] = Field(
        None, description="in its place, for a learned potential, the classical potential that answers"
    )
    strain: Annotated[Any, Component("sample")] = Field(
        description="field from which the components of each path are drawn"
    )
    modes: tuple[Mode, ...] = Field(
        ("random",), min_length=1, description="kinds of paths, which take turns; random: all components"
    )
    volume: float = Field(
        1.0,
        ge=0,
        description="factor on the volumetric part of the strain; metals that flow change it little",
    )
    paths: int = Field(100, ge=1, le=100_000, description="number of paths")
    steps: int = Field(20, ge=1, le=10_000, description="steps of each path; each end of a step is a sample")
    noise: float = Field(
        0.0, ge=0, description="normal noise on the stress, as a share of its root mean square"
    )
    duration: Annotated[float, Unit("s")] = Field(1.0, gt=0, description="time that a path takes")
    temperature: Annotated[float, Unit("K")] | None = Field(
        None, description="temperature of all points, for laws whose data depend on it"
    )

    @model_validator(mode="after")
    def _one(self) -> MaterialPointsParams:
        if (self.law is None) == (self.potential is None):
            raise refuse("who answers? give `law` for a learned law, or `potential` for a learned potential")
        if self.teacher.learned:
            raise refuse(
                f"{self.teacher.type} is learned itself: a training needs a classical material to learn from"
            )
        return self

    @property
    def teacher(self) -> Params:
        """Parameters of what answers."""
        found = self.law or self.potential
        assert found is not None
        return found

    @property
    def kind(self) -> str:
        """Kind of what answers, and of the part that learns."""
        return "law" if self.law is not None else "potential"

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
        """Yield a part of another kind than what answers."""
        kind = params.kind
        others = [path for path, part in parts.learned(deck) if parts.component(part).kind != kind]
        chosen = deck.train.part if deck.train is not None else None
        if not list(parts.learned(deck)) or chosen in others or (chosen is None and others):
            yield (kind,), f"a {kind} at material points answers for a learned {kind}, physics.{kind}"

    def words(self) -> str:
        """Return the number of paths and what answers them."""
        p = self.params
        return f"{p.paths} paths of {p.steps} steps, answered by {p.teacher.type}"

    def samples(self, session: Session, leads: Sequence[int]) -> Samples:
        """Return every n-th sample for n ranks.

        Raises
        ------
        InputError
            If what answers has no answer to some strain.
        """
        import numpy as np
        import torch

        from plexus.errors import InputError
        from plexus.learning.data import _teachers
        from plexus.learning.data._paths import disturbed, drawn
        from plexus.learning.samples import Samples

        p, strain = self.params, drawn(self.params)
        teacher = self._teacher()
        asked = teacher.asked(strain)
        stress = _teachers.answers(teacher, asked, p.duration, p.temperature)
        bad = np.argwhere(~np.isfinite(stress).all((2, 3)))
        if len(bad):
            path, step = bad[0]
            raise InputError(
                f"train.data: {p.teacher.type} has no answer in step {step + 1} of path {path}, strain "
                f"{strain[path, step].tolist()}"
            )
        total, team = strain.shape[0] * strain.shape[1], session.team
        mine = slice(team.rank, None, team.size)

        def ports(names: Sequence[str], tensor: np.ndarray) -> dict[str, torch.Tensor]:
            rows = tensor.reshape(total, 3, 3)[mine]
            columns = [np.ascontiguousarray(rows[:, i, j]) for i, j in teacher.places]
            arrays = zip(names, columns, strict=True)
            return {name: torch.from_numpy(a).to(session.ctx.device) for name, a in arrays}

        number = torch.arange(total)[mine]
        time = (number % p.steps + 1).double() * (p.duration / p.steps)
        return Samples(
            number, torch.zeros_like(number), time, ports(teacher.inputs, asked),
            ports(teacher.outputs, disturbed(stress, p)), total=total, rank=team.rank, ranks=team.size,
        )  # fmt: skip

    def _teacher(self) -> Teacher:
        """Return what answers."""
        from plexus.learning.data._teachers import OfLaw, OfPotential

        p = self.params
        if p.law is not None:
            return OfLaw(p.law, p.paths)
        return OfPotential(p.potential, p.paths)

    def tell(self, session: Session) -> dict[str, dict[str, Any]]:
        """Return who answers, paths and seed."""
        p, told = self.params, super().tell(session)
        noise = f", noise {p.noise:g}" if p.noise else ""
        told["training"] |= {
            "generator": f"{p.teacher.type} at {p.paths} material points, {p.steps} steps in {p.duration:g} s"
            f"{noise}",
            "seeds": [p.strain.seed],
        }
        return told
