"""Texts of a run folder: JSON that is held against the shape of what is read from it, YAML, and logs.

A folder may come from elsewhere: what stands in it is not trusted to be a file of its own, nor to be whole.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from plexus.fileformat import from_json
from plexus_post.errors import PostError

NUMBER = (int, float)
SOME = (int, float, type(None))
WORDS = (str, type(None))
WHOLE = (int, type(None))

PROGRESS_SHAPE: dict[Any, Any] = {
    "status": str, "step": int, "t": SOME, "share": SOME, "finish": WORDS, "wall_seconds": SOME,
    "updated": WORDS,
}  # fmt: skip
SUMMARY_SHAPE: dict[Any, Any] = {
    "status": str, "exit_code": WHOLE, "message": WORDS, "ranks": WHOLE, "unknowns": WHOLE, "steps": WHOLE,
    "wall_seconds": SOME, "core_wait_seconds": SOME, "first_step_seconds": SOME, "peak_memory_mb": SOME,
    "frames": WHOLE, "quantities": {str: SOME}, "units": {str: str}, "versions": {str: str},
    "solver": {str: {"total": SOME}},
    "phases": {str: {"longest!": NUMBER, "mean!": NUMBER, "calls!": int}},
    "mesh": {"cells": WHOLE, "dim": int, "cell": str},
    "transfers": {str: NUMBER},
    "verification": [{"quantity": WORDS, "measured": SOME, "reference": SOME, "tolerance": SOME}],
    "guards": {"replaced": [str], str: {"mean_outside": NUMBER, "outside": NUMBER, "max_fraction": NUMBER}},
    "validation": [
        {
            "case!": {str: object}, "metric!": str, "value!": NUMBER, "baselines!": {str: NUMBER},
            "fallback": NUMBER,
        }
    ],
    "calibration": {
        "rms": SOME, "measurements": WHOLE, "iterations": WHOLE, "reason": str,
        "controls": {
            str: {
                "unit": str, "smallest": SOME, "largest": SOME, "values": [NUMBER], "std": [SOME],
                "unseen": WHOLE,
            }
        },
    },
    "placement": [
        {
            "ranks": str, "host": str, "cores": (str, int), "host_cores": int, "threads": int,
            "device": str, "gpu": str, "uuid": str, "bridge": str, "crowded": bool,
        }
    ],
}  # fmt: skip
SWEEP_SHAPE: dict[Any, Any] = {
    "deck!": str, "title": WORDS, "mode!": str,
    "columns!": [{"path!": str, "name!": str, "unit!": str, "numbers!": (list, type(None))}],
    "members!": [{"index!": int, "folder!": str, "values!": {str: object}, "ranks!": WHOLE}],
}  # fmt: skip


def read_json(path: Path, shape: dict[Any, Any]) -> dict[str, Any]:
    """Return the content of a JSON file, empty if there is none.

    Parameters
    ----------
    path
        The file.
    shape
        Key -> what it holds if it is there, ``key!`` if it must be, `str` for all others: types, a shape in a
        dictionary, or a list with the shape of each entry.

    Raises
    ------
    PostError
        If it cannot be read, or is not of the shape.
    """
    if not path.is_file():
        return {}
    try:
        content = json.loads(text(path))
        if not isinstance(content, dict):
            raise ValueError("it holds no entries")
        made: dict[str, Any] = from_json(content)
        _hold(made, shape, "")
    except (ValueError, RecursionError) as error:
        raise PostError(f"{path}: not readable as JSON of ours ({error})") from None
    return made


def text(path: Path, errors: str = "strict") -> str:
    """Return the text of a file in a run folder.

    Raises
    ------
    PostError
        If it cannot be read, is no UTF-8, or is a link to another place.
    """
    if path.resolve().parent != path.parent.resolve():
        raise PostError(f"{path}: a link to another folder, which is not followed")
    try:
        return path.read_text(encoding="utf-8", errors=errors)
    except UnicodeError:
        raise PostError(f"{path}: not readable as text (no UTF-8)") from None
    except OSError as error:
        raise PostError(f"{path}: {error.strerror or error}") from None


def deck(path: Path, content: str) -> dict[str, Any]:
    """Return a deck as plain data, empty without text.

    Raises
    ------
    PostError
        If it is no YAML, or no deck.
    """
    import yaml

    try:
        found = yaml.safe_load(content) or {}
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        told = " ".join(str(error).split()) or type(error).__name__
        raise PostError(f"{path}: not readable as YAML ({told})") from None
    if not isinstance(found, dict) or not isinstance(found.get("about") or {}, dict):
        raise PostError(f"{path}: not a deck")
    return found


def _hold(value: Any, shape: Any, place: str) -> None:
    """Refuse data of another shape; ``place`` names them."""
    if isinstance(shape, list):
        for i, each in enumerate(_of(value, list, place)):
            _hold(each, shape[0], f"{place}/{i}")
    elif isinstance(shape, dict):
        found = _of(value, dict, place)
        for key in shape:
            if isinstance(key, str) and key.endswith("!") and found.get(key[:-1], ...) is ...:
                raise ValueError(f"{place or 'it'} has no entry {key[:-1]!r}")
        for key, each in found.items():
            known = shape.get(key, shape.get(f"{key}!", shape.get(str, object)))
            # an entry that nothing was found for may be null, but not one of a list
            if each is not None or not isinstance(known, dict | list):
                _hold(each, known, f"{place}/{key}".lstrip("/"))
    else:
        _of(value, shape, place)


def _of(value: Any, kinds: Any, place: str) -> Any:
    """Return a value if it is of one of some types; truth values are no numbers."""
    named = kinds if isinstance(kinds, tuple) else (kinds,)
    if not isinstance(value, kinds) or (
        isinstance(value, bool) and bool not in named and object not in named
    ):
        raise ValueError(f"{place or 'it'} holds {json.dumps(value, default=str)[:60]}")
    return value
