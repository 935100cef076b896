"""The pages of docs/reference/ say what the code says."""

import re
import sys

import pytest

from tools import reference
from tools.reference_pages.config_page import config_page
from tools.reference_pages.protocols_page import docstrings

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


@pytest.mark.parametrize("protocol", docstrings())
def test_each_protocol_names_its_source_and_what_it_was_tried_with(protocol: str) -> None:
    paragraphs = docstrings()[protocol].split("\n\n")
    sources = [text for text in paragraphs if text.startswith(("Source: ", "Sources: "))]
    tried = [text for text in paragraphs if text.startswith("Tried with: ")]
    assert (len(sources), len(tried)) == (1, 1)
    assert re.search(r"\b20\d\d", tried[0]), "when?"
    assert re.search(r"\bNo (?:\w+ ){1,5}was available\.$", " ".join(tried[0].split())), "say what was not there"
    section = reference.rendered("protocols.md").partition(f"\n## {protocol}\n")[2].partition("\n## ")[0]
    assert "**Source.** " in section
    assert "**Tried with.** " in section
