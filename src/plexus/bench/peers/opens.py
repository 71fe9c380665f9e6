"""Notes every file that a Python process opens, with the time; a benchmark runs it as ``sitecustomize``.

Writes ``<pid>.json`` into the folder PLEXUS_OPENS at exit: rank, start of the process, opens, the time of the
import of torch, and the shared libraries that are mapped then.
"""

import atexit
import json
import os
import sys
import time

_opens = []
_torch = []


def _watch(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        _opens.append((time.time(), os.fsdecode(arguments[0])))
    elif event == "import" and arguments[0] == "torch" and not _torch:
        _torch.append(time.time())


def _born():
    with open("/proc/self/stat") as file:
        ticks = int(file.read().rpartition(")")[2].split()[19])
    since = ticks / os.sysconf("SC_CLK_TCK")
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + since


def _write():
    with open("/proc/self/maps") as file:
        words = [line.split() for line in file]
    libraries = {w[5] for w in words if len(w) > 5 and ".so" in w[5]}
    names = ("OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK", "SLURM_PROCID")
    rank = next((int(os.environ[n]) for n in names if n in os.environ), None)
    content = {
        "pid": os.getpid(), "rank": rank, "born": _born(), "opens": _opens, "torch": _torch,
        "libraries": sorted(libraries), "command": sys.argv,
    }  # fmt: skip
    with open(os.path.join(os.environ["PLEXUS_OPENS"], f"{os.getpid()}.json"), "w") as file:
        json.dump(content, file)


if "PLEXUS_OPENS" in os.environ:
    sys.addaudithook(_watch)
    atexit.register(_write)
