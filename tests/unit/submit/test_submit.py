"""Job scripts: the size that is proposed, what is filled in, what is refused, and where files are found."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from plexus.cli import main
from plexus.deck.load import load
from plexus.errors import DeckError, InputError
from plexus.submit import places
from plexus.submit.profile import Profile, choose
from plexus.submit.render import TASK, Script, clock, render
from plexus.submit.size import propose

ROOT = Path(__file__).parents[3]
DECK = """\
plexus: 1
mesh: {type: box, cell: quadrilateral, cells: [CELLS, CELLS]}
physics: {type: heat, material: {conductivity: 1}}
boundary: [{on: left, temperature: 300 K}]
"""


@pytest.fixture
def deck(tmp_path):
    def make(cells: int = 20, *overrides: str):
        path = tmp_path / "my deck.yaml"
        path.write_text(DECK.replace("CELLS", str(cells)))
        return load(path, overrides)

    return make


def rendered(deck, profile: Profile, words=("run", "deck.yaml"), array=None) -> str:
    template = places.find("templates", profile.template).read_text()
    size = propose(deck, profile)
    script = Script(list(words), ["/opt/plexus env/bin/plexus"], "name", Path("runs/name"), array)
    return render(template, deck, profile, size, script)


def head(text: str) -> dict[str, str]:
    """Return the options of a job script."""
    lines = [line.removeprefix("#SBATCH --") for line in text.splitlines() if line.startswith("#SBATCH")]
    assert len({line.partition("=")[0] for line in lines}) == len(lines)
    return {line.partition("=")[0]: line.partition("=")[2] for line in lines}


def settings(text: str, folder: Path) -> str:
    """Run the script's settings in bash and return what the job would run."""
    begin, end = (text.index(mark) for mark in ("# >>> settings", "# <<< settings"))
    probe = folder / "probe.sh"
    probe.write_text(text[begin:end] + '\nprintf "%s|" "${plexus[@]}" "${command[@]}" "$ranks" "$chain"\n')
    return subprocess.run(["bash", str(probe)], capture_output=True, text=True, check=True).stdout


def test_small_problems_take_few_ranks_and_large_ones_more_nodes(deck):
    profile = Profile(cores_per_node=16, max_nodes=4, memory_per_node="64 GB")
    small, medium, large = (propose(deck(n), profile) for n in (20, 500, 5000))
    assert (small.nodes, small.ranks) == (1, 1) and small.memory == 1e9
    assert (medium.nodes, medium.ranks) == (1, 10)
    assert (large.nodes, large.ranks) == (4, 64)


def test_a_grid_with_one_axis_gets_one_rank(tmp_path):
    path = tmp_path / "line.yaml"
    path.write_text(
        "plexus: 1\nmesh: {type: periodic, cells: [1048576], size: [1e5]}\n"
        "physics: {type: kuramoto_sivashinsky}\ntime: {stepper: etdrk4, end: 1, step: 0.1}\n"
    )
    assert propose(load(path), Profile(cores_per_node=16, max_nodes=4)).ranks == 1


def test_what_the_deck_says_is_kept(deck):
    wish = ("job.nodes=3", "job.ranks_per_node=2", "job.threads=4", "job.memory=7 GB", "job.time=90 min")
    size = propose(deck(20, *wish), Profile(cores_per_node=16))
    assert (size.nodes, size.ranks, size.threads, size.memory, size.time) == (3, 6, 4, 7e9, 5400)


def test_more_than_a_node_has_is_refused(deck):
    with pytest.raises(InputError, match="8 ranks with 4 cores each do not fit on a node with 16 cores"):
        propose(deck(20, "job.ranks_per_node=8", "job.threads=4"), Profile(cores_per_node=16))


def test_memory_asks_for_more_nodes(deck):
    tight = Profile(cores_per_node=4, max_nodes=64, memory_per_node="4 GB", unknowns_per_rank=10**9)
    assert propose(deck(3000), tight).nodes > 1


def test_gpus_get_one_rank_each(deck):
    profile = Profile(template="gpu.sbatch", cores_per_node=32, gpus_per_node=4)
    size = propose(deck(2000, "runtime.device=cuda"), profile)
    assert (size.ranks_per_node, size.gpus_per_node) == (4, 4)
    text = rendered(deck(2000, "runtime.device=cuda"), profile)
    assert head(text)["gpus-per-node"] == "4"
    other = profile.model_copy(update={"gpu_option": "gres"})
    assert "gpus-per-node" not in head(rendered(deck(2000, "runtime.device=cuda"), other))
    with pytest.raises(InputError, match="has no GPUs"):
        propose(deck(20, "runtime.device=cuda"), Profile())


