"""What a bundle of a potential tells beside the fields that every bundle has."""

from plexus.learned.points import OWN

__all__ = ["OWN"]
