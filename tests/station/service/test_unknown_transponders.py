"""An unknown transponder in the whole station: shown once it is stored, assigned, and remembered over a restart."""

import json
import pathlib
from dataclasses import replace

import pytest

from station.commands.replay import check
from station.core import inputs as e
from station.views.command_answers import Accepted
from station.views.race_views import UnknownTransponderView
from station.web.command_parser import parse_command
from tests.station.service.station_rig import Rig, S


class Loop(Rig):
    """A decoder's loop, in place of a beam."""

    seq = 0

    def read(self, transponder: str, after_s: float) -> None:
        self.wait(round(after_s * S))
        self.seq += 1
        now_ns = self.clock.now_ns()
        self.station.received.gate_event(
            e.Edge("start", "beam", True, now_ns, self.seq, f"{self.clock.boot_id}/x.1", transponder=transponder)
        )
        self.settle()

    def order(self, **fields: str) -> Accepted:
        answer = self.give(parse_command({"command": "assign_transponder", **fields}, "judge"))
        assert isinstance(answer, Accepted)
        return answer


@pytest.fixture
def loop(tmp_path: pathlib.Path) -> Loop:
    made = Loop(tmp_path / "station.db")
    made.setup = replace(made.setup, transponders=(e.Transponder("11", car="car-1"),))
    made.restart()
    return made


def test_a_stranger_is_shown_given_and_kept(loop: Loop) -> None:
    loop.open()
    loop.go()
    loop.read("13499724", 5)
    assert loop.station.snapshot().unknown_transponders == (UnknownTransponderView("13499724", 1),)
    loop.read("13499724", 10)
    loop.restart()
    assert loop.station.snapshot().unknown_transponders == (UnknownTransponderView("13499724", 2),)
    loop.order(transponder="cd:fd:4c", car="car-1")  # as another program shows it
    view = loop.station.snapshot()
    assert view.unknown_transponders == ()
    assert view.run is not None
    assert [lap.lap_ns for lap in view.run.laps] == [10 * S]
    loop.restart()
    loop.read("13499724", 11)
    shown = loop.station.snapshot().run
    assert shown is not None
    assert len(shown.laps) == 2
    check(loop.station.journal)
    names = [name for facts in loop.facts() for name, _ in json.loads(facts)]
    assert names.count("UnknownTransponder") == 2
    loop.station.close()
