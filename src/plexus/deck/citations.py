"""What to cite for a deck: its own references and the sources that its components name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from plexus import __version__, registry
from plexus.deck.describe import documentation
from plexus.deck.params import Params
from plexus.deck.schema import Deck


def components(value: Any, kind: str = "") -> Iterator[str]:
    """Yield ``kind.name`` of every component that a validated value holds."""
    match value:
        case Deck() | Params():
            if value.type and not isinstance(value, Deck):
                # The kind is not stored with the parameters; it is the one whose member has this model.
                yield from (f"{k}.{value.type}" for k in registry.KINDS if _is(k, value))
            for name in type(value).model_fields:
                yield from components(getattr(value, name), name)
        case dict():
            for name, item in value.items():
                yield from components(item, name)
        case list() | tuple():
            for item in value:
                yield from components(item, kind)


def _is(kind: str, params: Params) -> bool:
    return params.type in registry.names(kind) and registry.component(kind, params.type).params is type(
        params
    )


def citations(deck: Deck) -> str:
    """Return the text that `plexus run --citations` prints."""
    lines = [
        f"Plexus {__version__}",
        "PETSc: S. Balay et al., PETSc/TAO Users Manual, Argonne National Laboratory",
    ]
    lines += [f"this deck: {reference}" for reference in deck.about.references]
    for member in dict.fromkeys(components(deck)):
        kind, _, name = member.partition(".")
        sources = _sources(documentation(registry.component(kind, name)))
        lines += [f"{member}: {source}" for source in sources]
    return "Please cite\n" + "\n".join(f"  {line}" for line in lines)


def _sources(text: str) -> list[str]:
    """Return what a docstring says after "Source:", else the brackets and paragraphs that hold a DOI."""
    paragraphs = [" ".join(p.split()) for p in text.split("\n\n")]
    named = [m[1] for p in paragraphs for m in [re.search(r"Source: (.*?)(?: Valid |$)", p)] if m]
    if named:
        return named
    with_doi = [p for p in paragraphs if "doi:" in p]
    return [m for p in with_doi for m in re.findall(r"\(([^()]*doi:[^()]*)\)", p)] or with_doi
