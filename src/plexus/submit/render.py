"""A job script from a template: options of sbatch in its head, settings between two marks.

A template is a complete script that works by hand. What is filled in replaces lines of it: ``#SBATCH``
options by name, and everything between the marks. Values never pass unquoted: options of sbatch have the
narrow alphabet of `plexus.deck.job.WORD` or are quoted, settings are quoted for the shell, and only a
profile's ``commands``, which are shell lines by purpose, are taken as they are.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from plexus.deck.schema import Deck
from plexus.errors import InputError
from plexus.submit.profile import Profile
from plexus.submit.size import Size

BEGIN, END = "# >>> settings", "# <<< settings"
_OPTION = re.compile(r"#SBATCH\s+--([a-z-]+)(?:=.*)?$")
MARGIN = 120.0
"""Seconds before the end of the job at which SLURM asks the run to stop, unless that is most of the job."""
TASK = "$SLURM_ARRAY_TASK_ID"
"""Stands in a command for the member of an array; the only word that the shell expands."""


@dataclass(frozen=True)
class Script:
    """What a job does and where.

    Attributes
    ----------
    command : words behind ``plexus``; `TASK` becomes the array's index.
    program : words that start Plexus on the nodes.
    name, folder : of the job and of its log; the folder is absolute.
    array : indices of a job array such as ``0-11%4``; None for one job.
    """

    command: Sequence[str]
    program: Sequence[str]
    name: str
    folder: Path
    array: str | None = None


def render(template: str, deck: Deck, profile: Profile, size: Size, script: Script) -> str:
    """Return the text of a job script.

    Raises
    ------
    InputError
        If the template has no place for the settings.
    """
    lines = template.splitlines()
    begin = next((i for i, line in enumerate(lines) if line.startswith(BEGIN)), None)
    end = next((i for i, line in enumerate(lines) if line.startswith(END)), None)
    if begin is None or end is None or end < begin:
        raise InputError(f"{profile.template}: the template has no lines {BEGIN!r} and {END!r}")
    filled = [*lines[: begin + 1], *settings(deck, profile, size, script), *lines[end:]]
    if profile.scheduler == "slurm":
        filled = _with_options(filled, options(deck, profile, size, script))
    return "\n".join(filled) + "\n"


def options(deck: Deck, profile: Profile, size: Size, script: Script) -> dict[str, str | None]:
    """Return the options of sbatch; None takes the template's own line out."""
    job = deck.job
    margin = round(job.signal_margin or min(MARGIN, size.time / 4))
    # srun's tasks are a job step, which SLURM signals itself; mpirun's ranks on the first node belong to
    # none, so there the signal goes to the script, which passes it on
    whom = "" if _launcher(profile) == "srun" else "B:"
    log = "job-%A_%a.out" if script.array else "job-%j.out"
    found: dict[str, str | None] = {
        "job-name": script.name,
        "nodes": str(size.nodes),
        "ntasks-per-node": str(size.ranks_per_node),
        "cpus-per-task": str(size.threads),
        "time": clock(size.time),
        "signal": f"{whom}USR1@{margin}",
        # SLURM fills in what stands behind %, and would do so in the folder's name
        "output": str(script.folder).replace("%", "%%") + "/" + log,
    }
    if size.memory is not None:
        found["mem"] = f"{round(size.memory / 1e6)}M"
    found["gpus-per-node"] = None
    if size.gpus_per_node:
        count = str(size.gpus_per_node)
        found[profile.gpu_option] = f"gpu:{count}" if profile.gpu_option == "gres" else count
    if script.array:
        found["array"] = script.array
    for name, value in (
        ("partition", job.partition or profile.partition),
        ("account", job.account or profile.account),
    ):
        if value:
            found[name] = value
    return {**found, **profile.options, **job.options}


def settings(deck: Deck, profile: Profile, size: Size, script: Script) -> list[str]:
    """Return the shell lines between the marks."""
    words = [f'"{TASK}"' if word == TASK else shlex.quote(word) for word in script.command]
    environment = {"OMP_NUM_THREADS": size.threads} if size.threads > 1 else {}
    return [
        *(f"module load {shlex.quote(name)}" for name in profile.modules),
        *profile.commands,
        *(f"export {k}={shlex.quote(str(v))}" for k, v in {**environment, **profile.environment}.items()),
        f"export PLEXUS_LAUNCHER={shlex.quote(profile.launcher)}",
        f"ranks={size.ranks} chain={deck.job.chain} max_links={deck.job.max_links}",
        f"plexus=({shlex.join([profile.plexus] if profile.plexus else script.program)})",
        f"command=({' '.join(words)})",
    ]


def clock(seconds: float) -> str:
    """Return a time limit as SLURM writes it, ``days-hours:minutes:seconds``; whole minutes, rounded up."""
    minutes = -(-round(seconds) // 60)
    days, rest = divmod(minutes, 24 * 60)
    return (f"{days}-" if days else "") + f"{rest // 60:02}:{rest % 60:02}:00"


def _launcher(profile: Profile) -> str:
    words = shlex.split(profile.launcher)
    return Path(words[0]).name if words else ""


def _with_options(lines: Sequence[str], wanted: Mapping[str, str | None]) -> list[str]:
    """Replace the template's options of these names; put the others behind its last one."""
    names = [match[1] if (match := _OPTION.match(line)) else None for line in lines]
    last = max((i for i, name in enumerate(names) if name), default=0)
    found = []
    for i, (line, name) in enumerate(zip(lines, names, strict=True)):
        if name is None or name not in wanted:
            found.append(line)
        elif (value := wanted[name]) is not None:
            found.append(_option(name, value))
        if i == last:
            found += [_option(n, v) for n, v in wanted.items() if v is not None and n not in names]
    return found


def _option(name: str, value: str) -> str:
    """Return one line of the head; sbatch removes quotes as a shell does, and knows no escapes inside."""
    if not value.isprintable() or any(c in value for c in '"\\'):
        raise InputError(f"sbatch --{name}: {value!r} cannot be put into a job script: rename it")
    plain = re.fullmatch(r"[\w.@:+/,=%-]+", value)
    return f"#SBATCH --{name}={value}" if plain else f'#SBATCH --{name}="{value}"'
