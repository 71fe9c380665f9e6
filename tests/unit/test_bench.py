"""The frame of the benchmarks: names, table, JSON. What they measure is no test's business."""

import errno
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from plexus import bench
from plexus.bench import scale
from plexus.bench.job import Job
from plexus.bench.table import Row, machine, table
from plexus.errors import InputError, OutputError


def test_a_benchmark_prints_a_table_and_writes_json(tmp_path, monkeypatch, capsys):
    module = ModuleType("plexus.bench.scale")
    module.run = lambda: [Row("speed", 2.5, "x", 2.0, True, "peer 1 s"), Row("memory", None, "GiB")]
    monkeypatch.setitem(sys.modules, "plexus.bench.scale", module)
    monkeypatch.chdir(tmp_path)
    assert bench.main(["scale"]) == 0
    assert "2.5 x" in capsys.readouterr().out
    content = json.loads((tmp_path / "runs/bench/scale.json").read_text())
    assert set(content) == {"machine", "rows"}
    assert content["rows"][0] == {
        "item": "speed", "measured": 2.5, "unit": "x", "bound": 2.0, "holds": True, "peer": "peer 1 s",
    }  # fmt: skip


def test_results_stay_until_new_ones_are_complete(tmp_path, monkeypatch):
    path = tmp_path / "runs" / "scale.json"
    bench.keep(path, "old")

    def half(self, data):
        self.open("wb").write(data[:1])
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OutputError, match=r"scale\.json: No space left"):
        bench.keep(path, "new")
    assert [p.read_text() for p in path.parent.iterdir()] == ["old\n"]


def test_an_unknown_benchmark_is_the_users_mistake():
    with pytest.raises(InputError, match="poisson"):
        bench.main(["poison"])


def test_every_benchmark_has_a_module_with_run():
    from importlib import import_module

    assert all(callable(import_module(module).run) for module in bench.benches().values())


def test_studies_add_their_benchmarks():
    assert tuple(bench.benches())[: len(bench.BENCHES)] == bench.BENCHES
    assert {"closure", "active_fluid"} <= set(bench.benches()) - set(bench.BENCHES)


def test_a_study_is_found_by_its_folder(tmp_path, monkeypatch):
    from plexus import studies

    (tmp_path / "pendulum").mkdir()
    package = tmp_path / "pendulum" / "__init__.py"
    package.write_text('BENCHES = {"swing": "plexus.studies.pendulum.swing"}\n')
    (tmp_path / "quiet.py").write_text("")
    monkeypatch.setattr(studies, "__path__", [*studies.__path__, str(tmp_path)])
    assert bench.benches()["swing"] == "plexus.studies.pendulum.swing"


def test_table_aligns_and_leaves_out_what_is_missing():
    lines = table([Row("a", 1.0, "s"), Row("longer", 20.0, "s", 30.0, False)]).splitlines()
    assert lines[1].index("1 s") == lines[2].index("20 s")
    assert "NO" in lines[2]


def test_machine_is_described():
    assert {"processor", "cores", "memory_gib"} <= set(machine())


def test_shares_of_the_scale_run_add_up():
    phases = {
        n: {"longest": 1.0} for n in ("mesh", "spaces", "matrix", "residual", "preconditioner", "solve")
    }
    facts = {
        "unknowns": 3_000_000, "peak_memory_mb": 5120.0, "phases": phases,
        "solver": {"displacement": {"total": 20}},
    }  # fmt: skip
    rows = {r.item: r for r in scale.rows(Job(10.0, facts))}
    assert rows["memory"].measured == 10.0
    assert rows["memory"].holds
    assert sum(r.measured for i, r in rows.items() if i.startswith("share")) == pytest.approx(60)
