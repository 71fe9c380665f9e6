"""Data are one file and one deck: states of the suspension with the answers of a closure that is known."""

from training_deck import FIT, deck, losses

MEMBER = '''
"""States of the model with f_2 = s f_1²/c. Source: doi:10.1002/pol.1981.180190205 for s = 1."""

from typing import Any

from plexus.deck import parts
from plexus.deck.params import Field, Params
from plexus.learning.data.base import DataBase
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"type": "shares", "share": 0.5}


class SharesParams(Params):
    """Parameters of the data."""

    share: float = Field(ge=0, le=1, description="share s")
    count: int = Field(500, ge=1, description="number of states")


@register("data", "shares", SharesParams)
class Shares(DataBase):
    """Loose points with answers."""

    offers = frozenset({"targets"})

    def words(self):
        """Return what it is."""
        return f"{self.params.count} states of a known closure"

    def samples(self, session, leads):
        """Return every n-th state for n ranks."""
        import torch

        from plexus.learning.samples import Samples

        count, team = self.params.count, session.team
        every = parts.gap(session.deck.physics).states((count,), seed=1)
        mine = torch.arange(count)[team.rank :: team.size]
        own = {name: value[mine] for name, value in every.items()}
        answer = {"f2": self.params.share * own["f1"] ** 2 / own["c"]}
        return Samples(mine, 0 * mine, mine.double(), own, answer, {}, count, team.rank, team.size)

    def tell(self, session):
        """Return what a bundle says."""
        told = super().tell(session)
        told["training"]["generator"] = "a known closure"
        return told
'''


def test_one_file_and_one_deck(newcomer):
    """The network learns of it, and any ranks have the same losses."""
    newcomer.install("data", "shares", MEMBER)
    text = deck("{type: shares, share: 1}")
    assert newcomer.run(text, task="train")["frames"] == 500
    newcomer.run(text, task="train", out="two", ranks=2)
    one, two = (losses(newcomer.folder / name) for name in ("out", "two"))
    assert one[-1] < 0.5 * one[0]
    assert all(abs(b / a - 1) < 1e-9 for a, b in zip(one, two, strict=True))
    assert "share s" in newcomer.explained()
    assert "unknown key" in newcomer.refused(text.replace("share:", "shares:"))
    # stages are told what these data lack
    assert "shares lack; kinetic has" in newcomer.refused(text.replace(FIT, "unrolled"))
