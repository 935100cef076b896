"""Writes the pages of docs/security/ from the TOML files beside them, and refuses what names no proof, or a lost one.

python tools/security_pages.py            writes them
python tools/security_pages.py --check    a part of `./dev check`: exit code 1 if a page or its data is wrong
"""

import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from tools.standards.catalogue import ASVS, ETSI, Standard
from tools.standards.page import assessment_page
from tools.standards.verdicts import read_assessment

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "security"
PAGES: dict[str, Standard] = {"asvs": ASVS, "etsi-303-645": ETSI}


def rendered(name: str) -> tuple[str, list[str]]:
    """The text of a page from its data, and what is wrong with the data."""
    assessment, faults = read_assessment(FOLDER / f"{name}.toml", PAGES[name], ROOT)
    made = f"<!-- Written by tools/security_pages.py from {name}.toml; change it there. -->"
    return assessment_page(PAGES[name], assessment, made), faults


def main() -> int:
    parser = argparse.ArgumentParser(description="Writes docs/security/ from the TOML files there.")
    parser.add_argument("--check", action="store_true", help="only report what is wrong or out of date")
    check = parser.parse_args().check
    found = []
    for name in PAGES:
        text, faults = rendered(name)
        path = FOLDER / f"{name}.md"
        if faults:
            found += faults
        elif not path.exists() or path.read_text() != text:
            if check:
                found.append(f"docs/security/{name}.md is out of date: run python tools/security_pages.py")
            else:
                path.write_text(text)
                print(f"wrote docs/security/{name}.md")
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