def test_options_of_sbatch_come_from_profile_and_deck(deck):
    profile = Profile(partition="normal", account="abc", options={"constraint": "rome"}, cores_per_node=8)
    found = head(rendered(deck(20, "job.partition=short", "job.options.qos=high", "job.time=25 h"), profile))
    assert (found["partition"], found["account"], found["qos"]) == ("short", "abc", "high")
    assert (found["constraint"], found["time"], found["signal"]) == ("rome", "1-01:00:00", "B:USR1@120")
    assert found["output"] == "runs/name/job-%j.out" and "requeue" in found


def test_the_signal_goes_to_job_steps_where_ranks_are_steps(deck):
    profile = Profile(launcher="srun --mpi=pmix", cores_per_node=8)
    assert head(rendered(deck(20, "job.time=2 min"), profile))["signal"] == "USR1@30"


def test_hostile_words_stay_words(deck, tmp_path):
    evil = ["run", "a b.yaml", "-s", "x='$(touch pwned)`touch pwned`;\"\n$HOME"]
    text = rendered(deck(), Profile(environment={"A": "$(touch pwned)"}, cores_per_node=8), evil)
    assert settings(text, tmp_path) == "|".join(["/opt/plexus env/bin/plexus", *evil, "1", "requeue", ""])
    assert not list(tmp_path.glob("pwned")) and not Path("pwned").exists()
    assert subprocess.run(["bash", "-n"], input=text, text=True, check=False).returncode == 0


def test_the_index_of_an_array_is_the_shell_s(deck, tmp_path):
    profile = Profile(cores_per_node=8, environment={"SLURM_ARRAY_TASK_ID": 7})
    text = rendered(deck(), profile, ("sweep", "d.yaml", "--member", TASK), "0-11%4")
    assert head(text)["array"] == "0-11%4" and "job-%A_%a.out" in head(text)["output"]
    assert "|--member|7|" in settings(text, tmp_path)


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("job.partition='a b'", "job.partition"),
        ("job.account='$(id)'", "job.account"),
        ("job.options.qos='x;y'", "job.options"),
        ("job.profile=../secret", "job.profile"),
        ("job.memory=lots", "job.memory"),
        ("job.time=5 s", "job.time"),
        ("job.time=5 m", "job.time"),
        ("job.nodes=0", "job.nodes"),
        ("job.node=2", "did you mean 'nodes'"),
        ("job.chain=always", "job.chain"),
    ],
)
def test_wrong_blocks_are_told(override, problem, deck):
    with pytest.raises(DeckError) as caught:
        deck(20, override)
    assert problem in str(caught.value)


def test_a_margin_longer_than_the_job_is_told(deck):
    with pytest.raises(DeckError, match="leaves nothing of the time limit"):
        deck(20, "job.time=1 min", "job.signal_margin=2 min")


def test_a_wrong_profile_is_told_like_a_deck(tmp_path):
    path = tmp_path / "site.yaml"
    path.write_text("description: x\npartitoin: a\n")
    with pytest.raises(DeckError, match=r"site.yaml:2:1: partitoin: unknown key; did you mean 'partition'"):
        choose(str(path), None, False)


def test_profiles_of_a_site_go_before_ours(tmp_path, monkeypatch):
    monkeypatch.setenv("PLEXUS_SLURM", str(tmp_path))
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "cpu.yaml").write_text("partition: mine\n")
    assert choose("cpu", None, False)[1].partition == "mine"
    assert choose(None, "gpu", False)[1].gpus_per_node == 4
    with pytest.raises(InputError, match="did you mean 'cpu'"):
        choose("cpi", None, False)


