"""Pressure of a plume that rises between solids: the operator of `obstacles` with the flow of a jet as b.

b is what a vertical velocity w, a Gaussian jet above the middle of the floor with six waves of seed 100,
feeds into each fluid cell; on faces w is the mean of two fluid cells, zero at solids and at the floor, and
leaves through the top. Source: ours, after the smoke of A. Kaneda et al., ICML (2023),
doi:10.48550/arXiv.2205.10763.
"""

from __future__ import annotations

from typing import Any, Literal

from plexus.deck.params import Field
from plexus.problems.obstacles import Obstacles, ObstaclesParams
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"type": "plume", "cells": [16, 16, 16], "layout": "empty"}


class PlumeParams(ObstaclesParams):
    """Parameters of `Plume`."""

    rhs: Literal["plume"] = Field("plume", description="the flow of a rising plume")


@register("problem", "plume", PlumeParams)
class Plume(Obstacles):
    """Solids in a cube with a jet."""
