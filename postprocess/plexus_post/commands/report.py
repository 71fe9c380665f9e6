"""``plexus-post report``: one HTML page about a run that a person can mail or print.

Everything is in the file: style, pictures (as data URIs), tables. It asks no other machine for anything and
runs no script; a content security policy says so to the browser. All text of the run is escaped.
"""

from __future__ import annotations

import base64
import re
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from plexus.fileformat import DECK, LOG
from plexus_post.errors import PostError
from plexus_post.readers import plain
from plexus_post.readers.run import Run
from plexus_post.readers.run import open as open_run
from plexus_post.tables.page import facts, tables
from plexus_post.tables.table import Table

HELP = "one HTML page about a run, to be mailed"
STYLE = Path(__file__).with_name("report.css")
TAIL = 60
"""Lines at the end of the log that the page shows."""
RESULTS = ("Verification", "Quantities")
"""Tables that stand before the pictures."""


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("path", metavar="RUN")
    parser.add_argument("-o", "--out", metavar="FILE", help="the page (default: RUN/report.html)")
    parser.add_argument("--step", type=int, help="step of the pictures (default: the last)")


def run(args: Namespace) -> None:
    """Write the page and print its path."""
    source = open_run(args.path)
    print(report(source, Path(args.out) if args.out else source.folder / "report.html", args.step))


def report(run: Run, path: Path, step: int | None = None) -> Path:
    """Write the page of a run and return its path.

    Parameters
    ----------
    run
        What the page is about.
    path
        The HTML file to write.
    step
        Which step the pictures show; the last one by default.

    Raises
    ------
    PostError
        If the file cannot be written.
    """
    text = page(run, step)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PostError(f"{path}: {error.strerror or error}") from None
    return path


def page(run: Run, step: int | None = None) -> str:
    """Return the page as text."""
    made = [*tables(run)]
    results = [t for t in made if t.title in RESULTS]
    blocks = [
        *_head(run),
        *(_section(t.title, _table(t)) for t in results),
        *_pictures(run, step),
        *(_section(t.title, _table(t)) for t in made if t not in results),
        *_texts(run),
    ]
    names = re.findall(r'<section id="([^"]+)"><h2>([^<]+)', "".join(blocks))
    contents = " · ".join(f'<a href="#{i}">{name}</a>' for i, name in names)
    about = run.deck.get("about") or {}
    return _PAGE.format(
        title=escape(run.title),
        style=STYLE.read_text(encoding="utf-8"),
        about=f"<p class=about>{escape(str(about['description']))}</p>" if about.get("description") else "",
        contents=contents,
        body="\n".join(blocks),
        made=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        folder=escape(str(run.folder.resolve())),
    )


