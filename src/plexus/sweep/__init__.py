"""Sweeps: one deck run many times with other values, each run in a folder of its own."""

from plexus.deck.members import Member, check, expand
from plexus.sweep.folder import SweepFolder, locate

__all__ = ["Member", "SweepFolder", "check", "expand", "locate"]
