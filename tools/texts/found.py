"""What the readers of Python, templates and scripts find: messages for the catalogue, and faults. See check_text.py."""

import pathlib
from dataclasses import dataclass, field

ROOT = pathlib.Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class FoundMessage:
    """One `text`, `ntext`, `t` or `nt` in the source. `plural`: "" if it counts nothing."""

    message: str
    plural: str
    file: str
    line: int


@dataclass(slots=True)
class Found:
    """All messages of one or more files, and a sentence for each fault: 'station/web/x.py:12: ...'."""

    messages: list[FoundMessage] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def add(self, other: "Found") -> None:
        self.messages += other.messages
        self.faults += other.faults
