"""A closure is one file and one deck, for the moments of a suspension."""

MEMBER = '''
"""Share of the quadratic closure: f_2 = s f_1²/c; s = 0 is no closure, s = 1 the quadratic one.

Source: doi:10.1002/pol.1981.180190205 for s = 1.
"""

from typing import Any

from plexus.closures.base import ClosureParams, MomentClosure
from plexus.deck.params import Field
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"type": "share", "share": 0.5}


class ShareParams(ClosureParams):
    """Parameters of the closure."""

    share: float = Field(ge=0, le=1, description="share s")


@register("closure", "share", ShareParams)
class Share(MomentClosure):
    """f_2 = s f_1²/c."""

    closes = 2

    def evaluate(self, fields):
        """Return f_2."""
        return {"f2": self.params.share * fields["f1"] ** 2 / fields["c"]}
'''
DECK = """
plexus: 1
mesh: {type: periodic, cells: [16, 12], size: [10, 8]}
physics: {type: active_fluid, order: 1, alpha: -3}
closure: CLOSURE
time: {stepper: sbdf2, end: 2 s, step: 0.02 s}
quantities: {order: {type: mean, of: order}, fastest: {type: maximum, of: velocity_x}}
"""


def test_one_file_and_one_deck(newcomer):
    """Between its two ends it does what the shipped closures of these ends do."""
    newcomer.install("closure", "share", MEMBER)
    names = ("{type: share, share: 0}", "none", "{type: share, share: 1}", "quadratic")
    found = [
        newcomer.run(DECK.replace("CLOSURE", name), out=f"out{i}")["quantities"]
        for i, name in enumerate(names)
    ]
    for one, shipped in (found[:2], found[2:]):
        for key, value in shipped.items():
            assert abs(one[key] - value) <= 1e-12 * abs(value)
    assert abs(found[0]["order"] - found[2]["order"]) > 1e-8
    assert "share s" in newcomer.explained()
    assert "order 2 needs f_3" in newcomer.refused(
        DECK.replace("CLOSURE", names[0]).replace("order: 1", "order: 2")
    )
