"""The most memory that torch's tensors take while something runs, counted when they are made and freed."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


def peak(work: Callable[[], object]) -> int:
    """Return the most bytes of tensors that ``work`` held at one time, beyond those it began with."""
    with _Counted() as counted:
        work()
    return counted.most


class _Counted(TorchDispatchMode):
    """Counts the memory behind every result until it is freed."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.most = 0
        self._known: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Iterable[Any] = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(out):
            if isinstance(tensor, torch.Tensor):
                self._count(tensor.untyped_storage())
        return out

    def _count(self, storage: torch.UntypedStorage) -> None:
        where = storage._cdata
        if where in self._known:
            return
        self._known.add(where)
        self.now += storage.nbytes()
        self.most = max(self.most, self.now)
        weakref.finalize(storage, self._freed, where, storage.nbytes())

    def _freed(self, where: int, size: int) -> None:
        self._known.discard(where)
        self.now -= size
