"""Boundary terms that reduced models take, by their names in decks."""

LINEAR = ("spring",)
"""Terms that are linear in the unknown."""
TAKEN = ("traction", "pressure", "force", *LINEAR)
