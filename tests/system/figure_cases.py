"""The cases whose figures must survive every move and renaming, each a function that computes one plain document.

A case uses as few of the product's names as it can: a command where there is one, else the few entry points
imported here. It gets a folder of its own and the document that was recorded last (from which some cases take frames).
"""

import contextlib
import gzip
import io
import json
import pathlib
import shutil
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from leaderboard.board import LeaderboardService
from leaderboard.store.database import open_store
from raceday.__main__ import main as raceday
from station.core.engine import Engine
from station.evidence.verify import check_file
from station.store.encoding import encode_facts, encode_input
from station.store.journal import Journal, JournalEntry
from station.store.signer import Signer
from tests.system.car_figures import controller_figures, lap_watcher_figures, policy_figures, recording_figures
from tests.system.decoder_figures import capture_figures, frames_figures
from tests.system.drawn_races import DRAWN
from tests.system.journal_figures import Document, Stored, journal_figures, number_digests, placing, stored_records

Case = Callable[[pathlib.Path, Document], Document]
TESTS = pathlib.Path(__file__).resolve().parents[1]
KEPT_TEXT = TESTS / "assets" / "journal-0.1.tsv.gz"
KEPT_FILE = TESTS / "station" / "store" / "data" / "journal-of-the-first-engine.db"
CAPTURE = TESTS / "station" / "gates" / "decoders" / "captures" / "p3_short.hex"
SIGNER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
DRAWS = 3
# Together these meetings of 20 minutes have every kind of fault that the simulation knows.
FAULTY_SEEDS = (7, 10, 11, 12, 19, 20)
COUNTS = ("laps", "runs", "races", "results", "posts", "crossings", "reports", "rulings")
HEAT_COUNTS = ("crossings", "right", "doubtful", "missed", "missed_asked", "laps", "laps_true")


