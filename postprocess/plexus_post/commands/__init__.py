"""What ``plexus-post`` does with a run, one command per file, as `plexus_post.members.Command` says.

A file is found by itself. It must not import matplotlib before it is run.
"""

from __future__ import annotations

from plexus_post import members

ORDER = ("info", "plot", "compare", "report", "scaling", "export", "probe")
"""Order in which the help tells them; others follow by name."""


def commands() -> list[tuple[str, members.Command]]:
    """Return name and module of every command."""
    place = {name: i for i, name in enumerate(ORDER)}
    return sorted(members.of_package(__name__), key=lambda pair: place.get(pair[0], len(place)))
