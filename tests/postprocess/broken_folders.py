"""Result folders that were damaged, and what ``plexus-post`` makes of them, in a process of its own.

As a program, ``python broken_folders.py SHEET``, it reads commands of ``plexus-post`` as JSON, one a line,
and answers each with exit code, standard error, and the end of a traceback if there was one; its pictures
have the style of a sheet.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import select
import shutil
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

from plexus_post.pictures import style

PATIENCE = 120.0
"""Seconds for one command; one that takes longer hangs."""
TEXTS = ("summary.json", "progress.json", "deck.yaml", "log.txt")
HDF5 = ("fields.vtkhdf", "series.h5")
ODD = (
    None,
    -1,
    10**30,
    1e308,
    float("nan"),
    "",
    "text",
    [],
    {},
    [1, "a"],
    {"a": None},
    True,
    [[[]]],
    "\x1b[31m",
)
"""What a tampered entry of a JSON file holds."""


def tampered(path: Path, dice: random.Random) -> None:
    """Give an entry of a JSON file another content, or take it away."""
    content = json.loads(path.read_text())
    place: Any = content
    while True:
        keys = list(range(len(place))) if isinstance(place, list) else list(place)
        key = dice.choice(keys)
        if not (isinstance(place[key], dict | list) and place[key] and dice.random() < 0.8):
            break
        place = place[key]
    if dice.random() < 0.2:
        del place[key]
    else:
        place[key] = dice.choice(ODD)
    path.write_text(json.dumps(content))


def broken(source: Path, folder: Path, dice: random.Random, elsewhere: Path) -> str:
    """Make a damaged copy of a run folder and return which file was damaged and how."""
    sys.path.append(str(Path(__file__).parents[1] / "restart"))
    from damage import damaged

    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder)
    name = dice.choice((*HDF5, *HDF5, *TEXTS))
    path = folder / name
    way = dice.random()
    if way < 0.08:
        path.unlink()
        how = "gone"
    elif way < 0.16:
        path.unlink()
        path.symlink_to(dice.choice((elsewhere, Path("/dev/zero"), folder / "nowhere", path)))
        how = "linked"
    elif name.endswith(".json") and way < 0.7:
        tampered(path, dice)
        how = "tampered"
    else:
        how = damaged(source / name, path, dice, elsewhere if name in HDF5 else None)
    return f"{name} {how}"


class Post:
    """A process that runs commands of ``plexus-post``; started again when one has killed it."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None

    def ask(self, *command: str | Path) -> dict[str, Any]:
        """Return ``code``, ``err`` and ``traceback`` of a command; it may have killed the process."""
        if self.process is None:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
            self.process = subprocess.Popen([sys.executable, __file__, str(style.SHEET)], text=True, **pipes)
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps([*map(str, command)]) + "\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            self.process.kill()
        answer = self.process.stdout.readline()
        if not answer:
            found = {"code": None, "err": "", "traceback": f"killed: {self.process.wait()}"}
            self.process = None
            return found
        return dict(json.loads(answer))

    def close(self) -> None:
        """End the process."""
        if self.process is not None and self.process.stdin:
            self.process.stdin.close()
            self.process.wait()


def told(answer: dict[str, Any]) -> str:
    """Return what is wrong with the answer to a broken folder: neither exit code 0 nor one sentence and 2."""
    if answer["traceback"]:
        return str(answer["traceback"])
    err = answer["err"]
    sentence = err.count("\n") == 1 and err.startswith("plexus-post: ")
    good = answer["code"] in (0, 1) or (answer["code"] == 2 and sentence)
    return "" if good else f"exit code {answer['code']}: {err!r}"


def main() -> None:
    """Answer the commands that stand in the standard input."""
    from plexus_post.cli import main as post

    style.SHEET = Path(sys.argv[1])
    for line in sys.stdin:
        out, err, trace, code = io.StringIO(), io.StringIO(), "", None
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = post(json.loads(line))
            except BaseException:
                trace = traceback.format_exc()[-1500:]
        print(json.dumps({"code": code, "err": err.getvalue(), "traceback": trace}), flush=True)


if __name__ == "__main__":
    main()
