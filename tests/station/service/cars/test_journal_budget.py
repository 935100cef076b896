"""How much of the journal each car may fill."""

import dataclasses
import pathlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.protocol.messages import CarLap
from station.core import facts as f
from station.core import inputs as e
from station.service.cars.journal_budget import BURST_BYTES, BYTES_PER_HOUR, MAX_CARS, JournalBudget, stored_bytes
from station.store.journal import JournalEntry
from station.store.opening import open_journal

S = 1_000_000_000
BOOT = "39885805-fedc-4643-89b3-826c7b71d470"
TAKEN = e.Moment(BOOT, 10**15, 1_790_000_000 * S)
REPORT = e.CarReport("car-1", BOOT, 1, 10**15, BOOT, TAKEN, 9_123_456_789, 8_000_000, 1, 3, 10**15 + 5)


def report(seq: int, car: str = "car-1", boot: str = BOOT) -> e.CarReport:
    return dataclasses.replace(REPORT, car=car, boot=boot, seq=seq, at_ns=REPORT.at_ns + seq)


def test_an_hour_of_short_laps_fits() -> None:
    """A lap every four seconds without a pause, by a car that is on the track all the time, for three hours."""
    budget = JournalBudget()
    assert all(budget.takes(report(lap), lap * 4 * S) for lap in range(2_700))


def test_a_thousand_laps_that_waited_come_through_at_their_rate() -> None:
    """At most two a second, each sent again until there is room: all within a quarter of an hour, and none twice."""
    budget, taken, second = JournalBudget(), 0, 0
    while taken < 1_000:
        taken += sum(budget.takes(report(taken + each), second * S) for each in range(2))
        second += 1
    assert second < 900


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 900), st.integers(1, 300)), min_size=1, max_size=12))
def test_no_hour_takes_more_than_a_megabyte(bursts: list[tuple[int, int]]) -> None:
    budget, now_s, taken = JournalBudget(), 0, list[tuple[int, int]]()
    for wait_s, count in bursts:
        now_s += wait_s
        taken += [(now_s, stored_bytes(REPORT)) for seq in range(count) if budget.takes(report(seq), now_s * S)]
    for begin_s, _ in taken:
        in_an_hour = sum(size for at_s, size in taken if begin_s <= at_s <= begin_s + 3_600)
        assert in_an_hour <= BURST_BYTES + BYTES_PER_HOUR == 1_000_000


@pytest.mark.parametrize("car_boot", ["b", "b" * 36, "b" * 64, "c" * 500, "ü" * 512, "\U0001f600" * 512])
def test_the_journal_grows_by_no_more_than_is_counted(tmp_path: pathlib.Path, car_boot: str) -> None:
    boot, journal = car_boot[:64], open_journal(tmp_path)
    reports = [dataclasses.replace(report(seq, boot=boot), car_boot=car_boot) for seq in range(1, 202)]
    entries = [JournalEntry(each, (f.CarReportStored(each.car, each.boot, each.seq, "run-12"),)) for each in reports]
    journal.append(entries[:1])
    journal.close()
    before = (tmp_path / "station.db").stat().st_size
    journal = open_journal(tmp_path)
    for begin in range(1, 201, 10):
        journal.append(entries[begin : begin + 10])
    journal.close()
    grown = (tmp_path / "station.db").stat().st_size - before
    assert grown <= sum(stored_bytes(each) for each in reports[1:]) + 8_192


def test_another_cars_flood_takes_nothing_of_mine() -> None:
    budget = JournalBudget()
    for seq in range(3_000):
        budget.takes(report(seq, "evil"), seq * S // 100)
    assert not budget.takes(report(9_999, "evil"), 30 * S)
    assert budget.takes(report(1), 30 * S)


def test_models_count_too() -> None:
    """A car that tells of another model in each state: the attack on the journal that lap reports no longer are."""
    budget = JournalBudget()
    changes = [e.CarModel(REPORT.taken, "evil", True, "m" * 500, f"{number:064}") for number in range(20_000)]
    taken = sum(stored_bytes(each) for number, each in enumerate(changes) if budget.takes(each, number * S // 50))
    assert taken <= 1_000_000


def test_invented_names_take_no_memory() -> None:
    budget = JournalBudget()
    for number in range(3 * MAX_CARS):
        budget.takes(report(1, f"e{number}"), number)
    assert len(budget._cars) == MAX_CARS


def test_a_lap_report_has_no_field_that_is_not_counted() -> None:
    """Whoever adds a text to it must see that its length is part of what is counted: it is, as all of the input."""
    longest = dataclasses.replace(REPORT, car_boot="c" * 512, boot="b" * 64)
    assert stored_bytes(longest) - stored_bytes(REPORT) >= 512 + 64 - 2 * len(BOOT)
    assert {field.name for field in dataclasses.fields(CarLap)} >= {"at_ns", "car_boot"}
