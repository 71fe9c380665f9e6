"""An output is one file and one deck: a table in plain text that a restart continues."""

MEMBER = '''
"""All quantities of the deck as lines of plain text, ``table.txt``: time, then the values by name."""

from typing import Any

from plexus.deck.params import Field, Params, ScheduleText
from plexus.deck.schedules import parse_schedule
from plexus.observers.base import Scheduled
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"type": "table", "every": "1 steps"}


class TableParams(Params):
    """Parameters of the table."""

    every: ScheduleText = Field(parse_schedule("1 steps"), description="when")


@register("output", "table", TableParams)
class Table(Scheduled):
    """Rows in memory, the file rewritten."""

    def __init__(self, params):
        super().__init__(params)
        self.rows = []

    def observe(self, run):
        """Add a row. Collective."""
        values = run.values()
        if self.rows and self.rows[-1][0] >= run.clock.step:
            return
        self.rows.append([run.clock.step, run.clock.t, *values.values()])
        if run.ctx.root:
            lines = [" ".join(f"{x:.15g}" for x in row) for row in self.rows]
            (run.ctx.folder / "table.txt").write_text("\\n".join(lines) + "\\n")

    def state(self):
        """Return the rows."""
        return {"rows": self.rows}

    def restore(self, state):
        """Take them back."""
        self.rows = [list(row) for row in state["rows"]]
'''
DECK = """
plexus: 1
mesh: {type: interval, cells: 8}
physics: {type: diffusion, coefficient: 1}
boundary: [{on: exterior, u: "2*t"}]
initial: {u: 0}
time: {stepper: bdf2, end: END s, step: 0.1 s}
quantities: {edge: {type: maximum, of: u}}
output: [{type: table, every: 2 steps}, {type: checkpoint, every: 2 steps, keep: 99}]
"""


def table(newcomer, out):
    return [[float(x) for x in line.split()] for line in (newcomer.folder / out / "table.txt").open()]


def test_one_file_and_one_deck(newcomer):
    newcomer.install("output", "table", MEMBER)
    newcomer.run(DECK.replace("END", "0.8"), out="whole")
    rows = table(newcomer, "whole")
    assert [row[0] for row in rows] == [0, 2, 4, 6, 8]
    assert all(abs(edge - 2 * t) < 1e-12 for _, t, edge in rows)
    newcomer.run(DECK.replace("END", "0.4"), out="half", ranks=2)
    newcomer.run(DECK.replace("END", "0.8"), "--restart", "latest", out="half")
    again = table(newcomer, "half")
    assert [row[:2] for row in again] == [row[:2] for row in rows]
    assert all(abs(a[2] - b[2]) < 1e-12 for a, b in zip(again, rows, strict=True))
    assert "plain text" in newcomer.explained()
