"""The page of backups: the files on the disk, the work that goes on, and what a checked backup holds. Pure."""

import datetime as dt
from dataclasses import dataclass

from shared.text import Sentence, text
from shared.text.dates import moment_of, short_day, time_of_day
from station.service.backups.contents import Contents
from station.service.backups.station_backups import BackupFile, StationBackups, Work

DONE: dict[str, Sentence] = {"removed": text("The backup is deleted from the station's disk.")}
WORK_WORDS: dict[str, Sentence] = {
    "make": text("The backup is being made."),
    "check": text("The backup is being checked."),
    "prepare": text("The present state is being kept, and the backup prepared."),
}


@dataclass(frozen=True, slots=True)
class FileLine:
    """A backup on the disk."""

    name: str
    size: str
    made: str


@dataclass(frozen=True, slots=True)
class ContentsRow:
    """One figure: in the backup, and on the station now."""

    what: Sentence
    there: str
    here: str

    @property
    def differs(self) -> bool:
        return self.there != self.here


@dataclass(frozen=True, slots=True)
class BackupPanel:
    """The page. `percent`: of the work that goes on, None if none does; `chosen`: the checked backup, "" if none.

    `fresh`: the backup that was just made, `left_out`: what could not be put in it, "" if none or all is in it;
    `why_not`: why nothing can be restored now.
    """

    files: tuple[FileLine, ...]
    words: str
    percent: int | None
    error: str
    fresh: str
    left_out: str
    chosen: str
    rows: tuple[ContentsRow, ...]
    why_not: str
    restored: str


def backup_panel(backups: StationBackups, run_is_on: bool, zone: dt.tzinfo | None) -> BackupPanel:
    """What the page shows now."""
    work = backups.work
    files = tuple(_line(each, zone) for each in backups.files())
    names = {each.name for each in files}
    done = work is not None and work.over and not work.error
    checked = work if work is not None and done and work.act == "check" and work.file in names else None
    last = backups.last
    restored = text("Last restored: {file}, {records} records.", file=last.backup, records=last.records) if last else ""
    made = work if work is not None and done and work.act == "make" and work.file in names else None
    return BackupPanel(
        files=files,
        words=_words(backups, work),
        percent=round(work.share * 100) if work is not None and not work.over else 100 if backups.restarting else None,
        error=work.error if work is not None and work.over else "",
        fresh=made.file if made is not None else "",
        left_out=made.left_out if made is not None else "",
        chosen=checked.file if checked is not None else "",
        rows=_rows(checked, zone),
        why_not=text("A run is on: restore when it is over.") if run_is_on else "",
        restored=restored,
    )


def _words(backups: StationBackups, work: Work | None) -> str:
    if backups.restarting:
        return text("The station starts again with the backup: this page comes back by itself.")
    return WORK_WORDS[work.act] if work is not None and not work.over else ""


def _rows(work: Work | None, zone: dt.tzinfo | None) -> tuple[ContentsRow, ...]:
    if work is None or work.there is None or work.here is None:
        return ()
    there, here = _figures(work.there, zone), _figures(work.here, zone)
    labels = (text("Event"), text("Races"), text("Racers"), text("Runs"), text("Last entry"), text("Records"))
    return tuple(ContentsRow(*each) for each in zip(labels, there, here, strict=True))


def _figures(each: Contents, zone: dt.tzinfo | None) -> tuple[str, ...]:
    last = _when(each.last_utc_ns, zone) if each.last_utc_ns else "–"
    return each.event or "–", str(each.races), str(each.racers), str(each.runs), last, str(each.records)


def _line(file: BackupFile, zone: dt.tzinfo | None) -> FileLine:
    return FileLine(file.name, f"{max(0.1, file.bytes / 1_000_000):.1f} MB", _when(file.utc_ns, zone))


def _when(utc_ns: int, zone: dt.tzinfo | None) -> str:
    return text("{day}, {time}", day=short_day(moment_of(utc_ns, zone).date()), time=time_of_day(utc_ns, zone))
