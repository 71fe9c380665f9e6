"""Sweeps: one deck run many times with other values, each run in a folder of its own."""

from plexus.sweep.folder import SweepFolder, locate
from plexus.deck.members import Member, check, expand

__all__ = ["Member", "SweepFolder", "check", "expand", "locate"]
