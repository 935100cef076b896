"""The leaderboard and a car's page as they are at the event of summit.py, for their pictures."""

import pathlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from leaderboard.app import create_app as leaderboard_app
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig
from leaderboard.credentials import Credentials
from shared.protocol.messages import CarState
from shared.protocol.results import encode_result
from shared.web.server import listen
from tests.leaderboard import sample_races
from tests.station.service.station_rig import S
from tests.system.look.summit import RACERS, RUNS, TEN_NS
from tests.vehicle.sample_parts import frame
from tests.vehicle.web.test_access import Site
from vehicle.core.messages import ControlTrace, LoopTelemetry
from vehicle.recordings.frame_feed import RecordedFrame, jpeg_of
from vehicle.web.model_list import ModelRow
from vehicle.web.server import ConsoleServer


@contextmanager
def leaderboard(folder: pathlib.Path) -> Iterator[str]:
    """The board with the races of the summit and of the one before."""
    board = open_board(folder / "board.db")
    for race_id, name in (("spring", "Spring Summit 2026"), ("qualifying", "Autumn Summit 2026, Qualifying")):
        board.create_race(sample_races.race(race_id, name=name, track="re:Invent 2018"), 1)
        for number, (racer, laps_s) in enumerate(RUNS if race_id == "qualifying" else RUNS[3:]):
            model = next(each.model for each in RACERS if each.alias == racer)
            times_ms = [round(lap_s * 1000) for lap_s in laps_s]
            one = sample_races.result(
                f"{race_id}-{number}", racer, times_ms, race_id=race_id, model=model,
                finished_utc_ns=TEN_NS + number * 120 * S,
            )  # fmt: skip
            board.apply(one.webhook_id, encode_result(one), 1)
    app, feed = leaderboard_app(board, Credentials((), "x" * 32), LeaderboardConfig(), lambda: TEN_NS + 1100 * S)
    server = ConsoleServer(app, listen("127.0.0.1", 0, "console"))
    server.start()
    yield f"http://127.0.0.1:{server.port}"
    feed.close()
    server.close()


class Models:
    """The models on Lena's car."""

    def rows(self) -> list[ModelRow]:
        shape = "one front camera; 10 actions; 3 layers"
        return [ModelRow(name, shape, name == "descent-41") for name in ("descent-41", "descent-38", "center-line-v3")]


@contextmanager
def car_console(folder: pathlib.Path) -> Iterator[tuple[str, str, Callable[[], None]]]:
    """Its address, its claim code, and what lets it report that it drives."""
    site = Site(folder, model_list=Models())  # type: ignore[arg-type]
    control = site.bench.control

    def report() -> None:
        control.on_guard_message(CarState(True, "driving", "", "descent-41", "5e" * 32, 70))
        control.on_guard_message(ControlTrace(1, "driving", 1, 0, 0.4, 1.0, 0.35, 0.4, 1_400_000, 1_390_000))
        stages = ((600, 600, 900), (20_000, 21_000, 38_000), (19_000, 20_000, 36_000), (900, 1_000, 1_400))
        ages = (21_000, 24_000, 40_000)
        control.on_guard_message(
            LoopTelemetry(900, 2, 0, 1, ages, (1_900,) * 3, 0.0, 0.0, *stages, "int8", "guard, pilot")
        )
        picture = frame(60)
        picture[120:, :] = 140
        picture[100:, 150:170] = 230
        control.on_picture(RecordedFrame(jpeg_of(picture), 1, 1))

    yield site.url, site.code, report
    site.server.close()
