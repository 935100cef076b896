"""Results of a race for the tests of exports and pages: names that are hard to write, times over a minute, ties."""

from dataclasses import replace

from shared.rules.ranking import RaceRules
from station.views.results.race_records import OfficialStamp
from station.views.results.race_results import LapResult, PlaceResult, RaceResults, RunResult

UTC = 1_772_719_387_123_000_000  # 2026-03-05T14:03:07.123Z
RULES = RaceRules(consecutive_laps=3, max_laps=8, time_limit_s=180, off_track_penalty_s=2, max_resets_per_lap=3)
NAMES = (
    "Grace Hopper",
    '=HYPERLINK("http://evil.example","A")',
    "TheFastAndTheCurious_RacingTeam_BLR_2026",
    "مريم الأسطرلابي من فريق السباق السريع جدا",
    "山田太郎レーシングチーム・東京",
    "🏁 Team Flag 🏁",
    'Ada, the "Countess"',
)


def lap(number: int, lap_ms: int, **changes: object) -> LapResult:
    ended = UTC + number * lap_ms * 1_000_000
    made = LapResult(number, lap_ms, lap_ms, 0, 0, 0, 0, True, number > 1, "gate", True, "", ended, 40_000)
    return replace(made, **changes)  # type: ignore[arg-type]


def run(number: int, racer: str, base_ms: int) -> RunResult:
    laps = (
        lap(1, base_ms + 3000, penalty_ms=2000, track_ms=base_ms + 1000, off_tracks=1),
        lap(2, base_ms),
        lap(3, base_ms + 100),
        lap(4, base_ms - 100),
        lap(5, base_ms + 900, counts=False, in_score=False, resets=4, reason="=cmd|'/c calc'!A1", confirmed=False),
    )
    return RunResult(
        f"run-{number}", racer, "car-1", "apex-v3", 1, "finished", True, False, UTC - 60_000_000_000, UTC,
        "all laps done", base_ms, 2, 4, base_ms - 100, laps,
    )  # fmt: skip


def sample(count: int = len(NAMES), *, official: bool = True, base_ms: int = 9412) -> RaceResults:
    """A race with `count` racers ranked; the second and third have the same score."""
    names = [NAMES[n] if n < len(NAMES) else f"Racer {n + 1}" for n in range(count)]
    scores = [base_ms + max(0, n - (n >= 2)) * 243 for n in range(count)]
    runs = tuple(run(n + 1, name, score) for n, (name, score) in enumerate(zip(names, scores, strict=True)))
    places = tuple(
        PlaceResult(
            n + 1,
            name,
            score,
            score - scores[0],
            score - scores[max(0, n - 1)],
            "earlier" if n in (1, 2) else "",
            40_000,
            2,
            f"run-{n + 1}",
            flag="DE" if n % 2 else "",
            team="Blue" if n % 3 else "",
            car="car-1",
            model="apex-v3",
            best_ms=score - 100,
            set_utc_ns=UTC,
        )
        for n, (name, score) in enumerate(zip(names, scores, strict=True))
    )
    return RaceResults(
        race_id="autumn-summit",
        name="Autumn Summit 2026",
        event="Summit Zürich",
        track="re:Invent 2018",
        direction="counterclockwise",
        kind="physical",
        state="official" if official else "open",
        rules=RULES,
        rules_version=2,
        time_zone="Europe/Zurich",
        places=places,
        runs=runs,
        official=OfficialStamp("Ruth", "Max", UTC + 600_000_000_000) if official else None,
        clock_trusted=True,
    )
