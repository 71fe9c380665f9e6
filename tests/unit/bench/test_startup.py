"""The start-up benchmark: only rank 0 reads the deck, no rank imports torch, and the figures are told."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from plexus import registry
from plexus.bench import startup


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("startup")
    deck = folder / "small.yaml"
    deck.write_text(yaml.safe_dump(startup.DECK | {"output": []}))
    return startup.starts(deck, 2, folder / "two"), deck


def test_rank_0_alone_reads_the_deck(found):
    starts, deck = found
    assert [s.rank for s in starts] == [0, 1]
    assert [str(deck) in s.opens for s in starts] == [True, False]


def test_rank_0_alone_looks_for_other_packages(found):
    looked = [sum(path.endswith("entry_points.txt") for path in s.opens) for s in found[0]]
    assert looked[0] > 0 and looked[1] == 0
    # one file of each installed package, and each of them once
    points = [path for path in found[0][0].opens if path.endswith("entry_points.txt")]
    assert len(points) == len(set(points))


def test_ranks_load_only_what_a_plain_deck_needs(found):
    # byte code is named after its module
    other = {Path(p).name.partition(".")[0] for p in found[0][1].opens if "/plexus/" in p}
    spare = {"tree", "override", "learned", "volumes", "trace"}
    assert "assembly" in other and not other & spare
    assert not any("/yaml/" in p for p in found[0][1].opens)


def test_what_starts_ranks_loads_no_numbers_and_no_models():
    code = "import sys; from plexus import cli, launch; cli.parser(); print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    heavy = {
        "numpy",
        "pydantic",
        "yaml",
        "mpi4py",
        "importlib.metadata",
        "plexus.registry",
        "plexus.deck.params",
    }
    assert "argparse" in said.split() and not heavy.intersection(said.split())


def test_a_deck_that_needs_no_torch_does_not_import_it(found):
    assert not any(s.torch for s in found[0])


def test_rows_tell_readers_and_files(found):
    starts, deck = found
    rows = {r.item: r for r in startup._rows(starts, 2, deck)}
    assert rows["2 ranks: ranks above 0 that open the deck"].holds is True
    assert rows["2 ranks: ranks that import torch"].measured == 0
    assert rows["2 ranks: files that Python opens on rank 0"].measured == len(starts[0].opens)
    assert all(s.seconds > 0 and s.libraries > 10 for s in starts)


def test_without_strace_the_row_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(startup.shutil, "which", lambda name: None)
    (row,) = startup._traced(tmp_path / "deck.yaml", 2, tmp_path / "x")
    assert row.measured is None and "strace" in row.peer


def test_members_of_other_packages_are_taken_from_another_rank(monkeypatch):
    monkeypatch.setattr(registry, "_installed", {})
    monkeypatch.setattr("importlib.metadata.distributions", lambda: pytest.fail("looked for packages"))
    registry.adopt({kind: {} for kind in registry.KINDS} | {"physics": {"foreign": "elsewhere"}})
    registry._modules.cache_clear()
    try:
        assert "foreign" in registry.names("physics")
    finally:
        registry._modules.cache_clear()