def test_a_machine_without_slurm_is_a_workstation(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("PLEXUS_PROFILE", raising=False)
    assert choose(None, None, False)[0] == "workstation"


@pytest.mark.parametrize("name", sorted(places.catalogue("profiles")))
def test_profiles_and_templates_that_we_ship(name, deck):
    profile = choose(name, None, False)[1]
    text = rendered(deck(), profile)
    assert subprocess.run(["bash", "-n"], input=text, text=True, check=False).returncode == 0
    assert "HDF5_USE_FILE_LOCKING=FALSE" in text


def test_a_template_without_marks_is_refused(deck):
    script = Script(["run"], ["plexus"], "name", Path("runs"))
    profile = Profile(cores_per_node=8)
    with pytest.raises(InputError, match="has no lines"):
        render("#!/bin/sh\n", deck(), profile, propose(deck(), profile), script)


@pytest.mark.parametrize(("seconds", "text"), [(60, "00:01:00"), (3601, "01:01:00"), (90000, "1-01:00:00")])
def test_times_as_slurm_writes_them(seconds, text):
    assert clock(seconds) == text


def test_print_shows_the_script_and_leaves_no_trace(deck, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = deck().path
    assert main(["submit", str(path), "--profile", "cpu", "--print", "-s", "mesh.cells=[9, 9]"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("#!") and shlex.quote(str(path)) in said.out and "100 unknowns" in said.err
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_without_slurm_submit_says_what_to_do(deck, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = deck().path
    monkeypatch.setenv("PATH", "/nonexistent")
    assert main(["submit", str(path), "--profile", "cpu"]) == 2
    assert "SLURM is not installed here" in capsys.readouterr().err


def test_a_workstation_runs_in_the_background(deck, tmp_path):
    (tmp_path / "deck.yaml").write_text(DECK.replace("CELLS", "8"))
    words = ["submit", "deck.yaml", "--profile", "workstation", "-s", "job.ranks_per_node=1"]
    done = subprocess.run(
        [sys.executable, "-m", "plexus", *words], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    process = int(done.stdout.partition("started as process ")[2].split()[0])
    assert f"kill {process}" in done.stdout
    wait_for(tmp_path / "runs/deck", "results are in runs/deck")
    assert json.loads((tmp_path / "runs/deck/summary.json").read_text())["status"] == "done"


def wait_for(folder: Path, line: str) -> None:
    """Wait until a run has said its last line, which comes after the summary."""
    import time

    end, log = time.monotonic() + 600, folder / "log.txt"
    while not (log.exists() and line in log.read_text()):
        assert time.monotonic() < end, (folder / "job.out").read_text()
        time.sleep(0.1)


LEARNED = ROOT / "input_decks" / "training" / "active_fluid_f2.yaml"


def test_a_training_is_submitted_as_one(capsys):
    assert main(["submit", str(LEARNED), "--train", "--print", "--restart"]) == 0
    out = capsys.readouterr().out
    assert f"command=(train {LEARNED} -o runs/active_fluid_f2 --restart)" in out


def test_a_campaign_is_one_job_and_its_draws_may_be_an_array(tmp_path, capsys):
    deck = str(ROOT / "input_decks" / "rom" / "draws_light.yaml")
    (tmp_path / "rom.h5").write_bytes(b"")
    rom = ["-s", "rom.type=galerkin", "-s", f"rom.file={tmp_path / 'rom.h5'}"]
    assert main(["submit", deck, *rom, "--campaign", "--print", "--restart"]) == 0
    out = capsys.readouterr().out
    assert "command=(campaign " in out and " -o runs/draws_light --restart)" in out and "array" not in out
    assert main(["submit", deck, "--reduce", "--print"]) == 0
    assert "command=(reduce " in capsys.readouterr().out
    assert main(["submit", deck, "--campaign", "--print"]) == 2
    assert "a campaign needs `rom: {type: galerkin" in capsys.readouterr().err
    assert main(["submit", deck, *rom, "--print", "--profile", "cpu"]) == 0
    assert "--array=0-99" in capsys.readouterr().out


def test_a_training_asks_for_the_memory_of_its_frames():
    deck, profile = load(LEARNED), Profile(cores_per_node=4)
    run, training = (propose(deck, profile, kind).memory for kind in ("run", "train"))
    assert training > run


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("training/active_fluid_f2.yaml", [], "plexus submit --train"),
        ("closures/bingham.yaml", ["--train"], "needs a block `train`"),
    ],
)
def test_what_cannot_be_trained_or_only_trained_is_refused(name, options, told, capsys):
    assert main(["submit", str(ROOT / "input_decks" / name), "--print", *options]) == 2
    assert told in capsys.readouterr().err
