"""The longest and strangest texts that a page may have to show, for the geometry tests."""

from dataclasses import replace

from shared.rules.ranking import RaceRules
from station.core.facts import Proposal
from station.views.car_views import CarStopView, StopView
from station.views.race_views import StandingLine
from station.views.views import View
from tests.station.web.sample_views import CAR, FULL_GATE, MS, RACE, RUN, SPARE, SPLIT, TROUBLE, VIEW, S, lap

NAMES = (
    "TheFastAndTheCurious_RacingTeam_BLR_2026",  # 40 characters without a space
    "reinforcement.learning@racing.example.or",
    "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
    "深度强化学习自动驾驶赛车队第一名无敌闪电超级快速冠军争夺者联盟总决赛代表队伍火箭之星",
    "سباقالسياراتالذاتيةالقيادةفريقالصقورالأول",
    "👩‍👩‍👧‍👦🏎️🏁🚀👩‍👩‍👧‍👦🏎️🏁🚀👩‍👩‍👧‍👦🏎️🏁🚀",
    "Großmutter Łukasiewicz-Żółć von Ångström",
    "Al",
)
SLOW_MS = 599_999  # 9:59.999


def names(many: int) -> list[str]:
    return [NAMES[n % len(NAMES)] if n < len(NAMES) else f"{NAMES[n % len(NAMES)][:36]}-{n}" for n in range(many)]


STANDING = tuple(
    StandingLine(
        rank,
        racer,
        SLOW_MS - 99 + rank - 1 if rank > 1 else 9_412,
        SLOW_MS if rank > 1 else 0,
        SLOW_MS if rank > 1 else 0,
        rank % 3 == 0,
        3,
        "",
    )
    for rank, racer in enumerate(names(99), 1)
)
SLOW_LAPS = (
    lap(1, SLOW_MS, off_tracks=12, penalty_ns=600 * S),
    lap(2, SLOW_MS, valid=False, reason="Marshal_stood_in_the_beam_" * 4),
    lap(3, SLOW_MS, confirmed=False, collisions=3),
    *(lap(number, SLOW_MS - number) for number in range(4, 100)),
)
LONG_RULES = RaceRules(
    consecutive_laps=3, max_laps=99, time_limit_s=3599, off_track_penalty_s=2.5, collision_penalty_s=3.5
)
LONG_RACE = replace(RACE, name="W" * 40, track="reInvent2019_wide_mirrored_with_a_long_name", rules=LONG_RULES)
LONG_RUN = replace(
    RUN,
    racer=NAMES[0],
    car="c" * 64,
    model="m" * 64,
    attempt=99,
    laps=SLOW_LAPS,
    lap_number=100,
    lap_started_ns=VIEW.clock.now_ns - 599 * S,
    ends_ns=VIEW.clock.now_ns + 3599 * S,
    best_ns=SLOW_MS * MS,
    score_ms=SLOW_MS,
    lap_off_tracks=99,
    lap_collisions=99,
    lap_resets=99,
    proposals=(Proposal("run-7", "missed_crossing", 150 * S, "c" * 64, "C" * 64 + " passed the gate after lap 4."),),
    flagged=(150 * S, 151 * S),
)
LONG = replace(
    VIEW,
    station="station-of-the-very-long-name-in-hall-12",
    race=LONG_RACE,
    run=LONG_RUN,
    standing=STANDING,
    gates=(replace(FULL_GATE, name="g" * 40), SPLIT),
    cars=(replace(CAR, name="c" * 64, model="m" * 64), replace(SPARE, name="d" * 64, online=False)),
    sync=replace(VIEW.sync, sentence="x" * 120),
)
FINISHED = replace(
    LONG,
    run=replace(
        LONG_RUN,
        phase="finished",
        finished_reason="The time limit of 1:00:00 was reached.",
        lap_started_ns=None,
        ends_ns=None,
    ),
)
IDLE = replace(LONG, run=None, standing=())
MANY = replace(
    LONG,
    race=replace(LONG_RACE, cars_on_track=6),
    runs=tuple(
        replace(
            LONG_RUN,
            run_id=f"run-{n}",
            racer=racer,
            laps=tuple(replace(each, run_id=f"run-{n}") for each in SLOW_LAPS[:4]),
            lap_number=5,
            proposals=(),
            flagged=(),
        )
        for n, racer in enumerate(NAMES[:6])
    ),
)
STOPPED = StopView(
    True,
    author="W" * 80,
    at_utc_ns=1_790_000_100 * S,
    connected=False,
    lease_ms=60_000,
    cars=tuple(
        CarStopView(f"{n}{'c' * 63}", outcome, "driving", 59_900, 1_790_000_040 * S, "b" * 36)  # type: ignore[arg-type]
        for n, outcome in enumerate(("unreached", "ordered", "stopped", "unreached", "ordered", "unreached"))
    ),
)
THREE = replace(
    VIEW,
    race=replace(RACE, cars_on_track=3),
    runs=tuple(
        replace(RUN, run_id=f"run-{n}", racer=racer, car=car, model=model)
        for n, (racer, car, model) in enumerate(
            (
                ("Ada Lovelace", "car-aurora", "center-line-v3"),
                ("Grace Hopper", "car-borealis", "apex-hunter"),
                ("Katherine Johnson", "car-3", ""),
            ),
            5,
        )
    ),
)
STATES: dict[str, View] = {
    "usual": VIEW,
    "long": LONG,
    "finished": FINISHED,
    "idle": IDLE,
    "three": THREE,
    "many": MANY,
    "test": replace(LONG, mode="test"),
    "trouble": replace(TROUBLE, standing=STANDING),
    "stopped": replace(LONG, stop=STOPPED),
}
