"""Pictures with a story, one per file: each file is a command of ``plexus-post``.

A recipe has what `plexus_post.members.Command` says. Its file's name is the command.
A new file is found by itself; it must not import matplotlib before it is run.
"""

from __future__ import annotations

from plexus_post import members


def recipes() -> list[tuple[str, members.Command]]:
    """Return name and module of every recipe, in order of their names."""
    return list(members.of_package(__name__))
