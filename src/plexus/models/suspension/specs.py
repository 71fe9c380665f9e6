"""Names of the fields that a suspension offers; needs no torch."""

from __future__ import annotations

from plexus.protocols import FieldSpec

SPECS: tuple[FieldSpec, ...] = (
    FieldSpec("concentration", "1", "scalar", "rods per area over their mean", start=1.0),
    FieldSpec("order", "1", "scalar", "scalar order parameter r = |f_1|/c", bounds=(None, 1.0)),
    FieldSpec("director", "1", "vector", "mean direction of the rods; its sign means nothing"),
    FieldSpec("nematic", "1", "tensor", "second moment D = <pp>, of trace c"),
    FieldSpec("velocity", "1", "vector", "velocity of the fluid"),
    FieldSpec("vorticity", "1", "scalar", "curl of the velocity"),
    FieldSpec("strain", "1", "tensor", "strain rate of the fluid"),
    FieldSpec("stress", "1", "tensor", "stress of the rods, without its trace"),
    FieldSpec("outside", "1", "scalar", "1 where no distribution has these moments"),
    FieldSpec("fallback", "1", "scalar", "1 where the closure was outside its range"),
)
SHOWN = ("concentration", "order", "director", "velocity", "vorticity")
"""Names of the fields that outputs show where the deck names none."""
