"""Bridge and transfer counters, as far as a machine without GPU can show."""

import numpy as np
import pytest
from space_cases import box

from plexus.devices.bridge import Bridge, TorchBridge, bridge
from plexus.devices.transfers import Transfers
from plexus.spaces.lagrange import Space


def test_arrays_and_vectors_share_memory_on_the_cpu():
    vec = Space(box("triangle", (6, 6)), 1).vector()
    for b in (Bridge(), TorchBridge("cpu")):
        array = b.vec(vec)
        array[0] = 7.0
        assert vec.getArray()[0] == 7.0
        assert np.shares_memory(b.host(array), vec.getArray())
    constant = np.ones(3)
    constant.flags.writeable = False
    assert TorchBridge("cpu").array(constant).tolist() == [1, 1, 1]


def test_numpy_kernels_stay_on_the_cpu():
    with pytest.raises(ValueError, match="run on the CPU"):
        bridge("native", "cuda:0")


def test_transfers_are_counted():
    counter = Transfers()
    with counter.timed("to_host", 80):
        pass
    assert counter.as_dict() | {"seconds": 0} == {
        "to_device": 0, "to_host": 1, "bytes_to_device": 0, "bytes_to_host": 80, "seconds": 0,
    }  # fmt: skip
