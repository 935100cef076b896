"""What the front pages name is there, and every line of the docs can be read in a terminal."""

import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FRONT = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md")
LISTED = subprocess.run(
    ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True
).stdout.split()
MACHINES = "station|vehicle|leaderboard|simulator|shared|raceday|tests|bench|tools|docs|config|systemd"


@pytest.mark.parametrize("name", FRONT)
def test_every_path_that_a_front_page_names_exists(name: str) -> None:
    text = (ROOT / name).read_text()
    paths = set(re.findall(rf"`((?:{MACHINES})/[\w./-]*)`", text)) | set(re.findall(r"\]\(([\w./-]+)\)", text))
    missing = sorted(path for path in paths if not (ROOT / path).exists() and "NAME" not in path)
    assert missing == []


@pytest.mark.parametrize("name", [name for name in LISTED if name.startswith(("docs/", *FRONT))])
def test_a_line_is_under_200_characters(name: str) -> None:
    """Table rows, pictures and examples of code are as long as they must be; a paragraph is not."""
    long, in_code = [], False
    for number, line in enumerate((ROOT / name).read_text().splitlines(), 1):
        in_code ^= line.startswith("```")
        if len(line) > 200 and not in_code and not line.startswith(("|", "![")):
            long.append(number)
    assert long == [], f"{name}: break these lines"
