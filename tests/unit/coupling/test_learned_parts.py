"""Several learned parts in one run, of different kinds: each counts, trips and falls back on its own."""

import sys
from pathlib import Path

import h5py
import pytest

sys.path.append(str(Path(__file__).parent))
import newcomers
from newcomers import CLOSURE, DECK, SOLVER, deck, summary

from plexus import driver
from plexus.coupling.system import System
from plexus.deck.load import load
from plexus.errors import DeckError
from plexus.protocols import Gap, Port


@pytest.fixture(autouse=True)
def _members():
    newcomers.register()
    yield
    newcomers.forget()


def ran(path: Path, folder: Path, *overrides: str, **more) -> dict:
    assert driver.run(path, overrides, folder, **more) == 0
    return summary(folder)


def test_both_are_watched_under_their_deck_paths(tmp_path, capsys):
    found = ran(deck(tmp_path), tmp_path / "out")
    assert found["status"] == "done" and list(found["guards"]) == [CLOSURE, SOLVER, "replaced"]
    told = capsys.readouterr().out
    for path in (CLOSURE, SOLVER):
        entry = found["guards"][path]
        assert (entry["steps"], entry["outside"], entry["holds"]) == (80, 0, True)
        assert f"{path}: none of the cells were outside its range" in told
    with h5py.File(tmp_path / "out" / "series.h5") as file:
        assert {CLOSURE, SOLVER} < set(file)
    # the network is more than nothing
    classical = ran(tmp_path / "deck.yaml", tmp_path / "line", "closure=line")
    assert list(classical["guards"]) == [SOLVER, "replaced"]
    assert abs(found["quantities"]["mean"] / classical["quantities"]["mean"] - 1) > 1e-3


def test_a_preconditioner_that_trips_leaves_the_closure_alone(tmp_path, capsys):
    sound = ran(deck(tmp_path), tmp_path / "sound")
    found = ran(tmp_path / "deck.yaml", tmp_path / "out", f"{SOLVER}.reach=0.1")
    assert (found["status"], found["exit_code"]) == ("degraded", 0)
    assert len(found["guards"]["replaced"]) == 1
    assert found["guards"]["replaced"][0].startswith(f"the learned {SOLVER} gave way to its fallback: ")
    tripped, other = found["guards"][SOLVER], found["guards"][CLOSURE]
    assert (tripped["steps"], tripped["fallback"], tripped["holds"]) == (32, 1, False)
    assert (other["steps"], other["fallback"], other["holds"]) == (80, 0, True)
    assert f"warning: at t = 0.32 s: the learned {SOLVER} gave way" in capsys.readouterr().out
    # which preconditioner it is changes no solution
    assert found["quantities"]["mean"] == pytest.approx(sound["quantities"]["mean"], rel=1e-9)


def test_a_closure_that_trips_leaves_the_preconditioner_alone(tmp_path):
    path = deck(tmp_path, low=5.0, high=6.0)
    found = ran(path, tmp_path / "out")
    assert found["status"] == "degraded"
    assert [text.split(" gave")[0] for text in found["guards"]["replaced"]] == ["the learned closure"]
    tripped, other = found["guards"][CLOSURE], found["guards"][SOLVER]
    assert (tripped["steps"], tripped["fallback"], tripped["mean_outside"]) == (32, 1, 1)
    assert (other["steps"], other["fallback"], other["holds"]) == (80, 0, True)
    classical = ran(path, tmp_path / "line", "closure=line")
    assert found["quantities"]["mean"] == pytest.approx(classical["quantities"]["mean"], rel=1e-9)


def test_two_can_trip_in_one_step(tmp_path):
    path = deck(tmp_path, low=5.0, high=6.0)
    found = ran(path, tmp_path / "out", f"{SOLVER}.reach=0.1")
    told = [text.split(" gave")[0] for text in found["guards"]["replaced"]]
    assert told == ["the learned closure", f"the learned {SOLVER}"]


