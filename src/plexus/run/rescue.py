"""Going on after a learned part has spoiled the state: back to the last checkpoint, with its fallback.

Which parts give way where there are several, `plexus.coupling.base.BaseSystem.give_way` decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexus.errors import InputError

if TYPE_CHECKING:
    from plexus.run import Run


def rescue(run: Run, why: str) -> bool:
    """Go back to the newest checkpoint of this run and go on with the fallback; False if there is none.

    Without a checkpoint the run begins anew. Histories and fields of later steps are dropped. Collective: all
    ranks know of the failure.
    """
    from plexus.io.restart import LATEST, resume

    told = run.system.give_way(why)
    if not told:
        return False
    earlier, totals = run.replaced, run.system.totals()
    try:
        path, _ = resume(run, LATEST, run.ctx.folder, own=True)
        place = f"went back to {path.name}"
    except InputError:
        run.begin_again()
        place = "began anew"
    # what the checkpoint knows of replacements and of solves is older than what has happened since
    run.replaced = earlier
    run.system.add_up(totals)
    run.series.cut(run.clock.step)
    for text in told:
        run.note_replacement(f"{text}; {place}, t = {run.clock.t:.6g} s")
    for observer in run.observers:
        observer.start(run)
    return True
