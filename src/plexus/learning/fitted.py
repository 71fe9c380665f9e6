"""What a training of controls leaves: their numbers in a file that `fitted` of each control reads."""

from __future__ import annotations

import hashlib
from pathlib import Path

from plexus.io import fitted
from plexus.learning.judging import Row, judged
from plexus.learning.session import Session

WHAT = "controls"
"""What they are called."""


def written(session: Session) -> tuple[Path, str, list[Row]]:
    """Judge the controls and write them; return file, hash and validation table. Collective."""
    table, path, sha256 = judged(session), session.ctx.folder / session.plan.output, ""
    data, facts = session.part.stored()
    if session.ctx.root:
        fitted.write(path, data, facts)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return path, session.ctx.comm.bcast(sha256), table
