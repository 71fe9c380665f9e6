"""The picture of a dictionary: from its index alone, and refused without one."""

import json

import pytest

from plexus_post.errors import PostError
from plexus_post.recipes import dictionary


def test_gain_and_sizes_are_drawn(tmp_path):
    about = {"clusters": 2, "members": 8, "gains": [0.0, 0.6, 0.7], "sizes": [5, 3], "modes": [6, 7],
             "points": [20, 30], "accuracy": 0.9}  # fmt: skip
    (tmp_path / "dictionary.json").write_text(json.dumps({"kind": "dictionary", "about": about}))
    found = dictionary.read(tmp_path)
    assert found == about
    path = dictionary.draw(found, tmp_path / "picture.png")
    assert path.stat().st_size > 5000


def test_another_file_is_refused(tmp_path):
    with pytest.raises(PostError, match="no dictionary of reduced models"):
        dictionary.read(tmp_path)
    (tmp_path / "dictionary.json").write_text(json.dumps({"kind": "dictionary", "about": {"gains": []}}))
    with pytest.raises(PostError, match="no dictionary"):
        dictionary.read(tmp_path)
