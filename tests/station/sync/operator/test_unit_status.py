"""How posting goes, in the line that sync tells systemd and the doctor reads."""

import pytest

from shared.process.service_state import NotifyResult
from station.sync.operator.results_line import ReportedResults, read_results_line, reported_results
from station.sync.operator.unit_status import TELL_NS, SyncUnitStatus
from station.views.system_views import SyncView


@pytest.mark.parametrize(
    ("results", "line", "is_good"),
    [
        (ReportedResults(0, 0, 0, "No result is due yet."), "0 posted, 0 waiting, 0 rejected: No result", True),
        (ReportedResults(12, 0, 0, "Every result is posted."), "12 posted, 0 waiting, 0 rejected: Every", True),
        (ReportedResults(3, 2, 0, "Connection refused. a.0 waits (2 tries so far)."), "3 posted, 2 waiting", None),
        (ReportedResults(3, 0, 1, "a.0 was rejected (422): no."), "1 rejected: a.0 was rejected (422): no.", False),
        (ReportedResults(0, 1, 0, "no race race-9.", race_unknown=True), "0 rejected (race unknown): no race", False),
    ],
)
def test_what_is_told_is_read_again(results: ReportedResults, line: str, is_good: bool | None) -> None:
    assert line in results.line()
    assert read_results_line(results.line()) == results
    assert results.is_good is is_good


@pytest.mark.parametrize("line", ["", "gates: start ready", "results: 1 posted", "results: x posted, 0 waiting", "\n"])
def test_what_sync_did_not_tell_is_nothing(line: str) -> None:
    assert read_results_line(line) is None


def test_a_sentence_of_a_leaderboard_makes_no_second_line() -> None:
    view = SyncView(2, 1, 1, 0, alive=True, sentence="first\nREADY=1\n  last", race_unknown=True)
    assert (
        reported_results(view).line() == "results: 1 posted, 1 waiting, 0 rejected (race unknown): first READY=1 last"
    )


def test_news_are_told_once_a_second_until_systemd_has_taken_them() -> None:
    views = [SyncView(n, 0, n, 0, alive=True, sentence="Posting.") for n in (1, 1, 1, 2, 3)]
    answers: list[NotifyResult] = ["not sent", "sent", "sent", "no manager"]
    told: list[str] = []

    def tell(line: str) -> NotifyResult:
        told.append(line[9:29])
        return answers[len(told) - 1]

    status = SyncUnitStatus(lambda: views.pop(0), tell)
    for at_ns in (0, 1, TELL_NS - 1, TELL_NS, 2 * TELL_NS, 3 * TELL_NS, 4 * TELL_NS):
        status.update(at_ns)
    assert told == ["0 posted, 1 waiting,"] * 2 + ["0 posted, 2 waiting,", "0 posted, 3 waiting,"]
    assert not views
