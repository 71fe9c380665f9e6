"""Small decks for the tests of sweeps."""

from pathlib import Path

from plexus.deck.load import Deck, load

BASE = """
plexus: 1
parameters: {k: 3, L: 2 m}
mesh: {type: box, cell: quadrilateral, cells: [8, 4], size: ["${L}", 1 m]}
physics: {type: heat, degree: 1, material: {conductivity: "${k}", density: 1000, specific_heat: 100}}
boundary:
  - {on: left, temperature: 300 K}
  - {on: right, temperature: 400 K}
initial: {temperature: 300 K}
solver: {temperature: {ksp: cg, preconditioner: jacobi}}
quantities: {q: {type: flux, of: heat_flux, on: right}}
"""


def write(folder: Path, sweep: str, base: str = BASE) -> Path:
    """Write a deck with a block `sweep` and return its path."""
    path = folder / "deck.yaml"
    path.write_text(f"{base}sweep:\n" + "".join(f"  {line}\n" for line in sweep.strip().splitlines()))
    return path


def deck(folder: Path, sweep: str, base: str = BASE) -> Deck:
    """Return a loaded deck with a block `sweep`."""
    return load(write(folder, sweep, base))
