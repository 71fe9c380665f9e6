"""Reference pages made from the registry: one Markdown file per kind, one for the deck's own blocks.

``python -m plexus.deck.reference [FOLDER]`` writes them; a test compares the committed ones.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Sequence
from pathlib import Path

from plexus import registry
from plexus.deck.describe import Row, documentation, fields, rows, summary
from plexus.deck.effective import fragment
from plexus.deck.explain import BLOCKS
from plexus.deck.functions import ARITY, TIPS
from plexus.deck.property import FORMS
from plexus.deck.schema import Deck

FOLDER = Path("docs") / "reference"
_RULES = """\
Units go through every operation when the deck is read: x, y, z are lengths, t is a time, fields and
parameters have their units, `45 W/(m K)` is a quantity.

* `+ - < > min max where` need equal units, `* / ^ sqrt` combine them, `sin exp log` and exponents take pure
  numbers; `ramp(t)` runs for one second. The whole must fit the place: a pressure is no conductivity.
* A bare number takes on the unit that its place needs: `300 + 10*x`, `20 degC + 5*ramp(t)`. Beside a quantity
  that is stated, a factor is a pure number: `0.5*rho*g*x`.
* In an expression that states no unit, x, y, z and t are SI numbers: `300 + x`, `sin(2*x)`.
* `20 degC` is a point of a scale: `20 degC + 10 K`, not `20 degC + 10 degC`; `(T_1 + T_2)/2` is a mean.
* `${2*p}` has the unit of p, and `${p}` inside an expression stands in brackets.
* A value that is not a finite number is an error that names the part, the place and the time; the branch of
  `where` and `if` that is not taken may have none.""".splitlines()
_NOTE = "<!-- made by `python -m plexus.deck.reference`; do not edit -->\n"


def pages() -> dict[str, str]:
    """Return file name -> text of every page."""
    made = {f"{kind}.md": _kind(kind) for kind in registry.KINDS}
    return made | {"deck.md": _deck(), "README.md": _index()}


def write(folder: Path) -> None:
    """Write all pages into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, "utf-8")


def _index() -> str:
    lines = [_NOTE, "# Reference", "", "* [The deck](deck.md): every block that is not a component"]
    for kind, (_, tip) in registry.KINDS.items():
        names = ", ".join(f"[{n}]({kind}.md#{n})" for n in registry.names(kind))
        lines.append(f"* [{kind}]({kind}.md), {tip}: {names}")
    return "\n".join(lines) + "\n"


def _kind(kind: str) -> str:
    lines = [
        _NOTE,
        f"# {kind}",
        "",
        f"{registry.KINDS[kind][1].capitalize()}.",
        "",
        "| name | |",
        "|---|---|",
    ]
    lines += [f"| [{name}](#{name}) | {_cell(summary(kind, name))} |" for name in registry.names(kind)]
    members = [_member(registry.component(kind, name)) for name in registry.names(kind)]
    if any("| property |" in line for member in members for line in member):
        lines += ["", "A *property* is a number, an expression, a table, or one of these per region, see"]
        lines += ["[properties](deck.md#properties)."]
    for member in members:
        lines += ["", *member]
    return "\n".join(lines) + "\n"


def _member(component: registry.Component) -> list[str]:
    lines = [f"## {component.name}", "", "```text", documentation(component), "```", ""]
    lines += _table(list(rows(component.params)))
    known = fields(component)
    if known:
        lines += ["", "| field | unit | shape | |", "|---|---|---|---|"]
        lines += [
            f"| `{s.name}` | {_cell(s.unit)} | {s.shape} | {_cell(s.tip)}{' (unknown)' * unknown} |"
            for s, unknown in known
        ]
    example = getattr(sys.modules[component.cls.__module__], "EXAMPLE", None)
    if example is not None:
        lines += ["", "```yaml", *_example(component, example), "```"]
    return lines


def _example(component: registry.Component, example: dict[str, object]) -> Sequence[str]:
    own = {k: v for k, v in example.items() if k != "type"}
    if component.kind == "boundary":
        return fragment({component.name: own}).splitlines()
    return fragment({"type": component.name, **own}).splitlines()


def _deck() -> str:
    lines = [_NOTE, "# The deck", "", "```text", "Top level of a deck", "```", ""]
    lines += _table([r for r in rows(Deck) if "." not in r.name])
    for name, model in BLOCKS.items():
        if model is not Deck:
            text = inspect.cleandoc(model.__doc__ or "")
            lines += ["", f"## {name}", "", "```text", text, "```", "", *_table(list(rows(model)))]
    lines += ["", "## Properties", "", "Where the type of a parameter is *property*, a deck may say"]
    lines += ["", "| for instance | |", "|---|---|"]
    lines += [f"| `{_cell(form)}` | {_cell(text)} |" for form, text in FORMS.items()]
    lines += ["", "## Expressions", "", *_RULES, "", "| function | |", "|---|---|"]
    lines += [f"| `{name}` | {TIPS.get(name, '')} |" for name in ARITY]
    return "\n".join(lines) + "\n"


def _table(table: list[Row]) -> list[str]:
    if not table:
        return ["No parameters."]
    lines = ["| parameter | type | unit | default | bounds | meaning |", "|---|---|---|---|---|---|"]
    for row in table:
        tip = f"{row.tip} (default: {row.source})" if row.source else row.tip
        cells = (f"`{row.name}`", row.type, row.unit, row.default, row.bounds, tip)
        lines.append("| " + " | ".join(_cell(c) for c in cells) + " |")
    return lines


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
