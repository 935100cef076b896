"""Bundles that were made to take a checker's memory or time, or to hide where the race began: each falls in a sentence.

The bombs are those of the field: quoted overlaps (David Fifield, "A better zip bomb"), one name a million times, a
method that unpacks without a bound, and JSON whose parsed form is fifty times its text.
"""

import csv
import io
import json
import os
import pathlib
import subprocess
import sys
import zipfile
from collections.abc import Callable

import pytest

from shared.rules.ranking import RaceRules
from station.commands.protest import main
from station.core import inputs as e
from station.core.event.commands import ChangeRace
from station.core.facts import CommandRefused
from station.evidence import limited_check
from station.evidence.bundle import make_bundle
from station.evidence.bundle_files import MANIFEST, POINTS, RECORDS, FilesInMemory
from station.evidence.limited_check import MAX_MEMORY_BYTES, check_in_child
from station.evidence.recompute import recompute_run
from station.evidence.verify import check_and_print, check_file, read_records
from station.store.journal import Journal, JournalEntry
from tests.station.core.scripted_race import Hand, S, moment, only
from tests.station.evidence.test_bundle_attacks import Files, genuine, packed
from tests.station.evidence.test_evidence import SIGNER

__all__ = ["genuine"]
MIB = 1 << 20


def zeros(path: pathlib.Path, files: Files, name: str, mib: int, method: int = zipfile.ZIP_DEFLATED) -> str:
    """The bundle with one more file, or another content, that unpacks to so much."""
    with zipfile.ZipFile(path, "w", method) as bundle:
        for each, data in files.items():
            if each != name:
                bundle.writestr(each, data)
        with bundle.open(zipfile.ZipInfo(name), "w") as file:
            for _ in range(mib):
                file.write(b"[]" * (MIB // 2))
    return str(path)


def packed_by(method: int) -> Callable[[pathlib.Path, Files], str]:
    def pack(path: pathlib.Path, files: Files) -> str:
        with zipfile.ZipFile(path, "w", method) as bundle:
            for name, data in files.items():
                bundle.writestr(name, data)
        return str(path)

    return pack


def lying(path: pathlib.Path, files: Files) -> str:
    """The directory says that the records have a few bytes; packed they have many megabytes."""
    packed_path = pathlib.Path(zeros(path, files, RECORDS, 40))
    data = bytearray(packed_path.read_bytes())
    at = data.rindex(RECORDS.encode()) - 46  # in the directory, where the sizes stand
    assert data[at : at + 4] == b"PK\x01\x02"
    data[at + 24 : at + 28] = (1000).to_bytes(4, "little")
    packed_path.write_bytes(data)
    return str(path)


def many_files(path: pathlib.Path, files: Files) -> str:
    with zipfile.ZipFile(path, "w") as bundle:
        for number in range(20_000):
            bundle.writestr(f"{number}", b"")
    return str(path)


def long_line(path: pathlib.Path, files: Files) -> str:
    return packed(path, {**files, RECORDS: b"[" + b"0," * (17 * MIB) + b"0]\n"})


BOMBS: dict[str, tuple[Callable[[pathlib.Path, Files], str], str]] = {
    "records of a gigabyte": (lambda path, files: zeros(path, files, RECORDS, 200), "larger than any run's bundle"),
    "signatures": (lambda path, files: zeros(path, files, POINTS, 5), "checkpoints.json is larger than"),
    "a manifest": (lambda path, files: zeros(path, files, MANIFEST, 5), "manifest.json is larger than"),
    "bzip2": (packed_by(zipfile.ZIP_BZIP2), "packed in a way"),
    "lzma": (packed_by(zipfile.ZIP_LZMA), "packed in a way"),
    "sizes that lie": (lying, "does NOT stand"),
    "many files": (many_files, "holds 20000 files"),
    "one long line": (long_line, "a line of journal.jsonl is longer than any record"),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_falls_before_it_is_parsed(
    bomb: str, genuine: Files, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack, sentence = BOMBS[bomb]
    assert check_and_print(pack(tmp_path / "b.zip", genuine), frozenset()) == 1
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


# In a process of its own: a child's most memory counts that of whoever started it, and a test's is large.
MEASURED = """
import resource, sys
from station.evidence.limited_check import check_in_child
code = check_in_child(sys.argv[1], frozenset())
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def test_what_is_within_all_counts_is_held_by_the_childs_limits(
    genuine: Files, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # 30 MB of `[]` in one line would be 800 MB of lists.
    path = packed(tmp_path / "b.zip", {**genuine, RECORDS: b'{"seq":[' + b"[]," * (10 * MIB) + b"0]}\n"})
    measured = subprocess.run([sys.executable, "-c", MEASURED, path], capture_output=True, text=True, check=True)
    code, kib = map(int, measured.stdout.split())
    assert code == 1
    assert "it wants more memory than any run's bundle" in measured.stderr
    assert kib * 1024 <= MAX_MEMORY_BYTES < 512 * MIB
    assert limited_check.MAX_CPU_S < limited_check.MAX_S < 30
    # The child that has no time left is ended, whatever it is doing.
    assert check_in_child(path, frozenset(), cpu_s=0) == 1
    assert "processor time" in capsys.readouterr().err
    assert check_in_child(path, frozenset(), wait_s=0.0) == 1
    assert "takes longer than 0 s" in capsys.readouterr().err


def test_what_is_no_file_is_not_waited_for(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "pipe.zip")
    for path in (tmp_path / "pipe.zip", tmp_path, pathlib.Path("/dev/zero")):
        assert check_and_print(str(path), frozenset()) == 1
    assert capsys.readouterr().err.count("is no file") == 3


def test_the_program_in_the_bundle_and_a_folder_of_a_stranger_are_not_run(
    genuine: Files, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("json", "zipfile", "hashlib", "resource", "signal"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a stranger was here')")
    monkeypatch.chdir(tmp_path)
    assert main(["--check", packed(tmp_path / "b.zip", genuine)]) == 0
    assert "are intact" in capsys.readouterr().out


def without(files: Files, kept: Callable[[str, str], bool]) -> Files:
    """The bundle from its first record for which `kept` (input, facts) holds: what came before is cut off."""
    rows = files[RECORDS].splitlines(keepends=True)
    parsed = [json.loads(row) for row in rows]
    at = next(number for number, row in enumerate(parsed) if kept(row["input"], row["facts"]))
    said = json.loads(files[MANIFEST]) | {"first_seq": parsed[at]["seq"], "hash_before": parsed[at - 1]["hash"]}
    return {**files, RECORDS: b"".join(rows[at:]), MANIFEST: json.dumps(said).encode()}


CUTS: dict[str, Callable[[str, str], bool]] = {
    "the station's start": lambda given, _: '"OpenRace"' in given,
    "the race's rules": lambda given, _: '"OpenRun"' in given,
    "the run's opening": lambda given, _: '"ArmRun"' in given or '"StartRun"' in given or '"Edge"' in given,
}


@pytest.mark.parametrize("cut", CUTS)
def test_a_bundle_whose_beginning_was_cut_off_falls(cut: str, genuine: Files) -> None:
    records = list(read_records(FilesInMemory(without(genuine, CUTS[cut]))))
    booted = next(record for record in read_records(FilesInMemory(genuine)) if b'"Booted"' in record.input)
    for there in (records, [*records, booted]):  # a later start of the station does not stand in for the first
        run = recompute_run("run-1", there)
        assert any("a part is missing" in each or "hold no run" in each for each in run.discrepancies)


def stored(hand: Hand, path: pathlib.Path) -> pathlib.Path:
    journal = Journal(path, SIGNER)
    for event, facts in zip(hand.inputs, hand.facts, strict=True):
        if facts:
            journal.append([JournalEntry(event, facts)])
    journal.close()
    return path


def test_a_run_is_judged_by_the_races_newest_rules_and_by_none_that_were_refused(tmp_path: pathlib.Path) -> None:
    hand = Hand(RaceRules(max_laps=3))
    hand.drive([1, 9, 17, 25])
    refused = hand.do(e.OpenRace(moment(90 * S), "race-1", "The race", RaceRules(max_laps=1)))
    assert only(refused, CommandRefused)
    rules = RaceRules(max_laps=3, method="best_lap", consecutive_laps=1)
    hand.do(ChangeRace(author="Ruth", race_id="race-1", rules=rules, reason="as announced", moment=moment(100 * S)))
    sentence = make_bundle(stored(hand, tmp_path / "a.db"), "run-1", tmp_path / "a.zip")
    assert "but" not in sentence
    run, _ = check_file(str(tmp_path / "a.zip"))
    assert (run.discrepancies, run.score_ms) == ([], 8_000)


def test_no_cell_of_a_bundle_is_a_formula(tmp_path: pathlib.Path) -> None:
    hand = Hand(RaceRules(max_laps=3))
    hand.drive([1, 9, 17, 25])
    reason = '=HYPERLINK("http://evil.example","x")'
    hand.do(e.AddPenalty(author="+cmd", reason=reason, number=2, seconds=1.5, run_id="run-1", moment=moment(70 * S)))
    make_bundle(stored(hand, tmp_path / "a.db"), "run-1", tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as bundle:
        rows = list(csv.reader(io.StringIO(bundle.read("rulings.csv").decode(), newline="")))
    assert rows[-1][1:4] == ["AddPenalty", "'+cmd", f"'{reason}"]
    assert check_and_print(str(tmp_path / "a.zip"), frozenset()) == 0


def utf_16(data: bytes) -> bytes:
    return data.decode().encode("utf-16")


def twice(data: bytes) -> bytes:
    """The first name of the first object stands twice; Python's own reader takes the second."""
    began = data.index(b"{") + 1
    return data[:began] + b'"run_id": "run-9", "seq": 9, ' + data[began:]


@pytest.mark.parametrize(("name", "bend"), [
    (RECORDS, utf_16), (POINTS, utf_16), (MANIFEST, utf_16), (RECORDS, twice), (MANIFEST, twice),
])  # fmt: skip
def test_what_another_reader_reads_otherwise_falls(
    name: str, bend: Callable[[bytes], bytes], genuine: Files, tmp_path: pathlib.Path
) -> None:
    files = {**genuine, name: bend(genuine[name])}
    assert check_and_print(packed(tmp_path / "b.zip", files, name != MANIFEST), frozenset()) == 1
