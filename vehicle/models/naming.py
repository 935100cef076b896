"""A model's name as it is kept on disk: made from a stranger's text, and fit for one."""

import re

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
MOST_LETTERS = 60
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")


def fit_name(given: str) -> str:
    """Letters, digits, dots, dashes and underscores, beginning with a letter or digit; never empty, never a path."""
    name = _UNFIT.sub("_", given).strip("._-")[:MOST_LETTERS].strip("._-")
    return name or "model"
