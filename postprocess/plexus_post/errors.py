"""The one error that a user of ``plexus-post`` sees: a clear line and exit code 2."""


class PostError(Exception):
    """A result is missing, unreadable or not what was asked for; the message is one line."""

    exit_code = 2
