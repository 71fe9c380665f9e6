"""``plexus-post rom FILE``: pictures of a reduced model, or of a dictionary of them."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from plexus_post.errors import PostError
from plexus_post.readers.run import Run

if TYPE_CHECKING:
    from plexus_post.pictures.view import View

HELP = "a reduced model: spectrum, modes and weighted points on the mesh, errors; or a dictionary of them"
FILE = "rom.h5"


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "file", metavar="FILE", help="rom.h5 or dictionary.json, or the folder with one of them"
    )
    parser.add_argument("-o", "--out", help="folder of the pictures (default: pictures beside the file)")
    parser.add_argument("--modes", type=int, default=3, help="how many modes are drawn (default: 3)")


def run(args: Namespace) -> None:
    """Make the pictures and print their paths."""
    from plexus_post.reduced import clusters

    path = _file(Path(args.file))
    folder = Path(args.out) if args.out else path.parent / "pictures"
    made = [clusters.show(path, folder / "dictionary.png")] if path.suffix == ".json" else []
    for file in made or _of_model(path, folder, args.modes):
        print(file)


def _file(path: Path) -> Path:
    """Return the file of a folder, or the file itself.

    Raises
    ------
    PostError
        If there is none.
    """
    from plexus_post.reduced import clusters

    if not path.is_dir():
        return path
    found = [path / name for name in (FILE, clusters.FILE) if (path / name).is_file()]
    if not found:
        raise PostError(f"{path}: neither {FILE} nor {clusters.FILE} in it; name the file")
    return found[0]


def _of_model(path: Path, folder: Path, modes: int) -> list[Path]:
    """Draw what the file tells, and what is seen on the mesh if there is a file of the modes."""
    from plexus_post.pictures.beside import beside
    from plexus_post.pictures.scenes import Scene
    from plexus_post.reduced import model, panels, points

    told = model.read(path)
    made = [panels.draw(told, folder / f"{path.stem}.png")]
    if not told.field_file.is_file():
        raise PostError(f"{told.field_file}: missing, so there is no mesh to draw modes and points on")
    shown = Run(path.parent, told.field_file)
    made.append(points.draw(told, Scene(shown, 0), folder / f"{path.stem}_points.png"))
    count = min(modes, len(shown.times))
    # arrows tell where a plane mode goes, the deformed body where a solid one does
    warp = None if shown.mesh(0).dim == 3 else 0.0
    every = [Scene(shown, k).view(told.unknown, warp=warp) for k in range(count)]
    views = [_as_mode(v, f"mode {k + 1} of {told.modes}") for k, v in enumerate(every) if v is not None]
    return [*made, *([beside(views, folder / f"{path.stem}_modes.png")] if views else [])]


def _as_mode(view: View, about: str) -> View:
    """Return the view of a mode, whose size is a matter of normalisation: the largest value is 1."""
    largest = float(abs(view.values).max()) or 1.0
    return replace(
        view, about=about, when="", note="", unit="", peak="",
        values=view.values / largest, components=view.components / largest,
    )  # fmt: skip
