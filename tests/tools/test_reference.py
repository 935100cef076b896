"""The pages of docs/reference/ say what the code says."""

import sys

import pytest

from tools import reference
from tools.reference_pages.config_page import config_page

# argparse lays its help out anew in Python 3.13: the page is written with the oldest version that is supported.
NAMES = [name for name in reference.PAGES if name != "commands.md" or sys.version_info < (3, 12)]


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_current(name: str) -> None:
    written = (reference.FOLDER / name).read_text()
    assert written == reference.rendered(name), f"docs/reference/{name}: run python tools/reference.py"


def test_every_key_says_what_it_is_for_or_what_it_may_be() -> None:
    """Every row of the config page has a text or a table of choices."""
    rows = [line for line in config_page().splitlines() if line.startswith("| `")]
    bare = [row for row in rows if row.endswith("|  |") and not any(w in row for w in ("true or false", "table", '"'))]
    assert bare == []
