"""Oracle: what is carried through a grid is neither made nor lost, and a linear profile stays one.

(M_1 - M_0)/dt = ∫ s + Σ g A    with closed sides and sides with a flux g, s and g constant in time
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from oracles.budgets import Budget
from oracles.cases import Tree
from oracles.leaves import ONE, S, amount, dims
from oracles.polynomials import AXES, Poly
from oracles.running import Outcome
from oracles.shapes import shape

SPEED, RATE, SPREAD = dims(1, 0, -1), dims(s=-1), dims(2, 0, -1)


def carried(seed: int) -> Budget:
    """Return a grid on which a substance is carried, spreads, is made and let in."""
    return _Carried(seed).case()


class _Carried:
    def __init__(self, seed: int):
        draw = self.draw = random.Random(f"carried{seed}")
        self.seed = seed
        body = shape(draw, draw.choice((1, 1, 2)), regions=False, most=12)
        even = tuple(
            tuple(t[0] + (t[-1] - t[0]) * i / n for i in range(n + 1))
            for t, n in ((t, max(7, len(t) - 1)) for t in body.ticks)
        )
        self.dim = body.dim
        unit = tuple(tuple(float(i == j) for j in range(self.dim)) for i in range(self.dim))
        self.body = replace(
            body, cell="line" if self.dim == 1 else "quadrilateral", ticks=even, matrix=unit,
            shift=(0.0,) * self.dim, grading=None, file=False,
        )  # fmt: skip
        self.reach = max(t[-1] - t[0] for t in even)
        self.span = 10 ** draw.uniform(-2, 3)

    def case(self) -> Budget:
        """Return the case."""
        draw, body = self.draw, self.body
        slow = self.reach / self.span
        around = [a for a in AXES[: self.dim] if draw.random() < 0.4]
        # through a closed side nothing may be carried
        speeds = [slow * draw.uniform(-1, 1) if a in around else 0.0 for a in AXES[: self.dim]]
        physics: Tree = {
            "type": "advection_diffusion", "velocity": [amount(v, SPEED) for v in speeds],
            "diffusivity": amount(slow * self.reach * draw.choice((0.0, 10 ** draw.uniform(-3, -1))), SPREAD),
            "reconstruction": draw.choice(("upwind", "muscl", "weno5")),
        }  # fmt: skip
        place = Poly.variable(AXES[self.dim - 1]) * (1 / self.reach)
        made = (1 + place * draw.uniform(-1, 1)) * (draw.uniform(0, 1) / self.span)
        self.given = 0.0
        if draw.random() < 0.7:
            physics["source"] = amount(made, RATE)
            self.given += body.volume(made)
        mesh = body.block()
        if around:
            mesh["periodic"] = around if self.dim > 1 else True
        deck: Tree = {"plexus": 1, "mesh": mesh, "physics": physics, "boundary": self._sides(around)}
        deck["initial"] = {"concentration": amount(1 + place * place, ONE)}
        explicit = draw.random() < 0.6
        deck["time"] = {
            "stepper": {"type": "ssp_rk", "order": draw.choice((2, 3))} if explicit else self._implicit(),
            "end": amount(self.span * 0.2, S), "step": amount(self.span * 0.2 / draw.randint(3, 9), S),
        }  # fmt: skip
        if explicit:
            deck["time"]["controller"] = {"type": "courant", "number": 0.4}
        else:
            deck["solver"] = {"default": {"preconditioner": "lu", "snes_rtol": 1e-12}}
        deck["quantities"] = {"whole": {"type": "integral", "of": "concentration"}}
        found = Budget(self.seed, "carried", deck, body)
        found.judge = self.judge
        return found

    def _implicit(self) -> Any:
        return self.draw.choice(({"type": "theta"}, {"type": "theta", "theta": 0.5}, "bdf2"))

    def _sides(self, around: list[str]) -> list[Tree]:
        draw, body = self.draw, self.body
        found: list[Tree] = []
        for side in body.sides:
            axis = AXES[[side in pair for pair in (("left", "right"), ("bottom", "top"))].index(True)]
            if axis not in around and draw.random() < 0.5:
                g = self.reach / self.span * draw.uniform(-0.3, 1)
                found.append({"on": side, "flux": amount(g, SPEED)})
                self.given += body.surface(Poly.of(g), side)
        return found

    def judge(self, found: Outcome) -> list[str]:
        """Return what the balance lacks over the whole run and from step to step."""
        wrong = []
        (t0, first), *rest = found.history
        for t, values in rest:
            made = self.given * (t - t0)
            size = abs(first["whole"]) + abs(made)
            if not abs(values["whole"] - first["whole"] - made) <= 1e-9 * size:
                wrong.append(f"t = {t}: {values['whole']} instead of {first['whole'] + made}")
        return wrong