def command(*arguments: str) -> list[str]:
    """The lines that a `raceday` command prints; it must succeed."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        code = raceday([*arguments])
    assert code == 0, f"raceday {' '.join(arguments)} exits with {code}: {out.getvalue()}"
    return out.getvalue().splitlines()


def simulate(folder: pathlib.Path, *options: str) -> Any:
    """Runs `raceday race simulate --json` and returns its last line; journals and leaderboards remain in `folder`."""
    return json.loads(command("race", "simulate", "--jobs", "1", "--json", "--keep", str(folder), *options)[-1])


def meeting(seed: int, hours: float, faults: str) -> Case:
    """The figures of one meeting of single cars, from the first run to the last post."""

    def case(folder: pathlib.Path, _recorded: Document) -> Document:
        report = simulate(folder, "--seed", str(seed), "--hours", str(hours), "--faults", faults)
        assert all(each["held"] for each in report["invariants"].values())
        [station] = folder.rglob("station.db")
        journal = journal_figures(stored_records(station))
        [board] = folder.rglob("board.db")
        return {
            "counts": {name: report[name] for name in COUNTS},
            "faults_of_each_kind": sorted(report["faults"].values(), reverse=True),
            **journal,
            "leaderboard": _leaderboard(board, sorted(journal["standings"])),
        }

    return case


def _leaderboard(path: pathlib.Path, races: list[str]) -> Document:
    board = LeaderboardService(open_store(path))
    try:
        return {race: [placing(line) for line in board.standings(race)] for race in races}
    finally:
        board.close()


def heats(seed: int, cars: int, count: int) -> Case:
    """The figures of heats with several cars at one beam, without transponders."""

    def case(folder: pathlib.Path, _recorded: Document) -> Document:
        options = ("--seed", str(seed), "--cars-on-track", str(cars), "--heats", str(count))
        report = simulate(folder, *options)
        assert report["silently_wrong"] == []
        journals = [journal_figures(stored_records(path)) for path in sorted(folder.glob("*.db"))]
        return {
            "counts": {name: report[name] for name in HEAT_COUNTS},
            "asked_of_each_kind": sorted(report["asked"].values(), reverse=True),
            "heats": journals,
        }

    return case


def drawn(name: str, number: int) -> Case:
    """The figures of a race that drawn_races.py draws, run through the engine."""

    def case(_folder: pathlib.Path, _recorded: Document) -> Document:
        return journal_figures([(encode_input(each.input), encode_facts(each.facts)) for each in _raced(name, number)])

    return case


def _raced(name: str, number: int) -> list[JournalEntry]:
    engine = Engine()
    entries = [JournalEntry(given, engine.handle(given)) for given in DRAWN[name](f"{name}/{number}")]
    return [entry for entry in entries if entry.facts]


def kept_text(_folder: pathlib.Path, _recorded: Document) -> Document:
    """The figures of the journal of version 0.1, which is stored as text."""
    lines = gzip.decompress(KEPT_TEXT.read_bytes()).splitlines()
    return _stored_figures([(given, facts) for given, facts in (line.split(b"\t") for line in lines)])


def kept_file(folder: pathlib.Path, _recorded: Document) -> Document:
    """The figures of the first engine's journal, stored as a station's file; chain and signatures must be good."""
    path = folder / "station.db"
    shutil.copy(KEPT_FILE, path)
    command("journal", "verify", str(path))
    command("replay", str(path))
    return _stored_figures(stored_records(path))


def _stored_figures(records: list[Stored]) -> Document:
    return {"numbers_in_inputs": number_digests(given for given, _ in records), **journal_figures(records)}


def drawn_bundles(name: str) -> Case:
    """A protest bundle of each run of a drawn race, from a signed journal."""

    def case(folder: pathlib.Path, _recorded: Document) -> Document:
        path = folder / "station.db"
        journal = Journal(path, SIGNER)
        for entry in _raced(name, 0):
            journal.append([entry])
        journal.close()
        return _bundles(path, folder)

    return case


def meeting_bundles(seed: int, hours: float, faults: str) -> Case:
    """A protest bundle of each run of a simulated meeting."""

    def case(folder: pathlib.Path, _recorded: Document) -> Document:
        simulate(folder, "--seed", str(seed), "--hours", str(hours), "--faults", faults)
        [station] = folder.rglob("station.db")
        return _bundles(station, folder)

    return case


def kept_bundles(folder: pathlib.Path, _recorded: Document) -> Document:
    """A protest bundle of each run of the journal of the first engine."""
    path = folder / "station.db"
    shutil.copy(KEPT_FILE, path)
    return _bundles(path, folder)


def _bundles(journal: pathlib.Path, folder: pathlib.Path) -> Document:
    runs = journal_figures(stored_records(journal))["runs"]
    return {f"{run['race']} {run['run']}": _bundle(journal, run["race"], run["run"], folder) for run in runs}


def _bundle(journal: pathlib.Path, race: str, run: str, folder: pathlib.Path) -> Document:
    out = folder / f"{race}-{run}.zip"
    command("protest", run, "--race", race, "-o", str(out), "--journal", str(journal))
    case, _ = check_file(str(out))
    return {
        "race": case.race_id,
        "run": case.run_id,
        "score_ms": case.score_ms,
        "objections": len(case.discrepancies),
        "laps": [
            {"lap": number, "time_ns": lap["lap_ns"], "valid": lap["valid"], "penalty_ns": lap["penalty_ns"]}
            for number, lap in sorted(case.laps.items())
        ],
    }


CASES: dict[str, dict[str, Case]] = {
    "meetings": {
        "seed 1 without faults": meeting(1, 0.25, "none"),
        "seed 2 without faults": meeting(2, 0.25, "none"),
        **{f"seed {seed} with all faults": meeting(seed, 0.3333, "all") for seed in FAULTY_SEEDS},
    },
    "heats": {f"{cars} cars": heats(cars, cars, 2) for cars in (2, 3, 5)},
    "drawn_races": {f"{name} {number}": drawn(name, number) for name in DRAWN for number in range(DRAWS)},
    "kept_journals": {"version 0.1": kept_text, "first engine": kept_file},
    "bundles": {
        "first engine": kept_bundles,
        **{name: drawn_bundles(name) for name in DRAWN},
        "meeting of seed 11 with all faults": meeting_bundles(11, 0.3333, "all"),
    },
    "car": {
        "policy": policy_figures,
        "controller": controller_figures,
        "lap watcher": lap_watcher_figures,
        "recording": recording_figures,
    },
    "decoders": {"frames": frames_figures, "p3 capture": capture_figures(CAPTURE)},
}
SLOW = {
    ("meetings", "seed 2 without faults"),
    *(("meetings", f"seed {seed} with all faults") for seed in FAULTY_SEEDS[1:]),
    ("bundles", "meeting of seed 11 with all faults"),
    ("heats", "5 cars"),
    ("car", "recording"),
}
