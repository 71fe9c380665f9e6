"""Facets inside the body: what is fed in there, exchanged with a fluid, and measured from either side.

Where regions meet, the flow K u_x jumps from a to b by g + h (u_a - u), whichever side the condition is seen
from; quantities of one side take the gradients of its cells.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from oracles.cases import Case, Pieces, Tree, largest
from oracles.leaves import PASCAL, Amount, Dims, M, amount, times
from oracles.polynomials import AXES, Poly
from oracles.scalars import _Scalar
from oracles.shapes import Shape, shape
from oracles.solids import _Solid


def joints(seed: int) -> Case:
    """Return heat or diffusion with terms and quantities where regions meet."""
    return _Joints(seed).case()


def seams(seed: int) -> Case:
    """Return an elastic body with pressure, traction and quantities where regions meet."""
    return _Seams(seed).case()


def parted(draw: random.Random, dim: int | None, most: int = 0) -> Shape:
    """Return a body of two regions in a file."""
    while True:
        body = shape(draw, dim, most=most)
        if body.split is not None:
            return replace(body, file=True)


def within(body: Shape, f: Poly) -> float:
    """Return the integral over the plane where regions meet."""
    assert body.split is not None
    found = (f * body.measure).put(x=body.ticks[0][body.split])
    for axis, ticks in zip(AXES[1:], body.ticks[1:], strict=False):
        found = found.integral(axis, ticks[0], ticks[-1])
    return found.constant


class _Joints(_Scalar):
    def __init__(self, seed: int):
        super().__init__(seed, random.Random(f"joints{seed}").choice(("heat", "diffusion")))

    def _body(self) -> Shape:
        self.radial = False
        return parted(self.draw, self.draw.choice((1, 2, 2, 3)))

    def _boundary(self) -> list[Tree]:
        found = super()._boundary()
        return found if self.jumps else [*found, self._exchange_inside(Poly())]

    def _interface(self) -> Tree:
        return self._exchange_inside(self.flows["a"][0] - self.flows["b"][0])

    def _exchange_inside(self, gap: Poly) -> Tree:
        """Return a flux and a fluid that together feed in what the flow jumps by."""
        draw, body = self.draw, self.body
        assert body.split is not None
        cut = body.ticks[0][body.split]
        gap, u = gap.put(x=cut), self.u["a"].put(x=cut)
        h = self._stiffness() * 10 ** draw.uniform(-1, 1)
        extra = gap * draw.uniform(-1, 1)
        block: Tree = {"on": {"interface": "mid", "from": draw.choice("ab")}}
        if extra.terms:
            block["flux"] = Amount(extra, self.q_unit)
        coefficient = amount(h, times(self.q_unit, self.unit, -1))
        if self.heat:
            ambient = u + (gap - extra) * (1 / h)
            block["convection"] = {"coefficient": coefficient, "ambient": Amount(ambient, self.unit, True)}
        else:
            block["robin"] = {"coefficient": coefficient, "value": Amount(u * h + gap - extra, self.q_unit)}
        return block

    def _passages(self, u: Pieces, room: Dims) -> None:
        super()._passages(u, room)
        body, case = self.body, self.found
        flux = "heat_flux" if self.heat else f"{self.name}_flux"
        area = within(body, Poly.of(1.0))
        strongest = max(largest(body, 1, {None: f}, self.end) for fs in self.flows.values() for f in fs)
        strongest = max(strongest, 0.01 * self._stiffness() * largest(body, 1, u))
        for side, sign in (("a", -1), ("b", 1)):
            on = {"interface": "mid", "from": side}
            flow = sign * within(body, self.flows[side][0].put(t=self.end))
            block = {"type": "flux", "of": flux, "on": on}
            whole = times(times(room, self.q_unit), M, -1)
            case.quantity(f"out_of_{side}", block, flow, whole, strongest * area)
            level = within(body, u[side]) / area
            block = {"type": "mean", "of": self.name, "on": on}
            case.quantity(f"level_{side}", block, level, self.unit, largest(body, 1, u))


class _Seams(_Solid):
    def __init__(self, seed: int):
        super().__init__(
            seed, random.Random(f"seams{seed}").choice(("solid", "plane_strain", "plane_stress"))
        )

    def _body(self) -> Shape:
        self.hot = False
        return parted(self.draw, self.dim, {3: 2}.get(self.dim, 4))

    def _interface(self) -> Tree:
        """Return a traction and a pressure that together are the jump of the stress."""
        draw, body = self.draw, self.body
        assert body.split is not None
        cut, side = body.ticks[0][body.split], self.draw.choice("ab")
        gap = [(a - b).put(x=cut) for a, b in zip(self.stress["a"][0], self.stress["b"][0], strict=True)]
        push = largest(body, 1, {None: gap[0]}, self.end) * draw.uniform(-1, 1)
        press = Poly.of(push) * (Poly.variable("t") * (1 / self.end) if self.ramped else 1.0)
        # it acts along -n of the side it is seen from
        gap[0] = gap[0] + press * (1 if side == "a" else -1)
        block: Tree = {"on": {"interface": "mid", "from": side}, "traction": [Amount(g, PASCAL) for g in gap]}
        return block | ({"pressure": Amount(press, PASCAL)} if push else {})

    def _quantities(self) -> None:
        super()._quantities()
        body, area = self.body, within(self.body, Poly.of(1.0))
        strong: Any = {key: [f.put(t=self.end) for f in self.stress[key][0]] for key in self.keys}
        big = max(largest(body, 1, {None: f}) for rows in strong.values() for f in rows)
        for side in self.keys:
            for i in range(self.dim):
                block = {
                    "type": "mean", "of": f"stress_x{AXES[i]}", "on": {"interface": "mid", "from": side},
                }  # fmt: skip
                value = within(body, strong[side][i]) / area
                self.found.quantity(f"beside_{side}_{AXES[i]}", block, value, PASCAL, big)
