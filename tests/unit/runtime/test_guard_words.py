"""Exit code and message of what ends a run."""

import pytest

from plexus.errors import OutputError
from plexus.runtime.guard import describe, exit_code


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (OutputError("disk full"), 4, "disk full"),
        (MemoryError("Unable to allocate 9 TiB"), 2, "out of memory: Unable to allocate 9 TiB; take fewer"),
        (MemoryError(), 2, "out of memory; take fewer"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (ValueError("unforeseen"), 1, "Traceback"),
    ],
)
def test_code_and_message(error, code, text):
    assert exit_code(error) == code
    if code == 1:
        try:
            raise error
        except ValueError as raised:
            error = raised
    assert describe(error).startswith(text)
