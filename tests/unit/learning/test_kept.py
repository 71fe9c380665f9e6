"""Samples that members of a sweep share."""

import threading
import time

import pytest
import torch

from plexus.errors import InputError
from plexus.learning import kept
from plexus.learning.samples import Samples


def made() -> Samples:
    rng = torch.Generator().manual_seed(0)
    fields = {n: torch.randn(3, 4, generator=rng, dtype=torch.complex128) for n in ("f2", "e")}
    plain = {"c": torch.rand(3, 4, generator=rng, dtype=torch.float64)}
    later = {n: {"moments": torch.randn(3, 2, 4, generator=rng, dtype=torch.complex128)} for n in (4, 16)}
    number = torch.arange(3)
    return Samples(number, number * 0 + 7, number * 0.5, fields | plain, {"f2": fields["f2"]}, later, 3,
                   measured=("f2", "e"))  # fmt: skip


def same(one: dict, other: dict) -> bool:
    return list(one) == list(other) and all(torch.equal(one[n], other[n]) for n in one)


def test_what_is_kept_comes_back_to_the_last_bit(tmp_path):
    before, calls = made(), []

    def compute() -> Samples:
        calls.append(1)
        return before

    first, there = kept.once(tmp_path, {"a": 1}, compute)
    second, again = kept.once(tmp_path, {"a": 1}, compute)
    assert (there, again, len(calls)) == (False, True, 1)
    for found in (first, second):
        assert same(found.inputs, before.inputs) and same(found.targets, before.targets)
        assert list(found.later) == [4, 16] and all(same(found.later[n], before.later[n]) for n in (4, 16))
        assert torch.equal(found.group, before.group) and torch.equal(found.time, before.time)
        assert (found.total, found.measured) == (3, ("f2", "e"))
    assert kept.once(tmp_path, {"a": 2}, compute)[1] is False and len(calls) == 2


def test_who_comes_at_the_same_time_waits(tmp_path):
    calls = []

    def compute() -> Samples:
        calls.append(1)
        time.sleep(0.2)
        return made()

    others = [threading.Thread(target=kept.once, args=(tmp_path, {}, compute)) for _ in range(4)]
    for other in others:
        other.start()
    for other in others:
        other.join()
    assert len(calls) == 1


def test_a_computation_that_fails_leaves_nothing(tmp_path):
    def compute() -> Samples:
        raise InputError("no")

    with pytest.raises(InputError, match="no"):
        kept.once(tmp_path, {}, compute)
    assert kept.once(tmp_path, {}, made)[1] is False


def test_a_damaged_file_is_told(tmp_path):
    kept.once(tmp_path, {}, made)
    (path,) = tmp_path.glob("data-*.h5")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match=r"damaged .* delete it"):
        kept.once(tmp_path, {}, made)


def test_only_members_share(tmp_path):
    member = tmp_path / "member_0000"
    member.mkdir()
    assert kept.shared(member) is None
    (tmp_path / "sweep.json").write_text("{}")
    assert kept.shared(member) == tmp_path
