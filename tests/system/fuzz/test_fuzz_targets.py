"""Every fuzz target takes a few drawn inputs here; the campaign is `./dev bench fuzz`. And what it would report."""

import json
import pathlib
import random
from collections.abc import Callable

import pytest

from bench.fuzz.campaign import fuzzed
from bench.fuzz.mutation import MAX_BYTES, Mutator
from bench.fuzz.target import FuzzTarget
from bench.fuzz.targets import TARGETS
from bench.fuzz.trial import FuzzHang, FuzzTrial

INPUTS = 25


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_a_parser_refuses_what_it_cannot_read(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    target = TARGETS[name]()
    mutator = Mutator(target.seeds, random.Random(name))
    with FuzzTrial(target) as trial:
        for data in (*target.seeds, *(mutator.draw() for _ in range(INPUTS))):
            trial.one(data)
    hangs = [key for key in trial.escapes if key.startswith(FuzzHang.__name__)]  # a busy machine's first import may
    assert {key: each.sentence for key, each in trial.escapes.items() if key not in hangs} == {}
    assert trial.inputs == len(target.seeds) + INPUTS


def planted(data: bytes) -> None:
    if data == b"refused":
        raise ValueError("no")
    if data.startswith(b"fault"):
        json.loads(b"{")
    while data == b"hang":
        pass


def test_faults_and_hangs_are_found_once_each_and_refusals_are_none() -> None:
    with FuzzTrial(FuzzTarget(planted, [], (ValueError,))) as trial:
        for data in (b"", b"refused", b"fault"):  # JSONDecodeError is a ValueError: allowed here
            trial.one(data)
        assert (trial.inputs, trial.refused, trial.escapes) == (3, 2, {})
    with FuzzTrial(FuzzTarget(planted, [], ())) as trial:
        for data in (b"fault 1", b"fault 2", b"hang"):
            trial.one(data)
    kinds = [(each.kind, each.data) for each in trial.escapes.values()]
    assert kinds == [("JSONDecodeError", b"fault 1"), ("FuzzHang", b"hang")]
    assert trial.slowest == b"hang"


def test_a_process_reports_and_one_that_dies_is_an_escape(tmp_path: pathlib.Path) -> None:
    row = fuzzed("status-lines", "mutation", 0.1, tmp_path)
    assert (row["name"], row["engine"], row["escapes"]) == ("status-lines", "mutation", {})
    assert row["inputs"] > 100
    assert list((tmp_path / "corpus" / "status-lines").iterdir())
    died = fuzzed("no such parser", "mutation", 0.1, tmp_path)
    assert died["escapes"] == {"the process ended with 1": f"see {tmp_path / 'no such parser.log'}"}


@pytest.mark.parametrize("seeds", [[], [b""], [b"a word", bytes(range(256)) * 40]])
def test_drawn_inputs_are_within_bounds_repeatable_and_not_all_alike(seeds: list[bytes]) -> None:
    draw: Callable[[], list[bytes]] = lambda: [Mutator(seeds, random.Random(1)).draw() for _ in range(1)]  # noqa: E731
    assert draw() == draw()
    mutator = Mutator(seeds, random.Random(2))
    drawn = [mutator.draw() for _ in range(300)]
    assert max(map(len, drawn)) <= MAX_BYTES
    assert len(set(drawn)) > 100
