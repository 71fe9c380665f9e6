"""``plexus-post report``: one page that stands alone, tells everything and trusts nothing."""

import base64
import json
import re
from html.parser import HTMLParser

import pytest
from post_samples import run_folder
from test_commands import series

from plexus_post.cli import main

EVIL = "<script>alert('x')</script>&\"'"


class Parser(HTMLParser):
    """Collects tags, attributes and texts, and complains about tags that do not match."""

    EMPTY = ("meta", "img", "link", "br")

    def __init__(self):
        super().__init__()
        self.tags, self.links, self.open, self.text = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [v for k, v in attrs if k in ("src", "href", "xlink:href", "data", "action")]
        assert not any(k.startswith("on") for k, _ in attrs)
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(path):
    parser = Parser()
    parser.feed(path.read_text())
    assert parser.open == []
    return parser


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run with everything in it, and with hostile texts wherever a text can be."""
    folder = run_folder(tmp_path_factory.mktemp("report") / "run")
    series(
        folder,
        quantities={"time": [0.0, 1.0], "peak": [3.0, 4.0]},
        krylov__temperature={"iteration": range(8), "norm": [10.0**-k for k in range(8)]},
    )
    summary = json.loads((folder / "summary.json").read_text())
    summary["verification"][0] |= {"source": EVIL, "kind": "relative"}
    summary["verification"].append(summary["verification"][0] | {"holds": False, "measured": 1.0})
    summary["quantities"][EVIL] = 1.5
    summary["mesh"] = {"cells": 48, "dim": 2, "cell": EVIL}
    summary["transfers"] = {
        "to_device": 3,
        "bytes_to_device": 3e6,
        "to_host": 1,
        "bytes_to_host": 80,
        "seconds": 0.25,
    }
    row = {
        "ranks": "0-1",
        "count": 2,
        "host": EVIL,
        "cores": "0-3",
        "bound": 4,
        "threads": 2,
        "device": "cuda",
    }
    row |= {"gpu": "H100", "uuid": "GPU-a", "bridge": "copied", "host_cores": 4, "crowded": False}
    summary["placement"] = [row]
    (folder / "summary.json").write_text(json.dumps(summary))
    (folder / "deck.yaml").write_text(f"# effective\nabout:\n  title: {json.dumps(EVIL)}  # a <b>.yaml:1:2\n")
    (folder / "log.txt").write_text("".join(f"line {n} {EVIL}\n" for n in range(100)))
    assert main(["report", str(folder)]) == 0
    return folder


def test_nothing_outside_the_page_is_needed(folder):
    page = read(folder / "report.html")
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    assert all(link.startswith(("data:image/png;base64,", "#")) for link in page.links)
    text = (folder / "report.html").read_text()
    assert "url(" not in text and "@import" not in text and "default-src 'none'" in text


def test_hostile_texts_are_texts(folder):
    raw = (folder / "report.html").read_text()
    assert "<script" not in raw and "a <b>.yaml" not in raw
    assert "".join(read(folder / "report.html").text).count(EVIL) > 60


def test_everything_is_told(folder):
    page = read(folder / "report.html")
    text = "".join(page.text)
    for part in (
        "Verification", "Quantities", "Fields", "Histories", "Solver", "Phases", "Placement",
        "Copies to and from GPUs", "Provenance", "Deck", "Log", "1 of 2 references met", "NO", "H100 GPU-a",
        "copied", "340.25", "line 99", "All copies of all ranks together took 0.250 s",
        "The last 60 of 100 lines",
    ):  # fmt: skip
        assert part in text, part
    pictures = [link for link in page.links if link.startswith("data:")]
    assert len(pictures) >= 4
    for picture in pictures:
        assert base64.b64decode(picture.partition(",")[2]).startswith(b"\x89PNG")
    anchors = [link[1:] for link in page.links if link.startswith("#")]
    assert set(anchors) <= set(re.findall(r'id="([^"]+)"', (folder / "report.html").read_text()))


def test_a_run_that_failed_early_has_a_page(tmp_path):
    (tmp_path / "summary.json").write_text(
        json.dumps(
            {"status": "failed", "exit_code": 3, "message": "no <luck>", "phases": {}, "quantities": {}}
        )
    )
    target = tmp_path / "deep" / "page.html"
    assert main(["report", str(tmp_path), "-o", str(target)]) == 0
    text = "".join(read(target).text)
    assert "failed" in text and "no <luck>" in text and "neither fields nor histories" in text


def test_only_runs_have_pages(tmp_path, capsys):
    assert main(["report", str(tmp_path)]) == 2
    assert "not a run folder" in capsys.readouterr().err
