"""Fields of a state of tensors, and numbers made of them: means, integrals, flows, values at places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from plexus.coupling.nodal import NodalFields
from plexus.deck.params import Expression
from plexus.errors import InputError
from plexus.fields.stacks import stacked
from plexus.protocols import Integrand, Since
from plexus.protocols.facets import Facets
from plexus.spaces.evaluate import Part
from plexus.spaces.shared import Spread, Total
from plexus.spaces.tensors import TensorEvaluator
from plexus.spaces.tested import TestedForm

if TYPE_CHECKING:
    from plexus.coupling.traced import Traced


class TracedFields(NodalFields):
    """`NodalFields` of tensors: the smooth numbers, as torch scalars that are equal on all ranks."""

    def __init__(self, traced: Traced, constants: Mapping[str, float]):
        super().__init__(traced.system, constants)
        self.traced = traced
        self.evaluator: TensorEvaluator = TensorEvaluator(self.evaluator.mesh)

    @property
    def arrays(self) -> dict[str, Any]:
        """Space and values of every control, unknown and internal variable."""
        controls = self.system.controls.members
        return super().arrays | {name: (controls[name], a) for name, a in self.traced.rows.items()}

    def _given(self, f: Integrand) -> dict[str, Any]:
        """Return `arrays`: formulas are evaluated where an integral wants them."""
        return self.arrays

    def extremum(self, f: Integrand, part: Part, largest: bool) -> float:
        """Refuse: where the largest value is taken jumps.

        Raises
        ------
        InputError
            Always, with what is smooth instead.
        """
        raise no_extremum(largest)

    def value(self, expression: Expression, at: Sequence[float]) -> Any:
        """Return an expression at one place, from the cell that holds it. Collective.

        Raises
        ------
        InputError
            If it reads a field that jumps between cells.
        """
        smooth = {*self.system.spaces, *self.system.controls.members, *"xyzt"}
        jumps = [n for n in expression.names if n not in smooth and n.rpartition("_")[0] not in smooth]
        if jumps:
            raise InputError(
                f"{expression.text!r} at a place has no gradient: {', '.join(sorted(jumps))} is recovered at "
                "nodes; take its mean over a region"
            )
        f = self.integrand(expression)
        return self.evaluator.value(f, self.state.t, self.arrays, np.array(at, dtype=float))

    def reaction(self, name: str, boundary: Facets, component: int = 0) -> Any:
        """Return what holds an unknown on a boundary: the weak form tested with its share in the nodes.

        Collective.
        """
        form = next(f for f in self.system.forms.values() if name in [s.name for s in f.equation.fields])
        nodes, part = self.share(name, boundary)
        rows = torch.zeros(form.space.n_owned, form.space.components, dtype=torch.float64)
        rows[nodes, form.columns.get(name, slice(None))] = torch.from_numpy(part[:, component])
        memory = self.state.internal
        tested, values = TestedForm(form), {**self.traced.rows, **self.state.values, **memory}
        u = stacked([spec.name for spec in form.equation.fields], values)
        lam = Spread.apply(rows, form.space.halo)
        found = tested(self.state.t, u, None, values, lam, Since(0.0, memory))
        return Total.apply(found, form.space.comm)


def no_extremum(largest: bool) -> InputError:
    """Return why an extremum has no gradient, and what is smooth instead."""
    sign = "" if largest else "-"
    return InputError(
        f"the {'largest' if largest else 'smallest'} value has no gradient where its place jumps; for "
        f"positive values m = {{type: mean, of: (...)^({sign}8)}} is smooth, and m^(1/{sign}8) near it"
    )
