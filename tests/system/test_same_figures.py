"""Races, journals, evidence bundles, decoders and the car give exactly the figures that were recorded.

The figures in `figures/` contain no name of the program: they survive moves and renamings, and show that
such a change changed nothing else. If a rule is changed on purpose, record_figures.py writes them again.
"""

import json
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.system.figure_cases import CASES, SLOW
from tests.system.record_figures import compute, read

MAX_SHOWN = 10


def differences(recorded: Any, found: Any, place: str = "") -> Iterator[str]:
    """One sentence for each value that differs from the recorded one."""
    if isinstance(recorded, dict) and isinstance(found, dict):
        for name in [*recorded, *(name for name in found if name not in recorded)]:
            yield from differences(recorded.get(name), found.get(name), f"{place}/{name}")
    elif isinstance(recorded, list) and isinstance(found, list):
        if len(recorded) != len(found):
            yield f"{place}: {len(recorded)} were recorded, now there are {len(found)}"
        for number, (one, other) in enumerate(zip(recorded, found, strict=False)):
            yield from differences(one, other, f"{place}/{number}")
    elif (recorded, type(recorded)) != (found, type(found)):
        yield f"{place}: recorded {json.dumps(recorded)}, now {json.dumps(found)}"


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        pytest.param(kind, name, marks=[pytest.mark.slow] if (kind, name) in SLOW else [])
        for kind, cases in CASES.items()
        for name in cases
    ],
)
def test_the_figures_are_those_that_were_recorded(kind: str, name: str, tmp_path: pathlib.Path) -> None:
    recorded = read(kind)[name]
    found = compute(CASES[kind][name], tmp_path, recorded)
    changed = list(differences(recorded, found))
    assert not changed, f"{len(changed)} figures differ:\n" + "\n".join(changed[:MAX_SHOWN])


@pytest.mark.parametrize("kind", CASES)
def test_every_recorded_case_is_compared(kind: str) -> None:
    assert list(read(kind)) == list(CASES[kind])


@pytest.mark.parametrize(
    ("found", "place"),
    [
        ({"laps": [{"lap": 1, "time_ns": 5}, {"lap": 2, "time_ns": 8}]}, "/laps/1/time_ns: recorded 7, now 8"),
        ({"laps": [{"lap": 1, "time_ns": 5}]}, "/laps: 2 were recorded, now there are 1"),
        ({"laps": [{"lap": 1, "time_ns": 5.0}, {"lap": 2, "time_ns": 7}]}, "/laps/0/time_ns: recorded 5, now 5.0"),
        ({"laps": [{"lap": 1, "time_ns": 5}, {"lap": True, "time_ns": 7}]}, "/laps/1/lap: recorded 2, now true"),
        ({"laps": [{"lap": 1, "time_ns": 5}, {"lap": 2, "time_ns": 7, "held": True}]}, "/laps/1/held: recorded null"),
        ({}, "/laps: recorded"),
    ],
)
def test_a_difference_is_named_by_its_place(found: Any, place: str) -> None:
    recorded = {"laps": [{"lap": 1, "time_ns": 5}, {"lap": 2, "time_ns": 7}]}
    [sentence] = differences(recorded, found)
    assert sentence.startswith(place)
    assert list(differences(recorded, json.loads(json.dumps(recorded)))) == []
