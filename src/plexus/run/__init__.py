"""One run on one rank: what it is made of, the loop that marches it, what it tells of itself."""

from __future__ import annotations

from plexus.run.run import Run, marching, stepper_of

__all__ = ["Run", "marching", "stepper_of"]
