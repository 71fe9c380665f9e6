"""The page of verification decks; ``python tests/regression/verification_page.py`` runs all and writes it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from plexus.deck.load import load
from plexus.deck.schema import Deck
from plexus.run import report

FOLDER = Path(__file__).parents[2] / "input_decks" / "verification"
PAGE = FOLDER / "README.md"
HEAD = """<!-- made by `python tests/regression/verification_page.py`; do not edit -->

# Verification decks

Each deck carries its reference values with source and tolerance; `plexus run` tells in `summary.json` whether
they hold, and so does `plexus-post compare --verification`. The suite runs all of them and compares with this
page. Published values that follow from an equation or a series are derived again in
`tests/regression/test_published_values.py`. Units are SI. A tolerance is relative; after ± it is absolute.

| deck | quantity | measured | reference | tolerance | source |
|---|---|---|---|---|---|
"""


def run(deck: Deck, folder: Path) -> Mapping[str, Any]:
    """Run a deck in this process and return its entries of the summary."""
    from mpi4py import MPI

    from plexus.compose import compose
    from plexus.runtime import context

    run = compose(deck, context.create(MPI.COMM_WORLD, folder))
    run.observers = []
    run.execute()
    return report.facts(run)


def written() -> Iterator[tuple[str, str, float]]:
    """Yield deck, quantity and measured value of each row of the page."""
    for line in PAGE.read_text().splitlines():
        if line.startswith("| `"):
            deck, quantity, measured = (cell.strip() for cell in line.split("|")[1:4])
            yield deck.strip("`"), quantity, float(measured)


def _row(name: str, found: Mapping[str, Any]) -> str:
    sign = "± " if found["kind"] == "absolute" else ""
    values = f"{found['measured']:.5g} | {found['reference']:.7g} | {sign}{found['tolerance']:g}"
    return f"| `{name}` | {found['quantity']} | {values} | {found['source']} |\n"


def main() -> None:
    """Run all decks and write the page."""
    rows = []
    for path in sorted(FOLDER.glob("*.yaml")):
        with tempfile.TemporaryDirectory() as folder:
            found = run(load(path), Path(folder))["verification"]
        rows += [_row(path.stem, entry) for entry in found]
    PAGE.write_text(HEAD + "".join(rows))


if __name__ == "__main__":
    main()
