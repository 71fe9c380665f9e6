"""The block `job`: what `plexus submit` asks the batch system for.

job: {nodes: 2, ranks_per_node: 32, time: 12 h, memory: 120 GB}
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, field_validator, model_validator

from plexus.deck.params import Field, Params, Unit
from plexus.deck.suggest import nearest
from plexus.deck.values import refuse

WORD = r"^[\w.@:+/,=%-]{1,200}$(?!\n)"
"""Names of partitions, accounts and the like: nothing that a shell or a job script could misread."""
OPTION = r"^[a-z][a-z0-9-]{0,40}$(?!\n)"
MEMORY = r"^\d{1,6}(\.\d{1,3})?\s*[MGT]B$(?!\n)"
_BYTES = {"M": 1e6, "G": 1e9, "T": 1e12}
Chain = Literal["requeue", "submit", "none"]
Word = Annotated[str, Field(pattern=WORD)]
Options = dict[Annotated[str, Field(pattern=OPTION)], Word]
ALLOWED = (
    "acctg-freq", "begin", "clusters", "comment", "constraint", "core-spec", "cores-per-socket",
    "cpu-freq", "cpus-per-gpu", "deadline", "delay-boot", "dependency", "distribution", "exclude",
    "exclusive", "gpu-bind", "gpu-freq", "gpus", "gpus-per-node", "gpus-per-socket", "gpus-per-task",
    "gres", "gres-flags", "hint", "licenses", "mail-type", "mail-user", "mem-bind", "mem-per-cpu",
    "mem-per-gpu", "mincpus", "network", "nice", "nodelist", "ntasks-per-core", "ntasks-per-gpu",
    "ntasks-per-socket", "oversubscribe", "power", "prefer", "priority", "qos", "reservation",
    "sockets-per-node", "switches", "thread-spec", "threads-per-core", "time-min", "tmp", "wait-all-nodes",
    "wckey",
)  # fmt: skip
"""Options of sbatch that a deck may set. They say where, when and for whom a job runs; all others could run a
program, change the job's environment, or write elsewhere than into the run folder."""
KEYS = {
    "account": "account", "partition": "partition", "nodes": "nodes", "ntasks": "ranks_per_node",
    "ntasks-per-node": "ranks_per_node", "cpus-per-task": "threads", "mem": "memory", "time": "time",
    "signal": "signal_margin", "requeue": "chain", "no-requeue": "chain",
}  # fmt: skip
"""Options that the block says by a key of its own."""


def in_bytes(memory: str) -> float:
    """Return the bytes of a text such as ``120 GB``."""
    return float(memory[:-2]) * _BYTES[memory[-2]]


def _some(memory: str) -> str:
    """Refuse what SLURM, which counts in megabytes, takes as 0: all memory of a node."""
    if in_bytes(memory) < _BYTES["M"]:
        raise refuse("must be at least 1 MB")
    return memory


Memory = Annotated[str, Field(pattern=MEMORY), AfterValidator(_some)]


class Job(Params):
    """The job that `plexus submit` makes of the deck.

    What is left out comes from the machine's profile or is proposed from the size of the problem. A run that
    reaches the job's time limit writes a checkpoint and goes on in the next link of the chain.
    """

    profile: str | None = Field(
        None, pattern=r"^[\w-]{1,60}$(?!\n)", description="machine profile; the option --profile comes first"
    )
    nodes: int | None = Field(None, ge=1, le=100_000, description="nodes")
    ranks_per_node: int | None = Field(None, ge=1, le=10_000, description="ranks on each node")
    threads: int | None = Field(
        None, ge=1, le=1000, description="cores of each rank; 1, or with a GPU its share"
    )
    gpus_per_node: int | None = Field(
        None, ge=0, le=64, description="GPUs of each node; one per rank if left out"
    )
    memory: Memory | None = Field(None, description="memory of each node, e.g. 120 GB")
    time: Annotated[float, Unit("s")] | None = Field(
        None, ge=60, description="time limit of one link of the chain; else the profile's"
    )
    partition: Word | None = Field(None, description="partition (queue)")
    account: Word | None = Field(None, description="account that pays")
    options: Options = Field({}, description="further options of sbatch, e.g. {qos: long, constraint: rome}")
    signal_margin: Annotated[float, Unit("s")] | None = Field(
        None, ge=5, le=86400, description="how long before its end it is asked to stop; 120 s, or a quarter"
    )
    chain: Chain = Field(
        "requeue", description="at the time limit: put the same job back, submit a next one, or end"
    )
    max_links: int = Field(50, ge=1, le=10_000, description="most links of the chain")

    @field_validator("options")
    @classmethod
    def _harmless(cls, options: dict[str, str]) -> dict[str, str]:
        for name in options:
            if name in KEYS:
                raise refuse(f"say {name} as job.{KEYS[name]}")
            if name not in ALLOWED:
                hint = nearest(name, ALLOWED) or "; allowed are " + ", ".join(ALLOWED)
                raise refuse(
                    f"a deck cannot set --{name}: one that comes from others shall run no program and write "
                    f"nowhere but into its run folder; a machine's profile can set it{hint}"
                )
        return options

    @model_validator(mode="after")
    def _in_time(self) -> Job:
        if self.time is not None and self.signal_margin is not None and self.signal_margin >= self.time:
            raise refuse(
                f"signal_margin {self.signal_margin:g} s leaves nothing of the time limit {self.time:g} s"
            )
        return self
