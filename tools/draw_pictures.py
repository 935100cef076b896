"""Draws docs/pictures/ and the tables of docs/wiring.md from the tables in tools/pictures/.

python tools/draw_pictures.py            draws them
python tools/draw_pictures.py --check    exit code 1 if one is out of date
"""

import argparse
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from tools.pictures.pins import WIRINGS, wire_table
from tools.pictures.places import draw_hall, draw_network
from tools.pictures.wiring import draw_wiring

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
WIRING_PAGE = DOCS / "wiring.md"


def pictures() -> dict[pathlib.Path, str]:
    """Each picture's file with its text."""
    drawn = {wiring.name: draw_wiring(wiring) for wiring in WIRINGS} | {"hall": draw_hall(), "network": draw_network()}
    return {DOCS / "pictures" / f"{name}.svg": drawn[name] for name in drawn}


def with_tables(page: str) -> str:
    """The page with each table of pins as it is in the data. Raises ValueError if a picture has no place for one."""
    for wiring in WIRINGS:
        marks = rf"(<!-- pins of {wiring.name} -->\n).*?(\n<!-- end -->)"
        page, count = re.subn(marks, rf"\g<1>{wire_table(wiring)}\g<2>", page, flags=re.DOTALL)
        if count != 1:
            raise ValueError(f"docs/wiring.md has {count} places for the pins of {wiring.name}: it needs one.")
    return page


def main() -> int:
    parser = argparse.ArgumentParser(description="Draws docs/pictures/ and the tables of docs/wiring.md.")
    parser.add_argument("--check", action="store_true", help="only report what is out of date")
    check = parser.parse_args().check
    files = pictures() | {WIRING_PAGE: with_tables(WIRING_PAGE.read_text(encoding="utf-8"))}
    stale = [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        if check:
            print(f"{path.relative_to(ROOT)} is out of date: run python tools/draw_pictures.py")
        else:
            path.write_text(files[path], encoding="utf-8")
            print(f"drew {path.relative_to(ROOT)}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
