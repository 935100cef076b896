"""The fonts of this machine, as fontconfig lists them: for signs that the fonts of our pages have not, such as Chinese.

Called by letters.py. Without fontconfig there are none. Debian has such fonts as fonts-noto-cjk.
"""

import functools
import logging
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# Fonts of pictures (emoji) and of one size cannot be drawn as text of any size.
_WANTED = ":scalable=true:color=false:outline=true"
_FORMAT = "%{file}\t%{index}\t%{weight}\t%{slant}\t%{family[0]}\t%{charset}\n"
_REGULAR, _BOLD = 80, 200  # as fontconfig counts weights
_PATIENCE_S = 20.0
_LOG = logging.getLogger("leaderboard")


@dataclass(frozen=True, slots=True)
class MachineFont:
    """A font in a file. `bold`: which of two it is; `signs`: the ranges of what it has."""

    file: str
    index: int
    bold: bool
    signs: tuple[range, ...]

    def has(self, sign: str) -> bool:
        """Whether it has the sign."""
        return any(ord(sign) in each for each in self.signs)


@functools.cache
def machine_fonts() -> tuple[MachineFont, ...]:
    """All that this machine has, those that suit our pages first. Asked once."""
    lister = shutil.which("fc-list")
    if lister is None:
        return ()
    command = [lister, "--format", _FORMAT, _WANTED]
    try:
        listed = subprocess.run(command, capture_output=True, check=True, timeout=_PATIENCE_S)
    except (OSError, subprocess.SubprocessError) as error:
        _LOG.warning("the fonts of this machine are not known, pictures of races go without them: %s", error)
        return ()
    return tuple(read_fonts(listed.stdout.decode("utf-8", "replace").splitlines()))


def read_fonts(lines: Iterable[str]) -> Iterator[MachineFont]:
    """The fonts of a listing: upright ones, regular or bold; without serifs first, then by name."""
    found = list[tuple[tuple[bool, str, int], MachineFont]]()
    for line in lines:
        file, index, weight, slant, family, signs = line.split("\t")
        if slant == "0" and weight in (str(_REGULAR), str(_BOLD)):
            font = MachineFont(file, int(index), weight == str(_BOLD), tuple(_ranges(signs)))
            found.append((("Sans" not in family or "Mono" in family, file, font.index), font))
    yield from (font for _, font in sorted(found, key=lambda each: each[0]))


def _ranges(listed: str) -> Iterator[range]:
    for each in listed.split():
        first, _, last = each.partition("-")
        yield range(int(first, 16), int(last or first, 16) + 1)
