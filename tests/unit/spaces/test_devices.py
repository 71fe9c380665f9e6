"""Bridge, transfer counters and the choice of a device, as far as a machine without GPU can show."""

import sys

import numpy as np
import pytest
from mpi4py import MPI
from space_cases import box

from plexus.devices import binding
from plexus.devices.bridge import Bridge, TorchBridge, bridge
from plexus.devices.transfers import Transfers
from plexus.errors import InputError
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


def test_the_cpu_needs_no_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert binding.bind("cpu", MPI.COMM_WORLD) == "cpu"
    monkeypatch.setattr(binding, "_may_have_gpu", lambda: False)
    assert binding.bind("auto", MPI.COMM_WORLD) == "cpu"
    assert binding.bind("cuda", MPI.COMM_WORLD, "none") == "cpu"


def test_missing_gpus_are_an_error_only_if_asked_for(monkeypatch):
    monkeypatch.setattr(binding, "_uuids", list)
    monkeypatch.setattr(binding, "_may_have_gpu", lambda: True)
    assert binding.bind("auto", MPI.COMM_WORLD) == "cpu"
    with pytest.raises(InputError, match="no usable GPU"):
        binding.bind("cuda", MPI.COMM_WORLD)


def test_policies_deal_out_devices(monkeypatch):
    found = ["GPU-a", "GPU-b"]
    assert [binding._choose("local_rank", k, found, ()) for k in range(4)] == [0, 1, 0, 1]
    assert [binding._choose("default", k, found, ()) for k in range(2)] == [0, 0]
    assert [binding._choose("uuid", k, found, ["b", "GPU-a"]) for k in range(3)] == [1, 0, 1]
    with pytest.raises(InputError, match="no GPU with uuid c; visible are a, b"):
        binding._choose("uuid", 0, found, ["GPU-c"])
    with pytest.raises(InputError, match="needs a list"):
        binding._choose("uuid", 0, found, ())
    monkeypatch.setattr(binding, "_uuids", lambda: found)
    assert binding.bind("cuda", MPI.COMM_SELF) == "cuda:0"
