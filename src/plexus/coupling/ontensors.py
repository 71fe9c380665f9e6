"""What systems on tensors share: all that tensors do not change is that of the system on arrays."""

from __future__ import annotations

from typing import Any


class OnTensors:
    """A system whose own methods take tensors, and whose other names are those of another system.

    Parameters
    ----------
    system
        The system on arrays.
    """

    def __init__(self, system: Any):
        self.system = system

    def __getattr__(self, name: str) -> Any:
        """Return what tensors do not change: spaces or cells, names of unknowns, norms."""
        if name.startswith("_") or name == "system":
            raise AttributeError(name)
        return getattr(self.system, name)