def test_a_restart_knows_which_part_gave_way(tmp_path):
    path, out = deck(tmp_path), tmp_path / "out"
    ran(path, out, f"{SOLVER}.reach=0.1", "time.end=0.6 s")
    found = ran(path, out, f"{SOLVER}.reach=0.1", restart="latest")
    assert found["status"] == "degraded" and len(found["guards"]["replaced"]) == 1
    assert (found["guards"][SOLVER]["steps"], found["guards"][SOLVER]["fallback"]) == (32, 1)
    assert (found["guards"][CLOSURE]["steps"], found["guards"][CLOSURE]["fallback"]) == (80, 0)
    whole = ran(path, tmp_path / "whole", f"{SOLVER}.reach=0.1")
    assert found["quantities"]["mean"] == pytest.approx(whole["quantities"]["mean"], rel=1e-9)


def test_a_part_that_shall_stop_is_named(tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        driver.run(deck(tmp_path), [f"{SOLVER}.reach=0.1", f"{SOLVER}.guard.outside=stop"], tmp_path / "out")
    assert end.value.code == 5
    assert f"{SOLVER}: more than 0.01 of the cells" in capsys.readouterr().err


def test_a_lost_state_is_saved_by_the_part_whose_guard_speaks(tmp_path, monkeypatch):
    """The closure spoils the state in cells that its guard has seen; the preconditioner stays."""
    calls, good = [0], newcomers.Bent.evaluate

    def evaluate(self, fields):
        out = good(self, fields)
        calls[0] += 1
        if calls[0] < 350 or self.guard.using_fallback:
            return out
        self.guard.apply(fields, self.features(fields) + 100, out)
        return {"s": out["s"] * float("nan")}

    monkeypatch.setattr(newcomers.Bent, "evaluate", evaluate)
    found = ran(deck(tmp_path), tmp_path / "out")
    assert found["status"] == "degraded" and found["steps"] == 80
    (text,) = found["guards"]["replaced"]
    assert text.startswith("the learned closure gave way") and "went back to checkpoint_00000" in text
    assert found["guards"][SOLVER]["fallback"] == 0


def test_untrained_parts_and_closures_of_nothing_are_refused(tmp_path):
    path = deck(tmp_path)
    with pytest.raises(DeckError, match="closure: diffusion has nothing to close"):
        load(path, ["physics={type: diffusion, coefficient: 1}"])
    path.write_text(DECK.replace(", checkpoint: net.safetensors, sha256: HASH", ""))
    with pytest.raises(DeckError, match=r"closure\.type: checkpoint is missing: bent is learned"):
        load(path)


def test_a_part_that_does_not_give_what_is_open_is_refused(tmp_path, monkeypatch):
    path = deck(tmp_path)
    groups = (Port("q", "1"),), (Port("a", "1"), Port("b", "1"))
    other = Gap(groups, (), {}, newcomers.states)
    monkeypatch.setattr(newcomers.Open, "gap", staticmethod(lambda params: other))
    with pytest.raises(DeckError, match=r"closure\.type: bent gives s; the model leaves q, or a and b open"):
        load(path)


class Fake:
    """A guard that says what the test wants."""

    def __init__(self, suspect=False, stops=False, gone=False):
        self.suspect, self.stops, self.using_fallback = suspect, stops, gone

    def use_fallback(self):
        self.using_fallback = True


@pytest.mark.parametrize(
    ("parts", "gone"),
    [
        ([Fake(), Fake()], [True, True]),
        ([Fake(suspect=True), Fake()], [True, False]),
        ([Fake(), Fake(suspect=True)], [False, True]),
        ([Fake(suspect=True), Fake(suspect=True)], [True, True]),
        ([Fake(gone=True), Fake()], [True, True]),
        ([Fake(suspect=True, stops=True), Fake()], [False, False]),
        ([Fake(stops=True), Fake()], [False, True]),
        ([Fake(stops=True)], [False]),
    ],
)
def test_which_part_gives_way_when_a_state_is_lost(parts, gone):
    system = System({}, [], {}, {}, {})
    system.include({}, {f"part{n}": part for n, part in enumerate(parts)})
    before = [part.using_fallback for part in parts]
    told = system.give_way("lost")
    assert [part.using_fallback for part in parts] == gone
    new = [f"part{n}" for n, part in enumerate(parts) if part.using_fallback and not before[n]]
    assert [text.split()[2] for text in told] == new
    again = [part for part in parts if not part.using_fallback and not part.stops]
    assert bool(system.give_way("lost")) == bool(again and not any(p.suspect and p.stops for p in parts))
