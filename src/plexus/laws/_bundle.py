"""What a bundle of a law tells beside the fields that every bundle has."""

from plexus.learned.points import OWN

__all__ = ["OWN"]
