"""The bar of mini-sectors: each sector of a lap with the sign that says how good it is. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.text import Sentence, text
from shared.units import format_ns
from station.views.trackside.sectors import SectorLevel, SectorView

# The signs of the legend, so that colour is never the only cue.
_SIGNS: dict[SectorLevel, str] = {"best": "◆", "own": "▲", "slower": "●", "pending": "", "unknown": "–"}
_WORDS: dict[SectorLevel, Sentence] = {
    "best": text("best of all"),
    "own": text("own best"),
    "slower": text("slower"),
    "pending": text("still to drive"),
    "unknown": text("not measured"),
}


@dataclass(frozen=True, slots=True)
class SectorCell:
    """One sector. `time` "": none yet. `level` chooses its form; `words` say all of it."""

    number: int
    time: str
    level: SectorLevel
    sign: str
    words: Sentence


def sector_bar(sectors: Sequence[SectorView]) -> tuple[SectorCell, ...]:
    """The sectors of one lap; empty without split gates."""
    return tuple(_cell(sector) for sector in sectors)


def _cell(sector: SectorView) -> SectorCell:
    time = format_ns(sector.sector_ns) if sector.sector_ns is not None else ""
    level = _WORDS[sector.level]
    words = (
        text("Sector {number}: {time}, {level}", number=sector.number, time=time, level=level)
        if time
        else text("Sector {number}: {level}", number=sector.number, level=level)
    )
    return SectorCell(sector.number, time, sector.level, _SIGNS[sector.level], words)
