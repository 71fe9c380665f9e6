"""The text of `plexus explain` and `plexus list`."""

from __future__ import annotations

import inspect
import shutil
import sys
import textwrap

from plexus import registry
from plexus.deck.blocks import About, Runtime, SolverBlock
from plexus.deck.calibrate import Calibrate
from plexus.deck.campaign import Campaign
from plexus.deck.conditions import Condition
from plexus.deck.coupling import Coupling
from plexus.deck.describe import Row, documentation, fields, rows, summary
from plexus.deck.effective import fragment
from plexus.deck.ensemble import Ensemble
from plexus.deck.job import Job
from plexus.deck.params import Params
from plexus.deck.property import FORMS
from plexus.deck.schema import Deck
from plexus.deck.suggest import nearest
from plexus.deck.sweep import Sweep
from plexus.deck.tables import TimeTable
from plexus.deck.time import Adaptive, Time
from plexus.deck.train import Train
from plexus.deck.verification import Verification
from plexus.errors import InputError
from plexus.protocols import FieldSpec

BLOCKS: dict[str, type[Params]] = {
    "deck": Deck, "about": About, "boundary": Condition, "solver": SolverBlock, "coupling": Coupling,
    "time": Time, "ensemble": Ensemble,
    "time.adaptive": Adaptive, "verification": Verification, "runtime": Runtime, "job": Job, "sweep": Sweep,
    "train": Train, "calibrate": Calibrate, "campaign": Campaign, "tables": TimeTable,
}  # fmt: skip
"""Parts of a deck that are not components."""


def explain(topic: str) -> str:
    """Return the explanation of ``KIND.NAME``, of a kind, of a block of the deck, or of ``property``.

    Raises
    ------
    InputError
        If there is no such thing; names the nearest ones.
    """
    kind, _, name = topic.partition(".")
    if kind in registry.KINDS and name in registry.names(kind):
        return _component(registry.component(kind, name))
    if topic in BLOCKS:
        own = list(rows(BLOCKS[topic])) if topic != "deck" else [r for r in rows(Deck) if "." not in r.name]
        also = "\n\n" + listing(topic) if topic in registry.KINDS else ""
        tip = inspect.cleandoc(BLOCKS[topic].__doc__ or "")
        return f"{topic}\n\n{tip}\n\n{_table(own)}{also}"
    if topic in registry.KINDS:
        return listing(topic)
    if topic == "property":
        forms = [f"  {form}\n{_indent(text, 6)}" for form, text in FORMS.items()]
        return "\n".join(["property\n\nOne value that may vary; any of these forms\n", *forms])
    keys = [row for row in rows(Deck) if row.name == topic]
    if keys:
        return "\n\n".join([topic, _table(keys), *_of(keys[0])])
    members = [f"{k}.{n}" for k in registry.KINDS for n in registry.names(k)]
    valid = [*registry.KINDS, *BLOCKS, "property", *(row.name for row in rows(Deck)), *members]
    # a bare name means the members that have it
    named = [repr(m) for m in members if m.partition(".")[2] == topic]
    hint = f"; did you mean {' or '.join(named)}?" if named else nearest(topic, valid)
    end = " " if hint else "; "
    raise InputError(f"nothing is called {topic!r}{hint}{end}`plexus list` shows everything")


def _of(row: Row) -> list[str]:
    """Return the members of the kind that a key of the deck takes."""
    kind = row.type.rpartition(" ")[2]
    return [listing(kind)] if kind in registry.KINDS else []


def listing(kind: str | None = None) -> str:
    """Return the kinds with their members, or the members of one kind with a line about each.

    Raises
    ------
    InputError
        If the kind is unknown.
    """
    if kind is None:
        return "\n".join(f"{k:15} {tip}\n{_indent(', '.join(registry.names(k)) or '-', 16)}"
                         for k, (_, tip) in registry.KINDS.items())  # fmt: skip
    if kind not in registry.KINDS:
        raise InputError(f"no kind is called {kind!r}{nearest(kind, registry.KINDS, 20)}")
    members = [f"{kind}.{name:18} {summary(kind, name)}" for name in registry.names(kind)]
    return "\n".join([f"{kind}: {registry.KINDS[kind][1]}", *members])


def _component(component: registry.Component) -> str:
    parts = [f"{component.kind}.{component.name}", documentation(component)]
    table = list(rows(component.params))
    parts.append(_table(table) if table else "No parameters.")
    known = fields(component)
    if known:
        parts.append("Fields, with components such as stress_xy\n" + "\n".join(_field(*f) for f in known))
    example = getattr(sys.modules[component.cls.__module__], "EXAMPLE", None)
    if example:
        parts.append("Example\n" + _indent(fragment({"type": component.name, **example}), 2))
    return "\n\n".join(parts)


def _field(spec: FieldSpec, unknown: bool) -> str:
    shape = "" if spec.shape == "scalar" else f"{spec.shape} "
    return f"  {spec.name}: {'unknown ' * unknown}{shape}[{spec.unit}], {spec.tip}"


def _table(table: list[Row]) -> str:
    return "Parameters\n" + "\n".join(_entry(row) for row in table)


def _entry(row: Row) -> str:
    facts = [row.type, f"[{row.unit}]" if row.unit else "", row.bounds]
    default = row.default if row.default == "required" else f"default {row.default}"
    head = f"  {row.name}: " + ", ".join([*(f for f in facts if f), default])
    lines = [head, _indent(row.tip, 6)]
    return "\n".join([*lines, _indent("source: " + row.source, 6)] if row.source else lines)


def _indent(text: str, width: int) -> str:
    columns = max(60, min(110, shutil.get_terminal_size().columns))
    pad = " " * width
    return "\n".join(
        textwrap.fill(line, columns, initial_indent=pad, subsequent_indent=pad)
        if len(line) > columns
        else pad + line
        for line in text.splitlines()
    )
