"""Writes the pages of docs/reference/ that follow from the code: config keys, MQTT, commands, HTTP, who may, protocols.

    python tools/reference.py            writes them
    python tools/reference.py --check    exit code 1 if a page is out of date

Nothing is described twice: a key has its `setting(what=...)`, a message its docstring, a command its `--help`.
"""

import argparse
import os
import pathlib
import sys
from collections.abc import Callable

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from tools.reference_pages.access_page import access_page
from tools.reference_pages.commands_page import commands_page
from tools.reference_pages.config_page import config_page
from tools.reference_pages.http_page import http_page
from tools.reference_pages.mqtt_page import mqtt_page
from tools.reference_pages.protocols_page import protocols_page

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "docs" / "reference"
MADE = "<!-- Written by tools/reference.py from the code; change it there. -->"
WIDTH = 110  # of help texts and paragraphs, in characters

PAGES: dict[str, Callable[[], str]] = {
    "config.md": config_page,
    "mqtt.md": mqtt_page,
    "commands.md": commands_page,
    "http.md": http_page,
    "access.md": access_page,
    "protocols.md": lambda: protocols_page(WIDTH),
}


def rendered(name: str) -> str:
    """The text of a page, from the present code. Help texts depend on the terminal's width, so that is fixed."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(WIDTH)
    try:
        title, _, rest = PAGES[name]().partition("\n")
        return f"{title}\n{MADE}\n\n{rest}"
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before


def main() -> int:
    parser = argparse.ArgumentParser(description="Writes docs/reference/ from the code.")
    parser.add_argument("--check", action="store_true", help="only report the pages that are out of date")
    check = parser.parse_args().check
    stale = [name for name in PAGES if not (FOLDER / name).exists() or (FOLDER / name).read_text() != rendered(name)]
    for name in stale:
        if check:
            print(f"docs/reference/{name} is out of date: run python tools/reference.py")
        else:
            (FOLDER / name).write_text(rendered(name))
            print(f"wrote docs/reference/{name}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
