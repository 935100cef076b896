"""The script that measures the walk of an edge: its tables add up, and two walks are the same call for call."""

import json
import pathlib

import pytest

from shared.link.mock import MockLink
from station.gates.mock import MockGate
from station.store.journal import Journal
from station.sync.verdict import verdict
from station.sync.webhook import WebhookLeaderboard
from tools.walk import ROOT, STRETCHES, Event, counted, leaf_files, main, moves, recorded, tree


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return recorded(mid_lap=False)


def test_two_walks_are_the_same_call_for_call(events: list[Event]) -> None:
    assert recorded(mid_lap=False) == events


def test_the_walk_goes_from_the_driver_over_the_journal_to_the_post(events: list[Event]) -> None:
    called = {stretch: [event.function for event in events if event.stretch == stretch] for stretch in STRETCHES}
    assert called["edge to commit"][0] == MockGate.edge.__qualname__
    assert called["edge to commit"][-1] == Journal.append.__qualname__
    assert MockLink.publish.__qualname__ in called["commit to published"]
    assert {WebhookLeaderboard.post.__qualname__, verdict.__qualname__} <= set(called["commit to posted"])


def test_an_edge_within_the_run_leaves_nothing_to_post() -> None:
    assert {event.stretch for event in recorded(mid_lap=True)} == set(STRETCHES[:2])


@pytest.mark.parametrize("leaves", [frozenset(), leaf_files()])
def test_the_folders_add_up_to_all(events: list[Event], leaves: frozenset[str]) -> None:
    figures = counted(list(moves(events, leaves)))
    for by_folder in figures.values():
        parts = [count for name, count in by_folder.items() if name != "all"]
        assert sum(count.files for count in parts) == by_folder["all"].files
        assert sum(count.moves for count in parts) == by_folder["all"].moves
    for name, count in figures["all"].items():
        assert sum(figures[stretch][name].moves for stretch in STRETCHES if name in figures[stretch]) == count.moves


def test_a_call_into_another_file_is_a_move_and_its_return_is_one() -> None:
    calls = [("a.py", True), ("b.py", True), ("leaf.py", True), ("leaf.py", False), ("b.py", True), ("b.py", False)]
    calls += [("b.py", False), ("c.py", True), ("c.py", False), ("a.py", False)]
    events = [Event("s", entered, file, "f") for file, entered in calls]
    assert [file for _, file in moves(events)] == ["a.py", "b.py", "leaf.py", "b.py", "a.py", "c.py", "a.py"]
    without = moves(events, frozenset({"leaf.py"}))
    assert [file for _, file in without] == ["a.py", "b.py", "a.py", "c.py", "a.py"]


@pytest.mark.parametrize("file", sorted(leaf_files()))
def test_each_leaf_helper_is_there(file: str) -> None:
    assert (ROOT / file).is_file()


def test_the_tree_names_the_file_of_each_call_that_changes_it(events: list[Event]) -> None:
    lines = list(tree(events, leaf_files()))
    assert [line.strip() for line in lines if "==" in line] == [f"== {stretch} ==" for stretch in STRETCHES]
    assert lines[1].split() == ["station/gates/mock.py", MockGate.edge.__qualname__]


def test_the_command_prints_the_tables_and_writes_the_figures(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--json", str(tmp_path / "walk.json")]) == 0
    figures = json.loads((tmp_path / "walk.json").read_text())
    assert figures["walk"] == "the last edge of a qualifying run"
    whole = figures["without leaf helpers"]["all"]["all"]
    assert capsys.readouterr().out.split("\n\n")[0].split()[-2:] == [str(whole["files"]), str(whole["moves"])]
