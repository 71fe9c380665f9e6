"""The block `reduce` of type `dictionary`: models of a sweep's runs, and what recommends one of them."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from plexus.deck.params import NAME, Field, Unit
from plexus.deck.reduce import Reduce


class Dictionary(Reduce):
    """Clusters of training loads, a model of each, and a recommendation by the field of a load."""

    files: ClassVar[tuple[str, ...]] = (
        "dictionary.json", "dictionary_[0-9]*.h5", "recommendation.safetensors",
    )  # fmt: skip
    """Patterns of what is written into the run folder."""
    clusters: int | None = Field(None, ge=1, le=64, description="how many models; absent: by `least_gain`")
    most: int = Field(8, ge=1, le=64, description="most clusters that are tried")
    least_gain: float = Field(
        0.05, gt=0, lt=1, description="least that one more cluster must add to the gain 1 - W_K/W_1"
    )
    smallest: int = Field(5, ge=1, description="fewest members of a cluster where their number is chosen")
    of: str = Field("p", description="what is compared: an internal variable at the end, or the unknown")
    dissimilarity: Literal["sine", "angles", "euclidean"] = Field(
        "sine",
        description="of fields at the end: sine of the angle, or distance; principal angles of all steps",
    )
    rank: int = Field(3, ge=1, description="directions of a member whose angles are compared")
    starts: int = Field(20, ge=1, description="starts of the search for medoids")
    overlap: float = Field(
        0.15, ge=0, le=1, description="members of others that train a model too, in members of its cluster"
    )
    load: str = Field("temperature", pattern=NAME, description="field by which a model is recommended")
    at: Annotated[float, Unit("s")] = Field(ge=0, description="when it is read, after the start")
    features: int = Field(40, ge=1, le=500, description="places at which it is read")
    seed: int = Field(0, ge=0, lt=2**63, description="seed of starts and folds")
