"""Heat and diffusion through a contact: the solution jumps by the flow over h where two regions meet.

With K ∇u·n = g - h (u_a - u_b) on the side of a, where g is made, and what crosses going on in b:

    u_b = u_a - (g - f)/h,    k_b u_b,x = f - g,    f = k_a u_a,x    on the plane x = c,

so that u_b is a polynomial of the elements where u_a is one and 1/h is a number, or linear along the plane.
"""

from __future__ import annotations

import random
from typing import Any

from oracles.cases import Case, Pieces, Tree, at_sides, at_time, largest
from oracles.joints import parted, within
from oracles.leaves import Amount, Dims, M, amount, times
from oracles.polynomials import AXES, Poly
from oracles.scalars import _Scalar
from oracles.shapes import Shape

X = Poly.variable("x")


def contacts(seed: int) -> Case:
    """Return heat or diffusion in two bodies that touch."""
    return _Contacts(seed).case()


class _Contacts(_Scalar):
    def __init__(self, seed: int):
        super().__init__(seed, random.Random(f"contacts{seed}").choice(("heat", "diffusion")))

    def _body(self) -> Shape:
        self.radial = False
        return parted(self.draw, self.draw.choice((1, 2, 2, 3)))

    def _conductivity(self) -> dict[Any, list[list[Poly]]]:
        self.k_kind, dim, size = "number", self.body.dim, 10 ** self.draw.uniform(-2, 2.5)
        found = {}
        for key in self.keys:
            here = Poly.of(size * 10 ** self.draw.uniform(-1, 1))
            found[key] = [[here if i == j else Poly() for j in range(dim)] for i in range(dim)]
        return found

    def _kink(self, field: Poly, swing: float) -> Poly:
        draw, body = self.draw, self.body
        assert body.split is not None
        self.jumps, cut = True, body.ticks[0][body.split]
        reach = max(t[-1] - t[0] for t in body.ticks)
        k_a, k_b = (self.k[key][0][0].constant for key in self.keys)
        flow = (field.d("x") * k_a).put(x=cut)
        made = Poly.of(k_a * swing / reach * draw.uniform(-1, 1) if draw.random() < 0.4 else 0.0)
        self.resistance = Poly.of(reach / k_a * 10 ** draw.uniform(-2, 1))
        if body.dim > 1 and (self.degree == 2 or not any(flow.d(a).terms for a in AXES)):
            ticks = body.ticks[1]
            along = (Poly.variable("y") - ticks[0]) * (1 / (ticks[-1] - ticks[0]))
            self.resistance = self.resistance * (along * draw.choice((0.0, draw.uniform(0, 3))) + 1.0)
        self.made, self.crossing = made, flow - made
        jump = self.crossing * self.resistance
        slope = self.crossing * (1 / k_b) - flow * (1 / k_a)
        return jump + (X - cut) * slope + self._rest(field, cut)

    def _rest(self, field: Poly, cut: float) -> Poly:
        """Return what makes the part of u_a that bends along x straight in b, or nothing."""
        if self.draw.random() < 0.5:
            return Poly()
        bend = field - field.put(x=cut) - (X - cut) * field.d("x").put(x=cut)
        return bend * -1.0

    def _interface(self) -> Tree:
        draw = self.draw
        on = draw.choice(("a|b", "b|a", "mid"))
        unit = times(self.unit, self.q_unit, -1)
        number = self.resistance.constant if not any(self.resistance.d(a).terms for a in AXES) else None
        if number is not None and draw.random() < 0.5:
            return {
                "on": on,
                "contact": {"conductance": amount(1 / number, times(self.q_unit, self.unit, -1))},
            }
        return {"on": on, "contact": {"resistance": Amount(self.resistance, unit)}}

    def _boundary(self) -> list[Tree]:
        found = super()._boundary()
        if self.made.terms:
            found.append({"on": {"interface": "a|b", "from": "a"}, "flux": Amount(self.made, self.q_unit)})
        return found

    def _quantities(self) -> None:
        super()._quantities()
        case, body, u = self.found, self.body, at_time(self.u, self.end)
        case.torn = True
        values = at_sides(body, u, body.points(self.degree), 0.0)
        for name, value in (("largest", values.max()), ("smallest", values.min())):
            case.expected[name] = (float(value), self.unit, float(abs(values).max()))

    def _passages(self, u: Pieces, room: Dims) -> None:
        super()._passages(u, room)
        body, case = self.body, self.found
        flux = "heat_flux" if self.heat else f"{self.name}_flux"
        area, whole = within(body, Poly.of(1.0)), times(times(room, self.q_unit), M, -1)
        across, made = (within(body, f.put(t=self.end)) for f in (self.crossing, self.made))
        big = largest(body, 1, u)
        exchanged = area * big / abs(self.resistance.put(y=body.ticks[-1][0]).constant)
        for side, flow in (("a", -across - made), ("b", across)):
            on = {"interface": "mid", "from": side}
            block = {"type": "flux", "of": flux, "on": on, "by": "terms"}
            case.quantity(f"out_of_{side}", block, flow, whole, exchanged)
            block = {"type": "mean", "of": self.name, "on": on}
            case.quantity(f"level_{side}", block, within(body, u[side]) / area, self.unit, big)
