"""The choice of a GPU, shown with made-up lists of GPUs."""

import sys
from types import SimpleNamespace

import pytest
from mpi4py import MPI

from plexus.deck.blocks import Runtime
from plexus.devices import binding
from plexus.devices.binding import Gpu
from plexus.errors import InputError

TWO = [Gpu("H100", "GPU-a"), Gpu("H100", "GPU-b")]


def test_the_cpu_needs_no_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert binding.bind("cpu", MPI.COMM_WORLD).name == "cpu"
    monkeypatch.setattr(binding, "_may_have_gpu", lambda: False)
    assert binding.bind("auto", MPI.COMM_WORLD).name == "cpu"
    assert binding.bind("cuda", MPI.COMM_WORLD, "none").name == "cpu"


def test_missing_gpus_are_an_error_only_if_asked_for(monkeypatch):
    monkeypatch.setattr(binding, "_may_have_gpu", lambda: True)
    assert binding.bind("auto", MPI.COMM_WORLD, find=list).name == "cpu"
    with pytest.raises(InputError, match="no usable GPU"):
        binding.bind("cuda", MPI.COMM_WORLD, find=list)


def test_policies_deal_out_devices():
    found = [g.uuid for g in TWO]
    assert [binding._choose("local_rank", k, found, ()) for k in range(4)] == [0, 1, 0, 1]
    assert [binding._choose("default", k, found, ()) for k in range(2)] == [0, 0]
    assert [binding._choose("uuid", k, found, ["b", "GPU-a"]) for k in range(3)] == [1, 0, 1]
    with pytest.raises(InputError, match=r"no GPU with uuid c on .*; visible are a, b"):
        binding._choose("uuid", 0, found, ["GPU-c"])
    with pytest.raises(InputError, match="needs a list"):
        binding._choose("uuid", 0, found, ())


def test_the_device_carries_model_and_uuid():
    bound = binding.bind("cuda", MPI.COMM_SELF, "uuid", ["b"], find=lambda: TWO)
    assert (bound.name, bound.gpu) == ("cuda:1", Gpu("H100", "GPU-b"))


def test_two_ranks_on_one_gpu_are_refused_unless_allowed():
    a, b = TWO
    every = [("", "node1", a), ("", "node2", a), ("", "node1", None), ("", "node1", b), ("", "node1", a)]
    text = binding._collision(every, share=False)
    assert "ranks 0 and 4 would both compute on GPU GPU-a (H100) of node1" in text
    assert "runtime.devices.share: true" in text
    assert binding._collision(every, share=True) == ""
    assert binding._collision(every[:4], share=False) == ""


@pytest.mark.parametrize("uuid", ["GPU-1", None])
def test_torch_is_asked_for_names_and_uuids(monkeypatch, uuid):
    properties = SimpleNamespace(name="A100", pci_domain_id=0, pci_bus_id=0x41, pci_device_id=0)
    if uuid:
        properties.uuid = uuid
    cuda = SimpleNamespace(
        is_available=lambda: True, device_count=lambda: 1, get_device_properties=lambda k: properties
    )
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    assert binding.gpus() == [Gpu("A100", uuid or "pci-00:41:00")]


def test_the_deck_pairs_policy_and_list():
    assert Runtime(devices={"policy": "uuid", "uuids": ["GPU-a"]}).devices.uuids == ("GPU-a",)
    for wrong in ({"policy": "uuid"}, {"uuids": ["GPU-a"]}):
        with pytest.raises(ValueError, match="belong together"):
            Runtime(devices=wrong)
