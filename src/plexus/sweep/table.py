"""The table of a sweep on the terminal: one line per member with values, state, exit code and message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from plexus.sweep.folder import SweepFolder
from plexus.sweep.members import Member, brief
from plexus.sweep.status import FINISHED, Status

WIDEST = 100
"""Characters of a message that the table shows."""


def table(sweep: SweepFolder, states: Mapping[int, Status]) -> str:
    """Return the table of the members that have a status in ``states``, and a line of totals."""
    members = [m for m in sweep.members if m.index in states]
    named = [(c["path"], c["name"]) for c in sweep.facts["columns"]]
    ranks = any(m.ranks for m in members)
    head = ["member", *(name for _, name in named), *(["ranks"] if ranks else [])]
    head += ["status", "code", "seconds", "message"]
    rows = [
        [
            str(m.index), *(brief(m.values[p]) if p in m.values else "" for p, _ in named),
            *([str(m.ranks or "")] if ranks else []), *_state(states[m.index]),
        ]
        for m in members
    ]  # fmt: skip
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [
        "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in [head, *rows]
    ]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:], totals(states)])


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
