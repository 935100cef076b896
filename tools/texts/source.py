"""All messages of the product: which files are read, and by which reader."""

import pathlib

from tools.texts.found import ROOT, Found
from tools.texts.python_source import read_python
from tools.texts.script_source import read_script
from tools.texts.template_source import read_template

PRODUCT = ("shared", "station", "leaderboard", "vehicle", "simulator", "raceday")
READERS = {".py": read_python, ".html": read_template, ".js": read_script}
FOREIGN = ("uplot", "vendor")  # in the path of scripts that other people wrote


def read_product(root: pathlib.Path = ROOT) -> Found:
    """What all files hold, in the order of their names."""
    found = Found()
    for folder in PRODUCT:
        for path in sorted((root / folder).rglob("*")):
            reader = READERS.get(path.suffix)
            name = path.relative_to(root).as_posix()
            if reader is not None and not any(word in name.lower() for word in FOREIGN):
                found.add(reader(path.read_text(encoding="utf-8"), name))
    return found
