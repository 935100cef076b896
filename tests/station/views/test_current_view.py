"""Between two reads of sync's status, the pages never claim that everything is posted while a result waits."""

from station.views.current_view import CurrentView
from station.views.system_views import ClockView, SyncView


def screen() -> CurrentView:
    return CurrentView("station-1", lambda: ClockView("boot-1", 0, 0, 1.0))


def test_a_result_that_just_became_due_is_pending_before_sync_is_looked_at_again() -> None:
    shown = screen()
    shown.update(sync=SyncView(2, 1, 0, 1, True, "Every result is posted."))
    version = shown.snapshot().version
    shown.results_due(3)
    view = shown.snapshot()
    assert (view.sync.due, view.sync.posted, view.sync.rejected, view.sync.pending) == (3, 1, 1, 1)
    assert "waiting" in view.sync.sentence
    assert view.version > version


def test_a_look_that_was_taken_before_does_not_take_it_back() -> None:
    shown = screen()
    shown.results_due(1)
    shown.update(sync=SyncView(0, 0, 0, 0, True, "No result is due yet."))
    assert shown.snapshot().sync.pending == 1
    shown.update(sync=SyncView(1, 1, 0, 0, True, "Every result is posted."))
    assert shown.snapshot().sync.sentence == "Every result is posted."


def test_what_changes_nothing_wakes_nobody() -> None:
    shown = screen()
    shown.results_due(1)
    version = shown.snapshot().version
    shown.results_due(1)
    assert shown.wait_for_change(version, 0.0) is None