_PAGE = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}</style></head><body><main>
<h1>{title}</h1>
{about}
<nav>{contents}</nav>
{body}
<footer>Made by plexus-post on {made} from {folder}</footer>
</main></body></html>
"""


def _section(title: str, content: str) -> str:
    """Return a section with an anchor."""
    anchor = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    return f'<section id="{anchor}"><h2>{escape(title)}</h2>{content}</section>'


def _head(run: Run) -> Iterator[str]:
    """Yield the state of the run as a badge, its message, and its key figures."""
    s = run.summary
    status = str(s.get("status") or run.progress.get("status") or "unfinished")
    checks = s.get("verification") or []
    missed = sum(v.get("holds") is not True for v in checks)
    kind = "bad" if status == "failed" or missed else "good" if status == "done" else "fair"
    badge = f'<span class="badge {kind}">{escape(status)}</span>'
    if checks:
        text = f"{len(checks) - missed} of {len(checks)} references met"
        badge += f'<span class="badge {"bad" if missed else "good"}">{text}</span>'
    yield f"<p>{badge}</p>"
    if s.get("message"):
        yield f"<pre class=message>{escape(str(s['message']))}</pre>"
    cards = (f"<div><b>{escape(value)}</b><span>{escape(name)}</span></div>" for name, value in facts(run))
    yield f"<div class=cards>{''.join(cards)}</div>"


def _table(table: Table) -> str:
    """Return a table; numbers stand to the right, a share becomes a bar behind its number."""
    numeric = [all(_is_number(row[i]) for row in table.rows) for i in range(len(table.head))]
    head = "".join(f"<th{' class=n' * n}>{escape(h)}</th>" for h, n in zip(table.head, numeric, strict=True))
    rows = "".join(f"<tr>{''.join(map(_cell, row, numeric))}</tr>" for row in table.rows)
    note = f"<p class=note>{escape(table.note)}</p>" if table.note else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{note}"


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"[-–+]?[\d.,]*(e[-+]?\d+)?( ?%)?", text))


def _cell(text: str, numeric: bool) -> str:
    """Return one cell."""
    names = ["n"] if numeric else []
    if text in ("yes", "NO"):
        names.append("good" if text == "yes" else "bad")
    style = ""
    if numeric and text.endswith("%"):
        names.append("share")
        style = f' style="--part:{min(max(float(text.rstrip("% ")), 0.0), 100.0):.4g}%"'
    return f'<td class="{" ".join(names)}"{style}>{escape(text)}</td>'


def _pictures(run: Run, step: int | None) -> Iterator[str]:
    """Yield the fields and the histories as sections of figures; a run may have neither."""
    from plexus_post.pictures.overall import pictures

    with tempfile.TemporaryDirectory() as folder:
        try:
            made = pictures(run, Path(folder), step=step)
        except PostError as error:
            yield _section("Pictures", f"<p class=note>{escape(str(error))}</p>")
            return
        fields = {re.sub(r"\W", "_", name) for name in run.fields} | {"overview"}
        shown = [p for p in made if p.stem in fields and p.stem != "overview"]
        histories = [p for p in made if p.stem not in fields]
        if shown:
            yield _section("Fields", _figures(shown))
        if histories:
            yield _section("Histories", _figures(histories))


def _figures(files: Sequence[Path]) -> str:
    """Return pictures side by side, inside the page."""
    items = []
    for file in files:
        # the picture carries its title, this text is for readers who do not see it
        name = escape(file.stem.replace("_", " "), quote=True)
        data = base64.b64encode(_smaller(file)).decode()
        items.append(f'<figure><img alt="{name}" src="data:image/png;base64,{data}"></figure>')
    return f"<div class=figures>{''.join(items)}</div>"


def _smaller(file: Path) -> bytes:
    """Return a picture with at most 256 colours, which shrinks it to a mailable size."""
    try:
        from io import BytesIO

        from PIL import Image
    except ImportError:  # comes with matplotlib; without it the file is only larger
        return file.read_bytes()
    buffer = BytesIO()
    with Image.open(file) as image:
        image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue() if buffer.tell() < file.stat().st_size else file.read_bytes()


def _texts(run: Run) -> Iterator[str]:
    """Yield the deck with the origins of its values, and the end of the log."""
    deck = _read(run.folder / DECK)
    if deck:
        note = "<p class=note>The complete deck; grey: where a value comes from.</p>"
        yield _section("Deck", note + f"<pre>{_origins(deck)}</pre>")
    log = _read(run.folder / LOG).splitlines()
    if log:
        cut = f"<p class=note>The last {TAIL} of {len(log)} lines.</p>" if len(log) > TAIL else ""
        yield _section("Log", f"{cut}<pre>{escape(chr(10).join(log[-TAIL:]))}</pre>")


def _origins(deck: str) -> str:
    """Return a deck with the comments behind its values in grey."""
    lines = []
    for line in deck.splitlines():
        # the origin is the last thing on a line, so that a # in a text before it does not matter
        value, mark, origin = line.rpartition("  # ") if not line.startswith("#") else ("", line, "")
        lines.append(f"{escape(value)}<i>{escape(mark + origin)}</i>" if mark else escape(line))
    return "\n".join(lines)


def _read(path: Path) -> str:
    return plain.text(path, "replace") if path.is_file() else ""
