"""Quasi-static loading: at every time a steady solve under the loads of that time.

F(u(t), t) = 0 with all time derivatives zero; each solve starts from the previous state, so
that loads, properties and boundary conditions that depend on t are followed step by step.
"""

from __future__ import annotations

from typing import Any

from plexus.registry import register
from plexus.stepping.steppers.steady import Steady, SteadyParams

EXAMPLE: dict[str, Any] = {"type": "quasistatic"}


class QuasistaticParams(SteadyParams):
    """Quasi-static stepping has no parameters of its own."""


@register("stepper", "quasistatic", QuasistaticParams)
class Quasistatic(Steady):
    """A steady solve at every new time."""

    marches = True
