"""A machine's profile: what jobs need there and decks should not have to know."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Annotated, Literal

from plexus.deck.job import MEMORY, OPTION, WORD, Memory, Options, Word
from plexus.deck.load import read_block
from plexus.deck.params import Field, Params, Unit
from plexus.errors import InputError
from plexus.submit import places

__all__ = ["MEMORY", "OPTION", "WORD", "Profile", "choose"]
NAMED = "PLEXUS_PROFILE"
"""Variable that names the profile of this machine."""
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$(?!\n)")]


class Profile(Params):
    """One machine, or one kind of node of it; a YAML file in ``slurm/profiles``."""

    description: str = Field("", description="which machine this is")
    scheduler: Literal["slurm", "none"] = Field("slurm", description="none: start in the background, here")
    template: str = Field("cpu.sbatch", pattern=r"^[\w.-]+$(?!\n)", description="file in slurm/templates")
    partition: Word | None = Field(None, description="partition (queue); a deck's own comes first")
    account: Word | None = Field(None, description="account that pays; a deck's own comes first")
    options: Options = Field({}, description="further options of sbatch, e.g. {constraint: rome}")
    modules: tuple[Word, ...] = Field((), description="environment modules to load, in this order")
    commands: tuple[str, ...] = Field((), description="shell lines before the run, e.g. source …/activate")
    environment: dict[Variable, str | int | float] = Field({}, description="variables of the run")
    launcher: str = Field(
        "mpirun", description="starts the ranks, with arguments: mpirun, or srun --mpi=pmix"
    )
    plexus: str | None = Field(None, description="the command plexus on the nodes; else the one that submits")
    cores_per_node: int | None = Field(
        None, ge=1, description="cores of a node that jobs may use; absent: the machine's own"
    )
    gpus_per_node: int = Field(0, ge=0, description="GPUs of a node")
    gpu_option: str = Field(
        "gpus-per-node",
        pattern=r"^(gpus-per-node|gres)$(?!\n)",
        description="how sbatch is asked for GPUs here",
    )
    memory_per_node: Memory | None = Field(None, description="memory of a node that jobs may use")
    max_nodes: int = Field(1, ge=1, description="most nodes that a proposal takes")
    ask_memory: bool = Field(True, description="ask for memory; false where nodes are given whole")
    time: Annotated[float, Unit("s")] = Field(
        3600.0, ge=60, description="time limit of a job whose deck names none"
    )
    unknowns_per_rank: int = Field(
        25_000, ge=1, description="unknowns that make a rank worth its messages, for proposals"
    )


def choose(wanted: str | None, deck: str | None, gpu: bool) -> tuple[str, Profile]:
    """Return name and profile: the option's, the deck's, the variable's, or the one that fits this machine.

    Parameters
    ----------
    wanted
        Name, or path of a file, from the command line.
    deck
        Name from the deck.
    gpu
        Whether the deck asks for a GPU.

    Raises
    ------
    InputError
        If there is no such profile or it is wrong.
    """
    name = wanted or deck or os.environ.get(NAMED)
    if name is None:
        name = "workstation" if shutil.which("sbatch") is None else "gpu" if gpu else "cpu"
    if wanted and (wanted.endswith(".yaml") or os.sep in wanted):
        path = Path(wanted)
        if not path.is_file():
            raise InputError(f"--profile: no file {wanted}")
    elif re.fullmatch(r"[\w-]{1,60}", name):
        path = places.find("profiles", name)
    else:
        raise InputError(f"{name!r} is no name of a profile")
    return path.stem, read_block(path, Profile)
