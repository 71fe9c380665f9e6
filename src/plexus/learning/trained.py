"""A learned part while it is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from plexus.protocols import Setting

Tensor = torch.Tensor


class Trained:
    """A learned part inside a model while it is trained: projected, but neither guarded nor counted."""

    guard = None

    def __init__(self, part: Any):
        self.part = part

    def prepare(self, setting: Setting) -> None:
        """Do nothing: the part is prepared already."""

    def evaluate(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the network's outputs, moved to where they are possible at all."""
        out: dict[str, Tensor] = self.part.admitted(inputs, self.part.raw(inputs))
        return out
