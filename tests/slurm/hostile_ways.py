"""Ways in which a deck of somebody else may try to run a program or to touch a file outside its run folder.

Each way is a deck in a folder with a file ``victim.txt``; its program would leave the file ``ran``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

DECK = """\
plexus: 1
about: {title: heat}
mesh: {type: box, cell: quadrilateral, cells: [2, 2]}
physics: {type: heat, degree: 1, material: {conductivity: 200}}
boundary: [{on: left, temperature: 300}]
job: {ranks_per_node: 2, time: 2 min, chain: none}
"""
LEAVES = 'open("{folder}/ran", "w").close()\n'
VICTIM = "precious\n"


@dataclass(frozen=True)
class Way:
    """A hostile deck.

    Attributes
    ----------
    told : words of the refusal; empty where the deck is good and must do no harm.
    adds : text behind the deck.
    name : of its file.
    files : other files in the folder, name -> text; ``{folder}`` stands for the folder.
    links : links in the folder, name -> target.
    """

    told: str = ""
    adds: str = ""
    name: str = "deck.yaml"
    files: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def lay(self, folder: Path) -> Path:
        """Put everything into a folder; return the deck."""
        (folder / "victim.txt").write_text(VICTIM)
        for name, text in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace("{folder}", str(folder)))
        for name, target in self.links.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(folder / target)
        if "pipe" in self.adds:
            os.mkfifo(folder / "pipe")
        deck = folder / self.name
        # a key stands once
        own = DECK[: DECK.index("job:")] if self.adds.startswith("job:") else DECK
        deck.write_text(own.replace("title: heat", 'title: "a\\e[31m; touch ran\\n$(touch ran)"') + self.adds)
        return deck


def options(text: str, told: str = "job.options: a deck cannot set") -> Way:
    """Return a deck that sets an option of sbatch."""
    return Way(told, adds=f"job: {{options: {{{text}}}}}\n")


def solver(text: str, told: str = "none that runs a program or writes a file") -> Way:
    """Return a deck that sets an option of PETSc."""
    return Way(told, adds=f"solver: {{temperature: {{options: {{{text}}}}}}}\n")


WAYS = {
    "output": options("output: ../victim.txt"),
    "error": options("error: ../victim.txt"),
    "export": options('export: "ALL,PYTHONPATH=/tmp"'),
    "wrap": options("wrap: ran"),
    "chdir": options("chdir: /tmp"),
    "container": options("container: /tmp"),
    "burst buffer": options("bbf: victim.txt"),
    "environment": options("get-user-env: 1L"),
    "end of line in an option": options('qos: "a\\n#SBATCH --wrap=ran"', "job.options"),
    "end of line behind an option": options('qos: "a\\n"', "job.options"),
    "quote in a partition": Way("job.partition", adds="job: {partition: 'a\" --wrap=ran'}\n"),
    "profile": Way("job.profile", adds="job: {profile: ../mine}\n"),
    "folder above": Way("runtime.name", adds='runtime: {name: ".."}\n'),
    "end of line in a name": Way("runtime.name", adds='runtime: {name: "a\\n"}\n'),
    "bundle elsewhere": Way(
        "train.output", adds="train: {cases: [{alpha: -3, zeta: 1}], output: ../victim.safetensors}\n"
    ),
    "device": Way("is a device, not a deck", adds="parameters: {include: /dev/zero}\n"),
    "pipe": Way("is a pipe, not a deck", adds="parameters: {include: pipe}\n"),
    "viewer": solver('ksp_view: ":../victim.txt"'),
    "preconditioner in Python": solver("pc_type: python, pc_python_type: evil.Context"),
    "monitor": solver("ksp_monitor: ascii:../victim.txt::append"),
    "log beside a run": Way("is a link to elsewhere", links={"runs/deck/log.txt": "victim.txt"}),
    "script beside a run": Way("is a link to elsewhere", links={"runs/deck/job.sh": "victim.txt"}),
    "lock beside a run": Way("is a link to elsewhere", links={"runs/deck/.lock": "victim.txt"}),
    "mark beside a run": Way("is a link to elsewhere", links={"runs/deck/.plexus.partial": "victim.txt"}),
    "shell in a file's name": Way(name="x; touch ran; #.yaml"),
    "command in a file's name": Way(name="$(touch ran)`touch ran`.yaml"),
    "option in a file's name": Way("cannot be put into a job script", name="x\n#SBATCH --wrap=ran\n.yaml"),
    "dots in a file's name": Way(name="...yaml"),
    "modules": Way(files={"yaml.py": LEAVES, "mpi4py.py": LEAVES, "sitecustomize.py": LEAVES}),
    "PETSc's file": Way(files={".petscrc": "-log_view :{folder}/victim.txt\n"}),
}  # fmt: skip


def harmed(folder: Path) -> str | None:
    """Return what a deck has done that it should not; None if nothing."""
    if any(folder.rglob("ran")):
        return "its program was run"
    return None if (folder / "victim.txt").read_text() == VICTIM else "a file of the user was changed"
