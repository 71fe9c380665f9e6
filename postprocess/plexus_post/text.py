"""Tables on the terminal: with rich where it is installed and the output is a terminal, plain otherwise."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from plexus.fileformat import shown


def number(value: Any) -> str:
    """Return a number with six significant digits, anything else as text."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "-" if value is None else shown(str(value))
    return f"{value:d}" if isinstance(value, int) else f"{value:.6g}"


def bar(share: float, width: int = 24) -> str:
    """Return a bar of characters whose filled part is ``share``, 0 to 1."""
    done = round(width * min(max(share, 0.0), 1.0))
    return "━" * done + "╌" * (width - done)


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a table; nothing when it has no rows."""
    cells = [[number(c) for c in row] for row in rows]
    if not cells:
        return
    # into files and pipes plain text goes, so that it can be searched and compared
    if sys.stdout.isatty() and _rich(title, head, cells):
        return
    title, head = shown(title), [shown(name) for name in head]
    widths = [max(len(r[i]) for r in [list(head), *cells]) for i in range(len(head))]
    print(f"\n{title}")
    for row in [list(head), ["-" * w for w in widths], *cells]:
        print("  " + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip())


def _rich(title: str, head: Sequence[str], cells: list[list[str]]) -> bool:
    """Print with rich and return whether it is installed."""
    try:
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        return False
    out = Table(title=Text(shown(title)), title_justify="left", box=box.SIMPLE_HEAD)
    for name in head:
        out.add_column(Text(shown(name)))
    for row in cells:
        out.add_row(*(Text(c) for c in row))
    Console().print(out)
    return True
