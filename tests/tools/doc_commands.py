"""The commands of README.md and docs/*.md, as they are written there. Used by the tests of the docs.

A command is a line of a fenced block without a language (or `sh`), an indented line that begins with a program, or a
text in backquotes that begins with one of `PROGRAMS` and a word behind it. Blocks of vendor.md that are whole scripts
are run by tests/leaderboard/api/test_vendor_doc.py.
"""

import pathlib
import re
import shlex
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
PROGRAMS = (
    *("./dev", ".venv/bin/python", ".venv/bin/raceday", "apt", "apt-get", "curl", "ip", "iw", "journalctl", "ls"),
    *("mosquitto", "mpremote", "nmcli", "pip", "python3", "raceday", "ray", "rpicam-hello", "scp", "ssh", "sudo"),
    *("systemctl", "systemd-analyze", "vcgencmd"),
)
SCRIPTS = "vendor.md"
_PROGRAM = "|".join(map(re.escape, sorted(PROGRAMS, key=len, reverse=True)))
_BEGINS = re.compile(rf"(?:[A-Z_]+=\S+ )*(?:{_PROGRAM}) \S")


@dataclass(frozen=True, slots=True)
class DocCommand:
    """One command as it is written, and where. `is_in_text`: it is named in a sentence, perhaps without its values."""

    page: str
    line: int
    text: str
    is_in_text: bool = False

    @property
    def words(self) -> list[str]:
        """The program and its words up to a redirection, without `sudo` and variables; options in brackets too."""
        written = re.sub(r"^sudo -u \w+ ", "", re.sub(r"\[(-[^\]]*)\]", r"\1", self.text))
        words = shlex.split(written, comments=True)
        while words[0] == "sudo" or re.fullmatch(r"[A-Z_]+=\S*", words[0]):
            words = words[1:]
        return words[: words.index(">")] if ">" in words else words

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.text}"


def commands_of(page: str, text: str) -> list[DocCommand]:
    """All commands of one page, in their order; several joined by `&&` are several."""
    found: list[DocCommand] = []
    fence: str | None = None
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped.startswith("```"):
            fence = None if fence is not None else stripped[3:]
            continue
        is_command = line.startswith("    ") and bool(_BEGINS.match(stripped))
        if fence is not None:
            is_command = bool(stripped) and (fence == "" or (fence == "sh" and page != SCRIPTS))
        if is_command:
            found += [DocCommand(page, number, part) for part in stripped.split(" && ")]
        elif fence is None:
            named = [each for each in re.findall(r"`([^`]+)`", line) if _BEGINS.match(each)]
            found += [DocCommand(page, number, each, is_in_text=True) for each in named]
    return found


def all_commands() -> list[DocCommand]:
    """Those of every page."""
    return [each for page in PAGES for each in commands_of(page.name, page.read_text(encoding="utf-8"))]
