"""A run that is timed by hand because the gate is dead: how race control offers it, and where it is marked."""

from dataclasses import replace

from station.views.race_views import StandingLine
from station.web.pages.operate.presenter import control_data
from station.web.pages.operate.queue_lines import queue_panel
from station.web.pages.operate.run_cards import run_cards
from station.web.pages.operate.steps import run_controls
from station.web.presenters.laps import lap_lines, place_lines
from station.web.presenters.visitors import visitor_view
from tests.station.web.event_station import RULES
from tests.station.web.operate_views import ARMED_RUN, CALLED, with_runs
from tests.station.web.sample_views import GATE, RUN, lap


def test_a_dead_gate_offers_to_time_the_run_by_hand() -> None:
    assert [act.id for act in queue_panel(CALLED).acts] == ["open-next", "no-show"]
    for dead in (replace(GATE, alive=False), replace(GATE, stuck=("front",))):
        first = replace(CALLED.queue.lines[0], car="car-1")
        view = replace(CALLED, gates=(dead,), queue=replace(CALLED.queue, lines=(first,)))
        opened, by_hand, _ = queue_panel(view).acts
        assert (by_hand.command, by_hand.flags, by_hand.texts) == ("open_run", ("hand_timed",), opened.texts)
        assert by_hand.ask.startswith("Time this run by hand")
        assert control_data(view)["gate_ready"] is False
    nobody = replace(view, cars=(), queue=replace(view.queue, lines=(replace(view.queue.lines[0], car=""),)))
    assert queue_panel(nobody).acts[1].dialog == "add", "the car is asked for first"


def test_the_crossing_is_what_comes_next() -> None:
    waiting = replace(ARMED_RUN, hand_timed=True)
    given = replace(waiting, released=True)
    assert run_controls(with_runs(CALLED, waiting), waiting).next.id != "hand-time"
    controls = run_controls(with_runs(CALLED, given), given)
    assert (controls.next.id, controls.next.key, controls.next.tone) == ("hand-time", "t", "primary")
    assert "each time" in controls.next_why
    assert "finish" in [act.id for act in controls.end]
    [card] = run_cards(with_runs(CALLED, given))
    assert card.uncertainty == "± 100 ms"
    shown = visitor_view(with_runs(CALLED, given)).run
    assert shown is not None
    assert shown.hand_timed, "spectators see it too"


def test_its_place_is_marked() -> None:
    line = StandingLine(1, "Ada", 9_000, 0, 0, False, 1, "", hand_timed=True)
    marked, plain = place_lines(replace(CALLED, standing=(line, replace(line, rank=2, hand_timed=False))))
    assert (marked.hand_timed, plain.hand_timed) == (True, False)


def test_its_laps_say_so() -> None:
    run = replace(RUN, laps=(lap(1, 9_000, source="hand"), lap(2, 9_100)))
    assert ["timed by hand, ±0.1 s" in line.detail for line in lap_lines(run, RULES)] == [False, True]
