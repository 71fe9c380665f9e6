"""Heat and diffusion with polynomial solutions: c u_t - ∇·(K ∇u) + r u = s, K ∇u·n on the boundary."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from typing import Any

import numpy as np

from oracles.cases import (
    Case,
    Pieces,
    Tree,
    at_nodes,
    at_points,
    at_time,
    by_region,
    everywhere,
    largest,
    mapped,
    on_side,
    over_body,
    over_side,
    random_field,
    solver,
    term,
    touching,
)
from oracles.leaves import KG, ONE, Amount, Dims, K, M, S, amount, dims, times
from oracles.polynomials import AXES, Poly, divergence, gradient
from oracles.shapes import Shape, shape

X, T, V = Poly.variable("x"), Poly.variable("t"), Poly.variable("v")


def scalar(seed: int, family: str) -> Case:
    """Return a case of heat or diffusion."""
    return _Scalar(seed, family).case()


class _Scalar:
    def __init__(self, seed: int, family: str):
        draw = self.draw = random.Random(f"{family}{seed}")
        self.family, self.seed = family, seed
        self.heat = family == "heat"
        self.radial = draw.random() < 0.15
        self.body = self._body()
        if self.radial:
            self.body = replace(self.body, measure=X * (2 * math.pi))
        self.degree = draw.choice((1, 2))
        self.transient = draw.random() < 0.45
        # c u_t is uniform there, so that lumping changes nothing; a radius as weight is lumped too
        self.lumped = self.transient and not self.radial and draw.random() < 0.2
        self.degree = 1 if self.lumped else self.degree
        self.name = "temperature" if self.heat else draw.choice(("u", "humidity"))
        self.unit: Dims = K if self.heat else ONE
        # W/(m K) and W/m², or m²/s and m/s for a pure number
        self.k_unit = dims(1, 1, -3, -1) if self.heat else dims(2, 0, -1)
        self.q_unit = times(times(self.k_unit, self.unit), M, -1)
        self.start = draw.choice((0.0, draw.uniform(0, 5)))
        self.span = 10 ** draw.uniform(-1, 4) if self.transient else 0.0
        self.end = self.start + self.span
        self.keys: list[Any] = self.body.regions or [None]
        self.capacity_varies = False
        self.k = self._conductivity()
        self.u = self._solution()
        self.flows = self._flows()

    def _body(self) -> Shape:
        return shape(self.draw, 2 if self.radial else None, regions=not self.radial, radial=self.radial)

    def _leaf(self, f: Poly, dimensions: Dims, absolute: bool = False) -> Amount:
        return Amount(f, dimensions, absolute, (self.name, self.unit))

    def _pieces(self, pieces: Pieces, dimensions: Dims) -> Any:
        if None in pieces:
            return self._leaf(pieces[None], dimensions)
        return {"regions": {key: self._leaf(f, dimensions) for key, f in pieces.items()}}

    def _conductivity(self) -> dict[Any, list[list[Poly]]]:
        """Return K by region: numbers, tensors, functions of the place or of the unknown."""
        draw, dim = self.draw, self.body.dim
        size = 10 ** draw.uniform(-2, 2.5)
        kind = draw.choice(("number", "tensor", "place", "unknown"))
        if len(self.keys) > 1 and kind in ("place", "unknown"):
            kind = "number"
        if self.radial and kind == "tensor":
            kind = "number"
        if kind == "tensor" and dim == 1:
            kind = "number"
        self.k_kind = kind
        found = {}
        for key in self.keys:
            here = size * 10 ** draw.uniform(-1, 1)
            if kind == "tensor":
                root = np.array([[draw.uniform(-1, 1) for _ in range(dim)] for _ in range(dim)])
                full = here * (root @ root.T + 0.5 * np.eye(dim))
                found[key] = [[Poly.of(float(v)) for v in row] for row in full]
                continue
            value = Poly.of(here)
            if kind == "place":
                far = float(abs(self.body.points(1)).max()) or 1.0
                axis = draw.choice(AXES[:dim]) if not self.radial else "y"
                value = value + Poly.variable(axis) * (here * draw.uniform(-0.7, 0.7) / far)
            if kind == "unknown":
                value = value + V * (here * (1e-3 if self.heat else 0.3) * draw.uniform(0, 1))
            found[key] = [[value if i == j else Poly() for j in range(dim)] for i in range(dim)]
        return found

    def _solution(self) -> dict[Any, Poly]:
        draw = self.draw
        level = draw.uniform(250, 900) if self.heat else draw.uniform(-1, 3)
        swing = level * draw.uniform(0.02, 0.12) if self.heat else 0.4
        field = random_field(draw, self.body, self.degree, self.radial) * swing + level
        if self.transient:
            rate = random_field(draw, self.body, self.degree, self.radial)
            if self.lumped:
                rate = Poly.of(draw.uniform(-1, 1))
            field = field + (T - self.start) * rate * (swing / self.span)
        if len(self.keys) == 1:
            return {None: field}
        return {"a": field, "b": field + self._kink(field, swing)}

    def _kink(self, field: Poly, swing: float) -> Poly:
        """Return what is added in b: the flow through the plane goes on, or jumps by what the deck says."""
        body, draw = self.body, self.draw
        assert body.split is not None
        cut = body.ticks[0][body.split]
        self.jumps = body.file and draw.random() < 0.7
        if self.jumps:
            reach = max(t[-1] - t[0] for t in body.ticks)
            slope = (
                Poly.of(draw.uniform(-1, 1)) if self.degree == 1 else random_field(draw, body, 1, mixed=False)
            )
            return (X - cut) * slope * (swing / reach)
        grad = gradient(field, body.dim)
        gap = sum(((self.k["a"][0][j] - self.k["b"][0][j]) * grad[j] for j in range(body.dim)), Poly())
        slope = (gap * (1 / self.k["b"][0][0].constant)).put(x=cut)
        return (X - cut) * slope

    def _flows(self) -> dict[Any, list[Poly]]:
        """Return K ∇u by region."""
        found = {}
        for key in self.keys:
            u, k = self.u[key], self.k[key]
            grad = gradient(u, self.body.dim)
            found[key] = [
                sum((k[i][j].put(v=u) * grad[j] for j in range(self.body.dim)), Poly())
                for i in range(self.body.dim)
            ]
        return found

    def case(self) -> Case:
        """Return the case."""
        draw = self.draw
        promised, tolerance = solver(
            draw, [self.name], ("gamg", "jacobi") if self.k_kind != "unknown" else ()
        )
        physics = self._physics()
        if self.radial and self.k_kind == "unknown":
            # r k(u) ∇u·∇v is of one degree more than rules of degree 2p integrate exactly
            tolerance = max(tolerance, 1e-5)
        deck: Tree = {"plexus": 1, "mesh": self.body.block(), "physics": physics, **promised}
        self.found = Case(
            self.seed, self.family, deck, self.body, self.degree, {self.name: self.u}, tolerance=tolerance,
            units={self.name: self.unit},
        )  # fmt: skip
        deck["boundary"] = self._boundary()
        if self.transient:
            first = at_time(self.u, self.start)
            deck["initial"] = {self.name: everywhere(first, self.body, self.unit, self.heat)}
            deck["time"] = self._time()
        self._quantities()
        return self.found

    def _physics(self) -> Tree:
        draw, radial = self.draw, self.radial
        rates = {key: Poly() for key in self.keys}
        physics: Tree = {"type": self.family, "degree": self.degree}
        material: Tree = physics.setdefault("material", {}) if self.heat else physics
        if not self.heat and self.name != "u":
            physics["field"] = self.name
        k_name = "conductivity" if self.heat else "coefficient"
        if self.k_kind == "tensor":
            material[k_name] = [
                [
                    self._pieces({key: self.k[key][i][j] for key in self.keys}, self.k_unit)
                    for j in range(self.body.dim)
                ]
                for i in range(self.body.dim)
            ]
        else:
            material[k_name] = self._pieces({key: self.k[key][0][0] for key in self.keys}, self.k_unit)
        if self.transient:
            rates = self._capacity(material)
        if self.lumped:
            physics["capacity" if self.heat else "mass"] = "lumped"
        reaction = {key: Poly() for key in self.keys}
        if not self.heat and draw.random() < 0.4:
            size = 1 / (self.span or 1.0) if self.transient else 1.0
            reaction = {key: Poly.of(size * draw.uniform(0.1, 2)) for key in self.keys}
            physics["reaction"] = self._pieces(reaction, dims(s=-1))
        source = {}
        for key in self.keys:
            u, q = self.u[key], self.flows[key]
            out = divergence(q) + (q[0].over("x") if radial else Poly())
            source[key] = rates[key] - out + reaction[key] * u
        if any(s.terms for s in source.values()):
            physics["source"] = by_region(draw, source, self.body, times(self.q_unit, M, -1))
        if radial:
            physics["geometry"] = "axisymmetric"
        self.source, self.rates, self.reaction = source, rates, reaction
        return physics

    def _capacity(self, material: Tree) -> dict[Any, Poly]:
        """Return c u_t and add the capacity to the deck."""
        draw = self.draw
        capacity = {}
        if self.heat:
            rho = {key: Poly.of(10 ** draw.uniform(2, 4)) for key in self.keys}
            c = {key: Poly.of(draw.uniform(200, 4000)) for key in self.keys}
            if draw.random() < 0.3 and not self.lumped:
                c = {key: f + V * draw.uniform(0, 1) for key, f in c.items()}
                self.capacity_varies = True
            material["density"] = self._pieces(rho, times(KG, M, -3))
            material["specific_heat"] = self._pieces(c, dims(2, 0, -2, -1))
            capacity = mapped(lambda a, b: a * b, rho, c)
        else:
            capacity = {key: Poly.of(draw.uniform(0.2, 3)) for key in self.keys}
            material["capacity"] = self._pieces(capacity, ONE)
        return {key: capacity[key].put(v=self.u[key]) * self.u[key].d("t") for key in self.keys}

    def _time(self) -> Tree:
        draw = self.draw
        kind = draw.choice(("theta", "crank", "any", "bdf2"))
        block: Any = {
            "theta": {"type": "theta"}, "crank": {"type": "theta", "theta": 0.5},
            "any": {"type": "theta", "theta": draw.uniform(0.5, 1)}, "bdf2": "bdf2",
        }[kind]  # fmt: skip
        found: Tree = {
            "stepper": block, "start": amount(self.start, S), "end": amount(self.end, S),
            "step": amount(self.span / draw.uniform(1, 6), S),
        }  # fmt: skip
        if draw.random() < 0.25:
            found["adaptive"] = {"tolerance": 1e-3}
        elif draw.random() < 0.2:
            scheme = draw.choice(("beuler", "cn", "bdf", "arkimex", "rosw"))
            # a stage of rosw solves linearised equations
            exact = scheme != "rosw" or self._linear()
            found["stepper"] = {"type": "petsc_ts", "ts": scheme if exact else "bdf"}
        if draw.random() < 0.2:
            found["hit"] = [amount(self.start + self.span * draw.uniform(0.1, 0.9), S)]
        return found

    def _linear(self) -> bool:
        """Return whether neither K nor the capacity depends on the unknown."""
        return self.k_kind != "unknown" and not self.capacity_varies

    def out_of(self, side: str) -> dict[Any, Poly]:
        """Return K ∇u·n, what flows into the body through a side."""
        n = self.body.normal(side)
        return {
            key: sum((self.flows[key][i] * float(n[i]) for i in range(self.body.dim)), Poly())
            for key in touching(self.body, side)
        }

    def _boundary(self) -> list[Tree]:
        draw, body = self.draw, self.body
        sides = draw.sample(body.sides, len(body.sides))
        held = draw.randint(1, len(sides)) if draw.random() < 0.75 else 0
        if self.radial and body.ticks[0][0] == 0 and "left" in sides:
            sides.remove("left")
            held = min(held, len(sides))
        self.held, rest = sides[:held], sides[held:]
        found: list[Tree] = []
        if self.held:
            value = everywhere(self.u, body, self.unit, self.heat)
            if draw.random() < 0.5:
                found.append({"on": self.held, self.name: value})
            else:
                found += [{"on": side, self.name: value} for side in self.held]
        self.free, anchored = (
            rest,
            bool(self.held) or self.transient or any(r.terms for r in self.reaction.values()),
        )
        for i, side in enumerate(rest):
            force = not anchored and i == len(rest) - 1
            block, anchors = self._term(side, force)
            anchored = anchored or anchors
            found.append({"on": side, **block})
        if not anchored:
            raise RuntimeError("nothing fixes the level")
        if len(self.keys) > 1 and self.jumps:
            found.append(self._interface())
        return draw.sample(found, len(found))

    def _interface(self) -> Tree:
        """Return the flow that is fed in where the two regions meet."""
        body = self.body
        assert body.split is not None
        cut = body.ticks[0][body.split]
        gap = (self.flows["a"][0] - self.flows["b"][0]).put(x=cut)
        side = self.draw.choice("ab")
        return {"on": {"interface": "mid", "from": side}, "flux": Amount(gap, self.q_unit)}

    def _term(self, side: str, anchor: bool) -> tuple[Tree, bool]:
        """Return the terms of a side without prescribed value, and whether they fix the level."""
        draw, body = self.draw, self.body
        flow = self.out_of(side)
        kinds = ["mixed", "both"] if anchor else ["flux", "flux", "mixed", "both"]
        kind = draw.choice(kinds)
        if kind == "flux" and not any(f.terms for f in flow.values()):
            return {"flux": amount(0.0, self.q_unit)}, False
        h_unit = times(self.q_unit, self.unit, -1)
        h = 10 ** draw.uniform(-1, 1) * self._stiffness()
        extra = {key: Poly.of(largest(body, 1, flow, self.start) * draw.uniform(-1, 1)) for key in flow}
        if kind != "both":
            extra = {key: Poly() for key in flow}
        block: Tree = {}
        rest = {key: flow[key] - extra[key] for key in flow}
        if kind in ("flux", "both"):
            given = flow if kind == "flux" else extra
            block["flux"] = term(on_side(draw, given, body, side, self.q_unit))
        if kind in ("mixed", "both"):
            if self.heat:
                # h (T_a - T) = rest
                ambient = {key: self.u[key] + rest[key] * (1 / h) for key in rest}
                block["convection"] = {
                    "coefficient": amount(h, h_unit), "ambient": on_side(draw, ambient, body, side, K, True),
                }  # fmt: skip
            else:
                # b - a u = rest
                value = {key: self.u[key] * h + rest[key] for key in rest}
                block["robin"] = {
                    "coefficient": amount(h, h_unit), "value": on_side(draw, value, body, side, self.q_unit),
                }  # fmt: skip
        return block, kind != "flux"

    def _stiffness(self) -> float:
        """Return a transfer coefficient of the size of k over a length."""
        reach = max(t[-1] - t[0] for t in self.body.ticks)
        some = next(iter(self.k.values()))[0][0].put(v=next(iter(self.u.values())))
        return largest(self.body, 1, {None: some}, self.start) / reach

    def _quantities(self) -> None:
        draw, body, case, name = self.draw, self.body, self.found, self.name
        u = at_time(self.u, self.end)
        nodes = at_nodes(body, self.degree, u, 0.0)
        big = float(abs(nodes).max())
        volume = over_body(body, {key: Poly.of(1.0) for key in self.keys})
        room = times(ONE, M, 2 if self.radial and body.dim == 2 else 0)
        room = times(room, M, body.dim if not self.radial else 1)
        ask = case.quantity
        whole = over_body(body, u)
        ask("whole", {"type": "integral", "of": name}, whole, times(room, self.unit), big * volume)
        ask("mean", {"type": "mean", "of": name}, whole / volume, self.unit, big)
        square = over_body(body, mapped(lambda f: f * f, u))
        if self.heat:
            ask("norm", {"type": "norm", "of": name}, math.sqrt(square), None, big * math.sqrt(volume))
        ask("largest", {"type": "maximum", "of": name}, float(nodes.max()), self.unit, big)
        ask("smallest", {"type": "minimum", "of": name}, float(nodes.min()), self.unit, big)
        place = body.inside(draw)
        there = at_points(body, {None: u[body.region_at(place)]}, np.array([place]), 0.0)
        ask(
            "there", {"type": "value", "of": name, "at": [amount(v, M) for v in place]},
            float(there[0]), self.unit, big,
        )  # fmt: skip
        if body.split is not None:
            key = draw.choice("ab")
            ask(
                "part", {"type": "integral", "of": name, "region": key}, body.volume(u[key], key),
                times(room, self.unit), big * volume,
            )  # fmt: skip
        case.deck["quantities"]["off"] = {
            "type": "error", "of": name, "exact": everywhere(self.u, body, self.unit, self.heat),
        }  # fmt: skip
        case.expected["off"] = (0.0, None, big * math.sqrt(volume))
        self._passages(u, room)

    def _passages(self, u: Pieces, room: Dims) -> None:
        draw, body, case = self.draw, self.body, self.found
        flux = "heat_flux" if self.heat else f"{self.name}_flux"
        area = times(times(room, M, -1), self.q_unit)
        strongest = max(largest(body, 1, {None: f}, self.end) for fs in self.flows.values() for f in fs)
        # a flow that is a hundredth of k u over the body's length is a small difference
        strongest = max(strongest, 0.01 * self._stiffness() * largest(body, 1, u))

        def through(side: str) -> float:
            return over_side(body, at_time(self.out_of(side), self.end), side)

        # an axis of revolution has no area of its own
        areas = {
            side: over_side(body, dict.fromkeys(touching(body, side), Poly.of(1.0)), side)
            for side in body.sides
        }

        def size(side: str) -> float:
            return strongest * max(areas[side], 1e-3 * sum(areas.values()))

        for side in draw.sample(body.sides, min(2, len(body.sides))):
            block = {"type": "flux", "of": flux, "on": side}
            case.quantity(f"through_{side}", block, -through(side), area, size(side))
            block = {"type": "mean", "of": self.name, "on": side}
            ones = over_side(body, {key: Poly.of(1.0) for key in touching(body, side)}, side)
            if ones > 0:
                value = over_side(body, u, side) / ones
                case.quantity(f"mean_{side}", block, value, self.unit, abs(value))
        for side in self.free[:2]:
            block = {"type": "flux", "of": flux, "on": side, "by": "terms"}
            case.quantity(f"terms_{side}", block, -through(side), area, size(side) + self._exchange(side, u))
        if self.held and not self.transient:
            block = {"type": "reaction", "of": self.name, "on": self.held}
            whole = sum(through(side) for side in self.held)
            case.quantity("fed", block, whole, area, sum(size(s) for s in body.sides))

    def _exchange(self, side: str, u: Pieces) -> float:
        """Return the size of h u over a side, of which a flow is a small difference."""
        big = largest(self.body, 1, u)
        keys = touching(self.body, side)
        return over_side(self.body, {key: Poly.of(10 * self._stiffness() * big) for key in keys}, side)
