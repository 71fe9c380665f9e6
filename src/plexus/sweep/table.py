"""The table of a sweep on the terminal: one line per member with values, state, exit code and message.

Of trainings it tells the last loss, the validation beside the best classical rival, steps, and the bundle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from plexus.deck.members import Member, brief
from plexus.learning.figures import LOSS, RIVAL, VALIDATION, figures
from plexus.sweep.folder import SweepFolder
from plexus.sweep.status import FINISHED, Status

WIDEST = 100
"""Characters of a message that the table shows."""


def table(sweep: SweepFolder, states: Mapping[int, Status], figure: str | None = None) -> str:
    """Return the table of the members that have a status in ``states``, and a line of totals.

    ``figure`` is the one by which members are compared.
    """
    members = [m for m in sweep.members if m.index in states]
    named = [(c["path"], c["name"]) for c in sweep.facts["columns"]]
    ranks = any(m.ranks for m in members)
    head = ["member", *(name for _, name in named), *(["ranks"] if ranks else [])]
    head += [*_told(sweep, figure), "status", "code", "seconds", "message"]
    rows = [
        [
            str(m.index), *(brief(m.values[p]) if p in m.values else "" for p, _ in named),
            *([str(m.ranks or "")] if ranks else []),
            *_figures(m, states[m.index], _told(sweep, figure)), *_state(states[m.index]),
        ]
        for m in members
    ]  # fmt: skip
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [
        "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in [head, *rows]
    ]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:], totals(states)])


def _told(sweep: SweepFolder, figure: str | None) -> list[str]:
    """Return the columns that tell what members have found: of trainings all that compares them."""
    if sweep.task != "train":
        return [figure] if figure else []
    judged = figure if figure and figure.startswith(VALIDATION) else VALIDATION
    return [LOSS, judged, RIVAL, "steps", "bundle"]


def _figures(member: Member, status: Status, names: Sequence[str]) -> list[str]:
    """Return what a member has found, by the names of columns."""
    found = figures(status.summary)
    if status.state not in FINISHED:
        return [""] * len(names)
    texts = {name: f"{found[name].value:.4g}" for name in names if name in found}
    beside = (found[name] for name in names if name in found and found[name].beside is not None)
    rival = next(beside, None)
    texts |= {RIVAL: f"{rival.rival} {rival.beside:.4g}"} if rival else {}
    texts["steps"], bundle = str(status.summary.get("steps", "")), status.summary.get("bundle")
    texts |= {"bundle": f"{member.name}/{Path(str(bundle)).name}"} if bundle else {}
    return [texts.get(name, "") for name in names]


def totals(states: Mapping[int, Status]) -> str:
    """Return how many members are in each state."""
    counts = Counter(s.state for s in states.values())
    return f"{len(states)} members: " + ", ".join(f"{n} {state}" for state, n in counts.most_common())


def line(member: Member, status: Status, count: int) -> str:
    """Return one line on a member that has just ended."""
    after = f" in {status.seconds:.1f} s" if status.seconds is not None else ""
    code = f" (exit code {status.exit_code})" if status.exit_code else ""
    why = f": {_short(status.message)}" if status.message else ""
    values = f" ({member.words()})" if member.words() else ""
    return f"member {member.index} of {count}{values}: {status.state}{code}{after}{why}"


def _state(status: Status) -> Sequence[str]:
    code = "" if status.exit_code is None else str(status.exit_code)
    seconds = "" if status.seconds is None else f"{status.seconds:.1f}"
    message = "" if status.state in FINISHED else _short(status.message)
    return [status.state, code, seconds, message]


def _short(text: str) -> str:
    """Return the first line of a message, cut to the table's width."""
    first = (text.splitlines() or [""])[0]
    return first if len(first) <= WIDEST else first[: WIDEST - 3] + "..."
