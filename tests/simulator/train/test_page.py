"""The page of a training: what it says in each language, and how a browser shows it; nothing of a name is run."""

import math
import pathlib
import re

import pytest
from playwright.sync_api import Browser, expect

from simulator.train.progress import COLUMNS, DriveTally, ProgressTable
from simulator.train.progress_page.curves import HEIGHT, MEAN_OF, WIDTH, drawn_curves, ticks
from simulator.train.progress_page.view import TrainingEnd, TrainingPlan, TrainingView
from simulator.train.progress_page.write import RENEW_MS, SILENT_MS, write_pages
from simulator.train.scores import CheckpointScore, Scores, best_checkpoint, why_best_checkpoint
from tests.browser import SCHEMES, bring_axe, in_scheme, violations
from tests.english_left import english_left, texts_of
from tests.geometry import look

STEP = {"speed_mps": 1.5, "lap_complete": False, "off_track": False, "crashed": False, "laps": 1, "progress": 25.5}
PLAN = TrainingPlan("mine", "ppo", ("reinvent_base",), frames=100_000, checkpoint_every=20_000, laps=16)
SCORES = {20_480: CheckpointScore(12, 80.25, 1.2), 40_960: CheckpointScore(12, 97.5, 1.15)}
NOON_NS = 1_790_000_000_000_000_000


def filled(path: pathlib.Path) -> ProgressTable:
    """A table of two rows: an off-track and an episode in the first, a lap in the second."""
    table = ProgressTable(path, append=False)
    table.add([STEP, {**STEP, "off_track": True, "episode": {"r": 3.0, "l": 30}}])
    assert "reward 3.00, 2.0 s an episode, 1.50 m/s" in table.row(32)
    table.add([{**STEP, "lap_complete": True}, {**STEP, "episode": {"r": 9.0, "l": 60}}])
    assert "0.0 off-tracks in 100 m, 1 laps" in table.row(64)
    return table


def row(steps: int, **values: float) -> dict[str, float]:
    """A row of progress."""
    return dict.fromkeys(COLUMNS, 1.0) | {"crashes_per_100m": 0.0, "loss": math.nan, "steps": steps} | values


def learning(count: int) -> list[dict[str, float]]:
    """A table of progress in which everything gets better; by imitation and round boxes."""
    return [
        row(2_048 * n, reward=n / 2 - 3.25, off_tracks_per_100m=60 / n, crashes_per_100m=9 / n, loss=2 / n)
        for n in range(1, count + 1)
    ]


def written(folder: pathlib.Path, view: TrainingView) -> dict[str, str]:
    """The pages by their names."""
    write_pages(folder, view)
    return {path.name: path.read_text(encoding="utf-8") for path in folder.glob("progress*.html")}


def test_the_table_is_read_back_when_a_training_goes_on(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "progress.csv"
    table = filled(path)
    table.close()
    rows = table.rows
    assert path.read_text().splitlines()[0] == ",".join(COLUMNS)
    assert [(row["reward"], row["progress"]) for row in rows] == [(3.0, 125.5), (9.0, 125.5)]
    path.write_text(path.read_text().replace("progress", "before"))  # written before there was this column
    again = ProgressTable(path, append=True)
    assert [math.isnan(row["progress"]) for row in again.rows] == [True, True]
    empty = {"loss": None, "progress": None}
    assert [row | empty for row in again.rows] == [row | empty for row in rows]
    again.add_drives(DriveTally(30, 3.0, 0, 1, 0, [1.0], [30]))
    assert again.row(96, 0.25).endswith("0.0 off-tracks, 33.3 crashes in 100 m, 0 laps, loss 0.250")
    again.close()
    lines = path.read_text().splitlines()
    assert [line.endswith(end) for line, end in zip(lines[1:], (",", ",", ",0.25"), strict=True)] == [True] * 3
    assert len(lines) == 4


def test_the_page_shows_the_figures_in_both_languages(tmp_path: pathlib.Path) -> None:
    table = filled(tmp_path / "progress.csv")
    table.close()
    plan = TrainingPlan("<b>mine</b>", "ppo", ("reinvent_base",), 100_000, 20_000, 16)
    pages = written(tmp_path, TrainingView(plan, table.rows, SCORES, None, NOON_NS, ("progress.csv",)))
    assert list(pages) == ["progress.html", "progress.de.html"] or list(pages) == ["progress.de.html", "progress.html"]
    assert not list(tmp_path.glob("*.part"))
    english, german = pages["progress.html"], pages["progress.de.html"]
    assert "40,960 of 100,000 frames" in english
    assert "40.960 von 100.000 Bildern" in german
    for page in pages.values():
        assert "&lt;b&gt;mine&lt;/b&gt;" in page
        assert "<b>" not in page
        assert page.count("<figure>") == 5  # no crashes, no expert
        assert "nan" not in page
        assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page
        assert 'href="progress.csv"' in page
    assert 'aria-label="Reward of an episode: from 3.00 to 9.00, highest 9.00"' in english
    assert 'aria-label="Tempo: von 1,50\xa0m/s bis 1,50\xa0m/s, höchster Wert 1,50\xa0m/s"' in german
    assert re.search(r"is-best.*?40,960</th><td>12</td><td>97\.5</td><td>1\.15</td>", english)
    assert re.search(r"<td>80,2</td><td>1,20</td>", german)
    assert english_left(texts_of(german), "de", {"mine", "progress.csv", "English"}) == []


ENDS = [
    (TrainingEnd("done"), SCORES, "all frames are driven", "The model is the checkpoint after 40,960 frames: as many"),
    (TrainingEnd("time"), SCORES, "the time given is up", "To go on from the newest checkpoint, give the same command"),
    (TrainingEnd("stopped"), SCORES, "was stopped", "The best checkpoint so far is the one after 40,960 frames"),
    (TrainingEnd("failed", "mine.py, line 3: <no>"), {}, "has failed", "mine.py, line 3: &lt;no&gt;"),
    (TrainingEnd("failed", "mine.py, line 3"), {}, "has failed", "No checkpoint was kept: train anew."),
]


@pytest.mark.parametrize(("end", "scores", "how", "then"), ENDS)
def test_the_page_says_how_the_training_ended_and_renews_itself_no_more(
    tmp_path: pathlib.Path, end: TrainingEnd, scores: Scores, how: str, then: str
) -> None:
    pages = written(tmp_path, TrainingView(PLAN, learning(3), scores, end, NOON_NS))
    assert how in pages["progress.html"]
    assert then in pages["progress.html"]
    assert "further: 97.5\xa0% against 80.2\xa0%" in pages["progress.html"] or end.kind == "failed"
    for page in pages.values():
        assert "data-renew-ms=" not in page
        assert "refresh" not in page
    assert ('lang="en">mine.py' in pages["progress.de.html"]) == (end.kind == "failed")


def test_why_a_checkpoint_is_the_best() -> None:
    def why(*scores: tuple[int, float, float]) -> tuple[int, str]:
        kept = {steps: CheckpointScore(*score) for steps, score in enumerate(scores)}
        return best_checkpoint(kept), why_best_checkpoint(kept)

    assert why((1, 9.0, 1.0)) == (0, "it is the only one")
    assert why((3, 9.0, 1.0), (2, 99.0, 3.0)) == (0, "most completed laps: 3, the next one has 2")
    assert (
        why((3, 9.0, 1.0), (3, 9.5, 0.5))[1] == "as many laps as the next one, and further: 9.5\xa0% against 9.0\xa0%"
    )
    assert why((3, 9.0, 1.0), (3, 9.0, 0.5)) == (
        0,
        "as many laps as the next one, and faster: 1.000\xa0m/s against 0.500\xa0m/s",
    )
    assert why((3, 9.0, 1.0), (3, 9.0, 1.0)) == (1, "equal to the next one, and later")


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [
        (0.0, 0.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0.0, 1.17, [0.0, 0.25, 0.5, 0.75, 1.0, 1.25]),
        (-3.0, 16.0, [-5.0, 0.0, 5.0, 10.0, 15.0, 20.0]),
        (0.0, 0.04, [0.0, 0.01, 0.02, 0.03, 0.04]),
        (-2.0, 0.0, [-2.0, -1.5, -1.0, -0.5, 0.0]),
    ],
)
def test_axes_have_round_numbers_around_all_values(low: float, high: float, found: list[float]) -> None:
    drawn = ticks(low, high, 5)
    assert drawn == pytest.approx(found)
    assert (drawn[0] <= low, drawn[-1] >= high) == (True, True)


def test_frames_are_whole_and_a_line_may_end_just_beyond_the_axis() -> None:
    assert ticks(0.0, 3.0, 3, whole=True) == [0, 1, 2, 3]
    assert ticks(0.0, 7.0, 3, whole=True) == [0, 5, 10]
    assert ticks(0.0, 100_352.0, 3, whole=True, beyond=0.05) == [0, 50_000, 100_000]
    assert ticks(0.0, 104_000.0, 3, whole=True, beyond=0.05) == [0, 50_000, 100_000, 150_000]


def test_curves_lie_between_their_axes_and_stay_short() -> None:
    reward = drawn_curves([row(50, reward=-2.0), row(100, reward=2.0)], {})[0]
    assert reward.line == f"{WIDTH / 2:.1f},{HEIGHT:.1f} {WIDTH:.1f},0.0"
    assert (len(reward.dots), reward.mean, reward.best) == (2, "", "")
    many = drawn_curves(learning(5_000), SCORES)
    assert [str(each.curve.title) for each in many][-2:] == ["Crashes in 100 m", "Difference from the expert"]
    for each in many:
        points = [tuple(map(float, point.split(","))) for point in each.line.split()]
        assert len(points) <= 400
        assert all(0 <= x <= 1.05 * WIDTH and 0 <= y <= HEIGHT for x, y in points)
        assert points == sorted(points)
        assert (len(each.dots), bool(each.mean), len(each.checkpoints), bool(each.best)) == (0, True, 1, True)
    spike = [row(n, reward=100.0 if n == 777 else 0.0) for n in range(1, 5_001)]
    assert min(float(point.split(",")[1]) for point in drawn_curves(spike, {})[0].line.split()) == 0.0
    assert drawn_curves(learning(MEAN_OF), {})[0].mean
    assert drawn_curves([], {}) == []


@pytest.mark.slow
@pytest.mark.browser
def test_a_browser_opens_the_page_in_the_readers_language_and_renews_it(
    browser: Browser, tmp_path: pathlib.Path
) -> None:
    """From the file, with nothing fetched, nothing clipped, and axe content in both themes."""
    long = TrainingPlan("a-name-of-many-letters-" * 3, "dagger+ppo", ("reinvent_base",) * 4, 1_250_000_000, 20_000, 512)
    ended = TrainingView(long, learning(30), SCORES, TrainingEnd("time"), NOON_NS, ("progress.csv", "checkpoints.csv"))
    write_pages(tmp_path, TrainingView(PLAN, [], {}, None, NOON_NS))
    context = browser.new_context(locale="de-AT", color_scheme="dark", reduced_motion="reduce")
    context.clock.install(time=NOON_NS / 1e9)
    context.clock.pause_at(NOON_NS / 1e9 + 1)  # it is renewed when the test says so
    bring_axe(context)
    page, faults, asked = context.new_page(), list[str](), list[str]()
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((tmp_path / "progress.html").as_uri())
    page.wait_for_url("**/progress.de.html")
    silent, hold = page.get_by_text("Seit Langem nichts Neues"), page.get_by_role("button", name="Diese Seite anhalten")
    expect(silent).to_be_hidden()
    hold.focus()
    with page.expect_navigation():
        page.clock.run_for(RENEW_MS)
    expect(hold).to_be_focused()  # as before it was renewed
    hold.press("Enter")
    expect(hold).to_have_attribute("aria-pressed", "true")
    page.clock.resume()
    found = look(page, "a training that begins") + violations(page)
    write_pages(tmp_path, ended)
    page.clock.run_for(SILENT_MS)
    expect(page.get_by_text("Das Training läuft.")).to_be_visible()  # it is held
    with page.expect_navigation():
        hold.press("Enter")
    page.get_by_text("Die vorgegebene Zeit ist um").wait_for()
    found += look(page, "a training that is over") + violations(page)
    page.get_by_role("link", name="English").press("Enter")
    page.get_by_text("the time given is up").wait_for()  # chosen by hand: it stays
    assert page.url.endswith("/progress.html#en")
    in_scheme(page, SCHEMES[0])
    found += look(page, "a training that is over, in English") + violations(page)
    write_pages(tmp_path, TrainingView(PLAN, [], {}, None, NOON_NS))
    page.reload()
    expect(page.get_by_text("No news for a long time")).to_be_visible()
    context.close()
    assert "\n".join(found + faults) == ""
    assert {url.partition("#")[0].rpartition("/")[2] for url in asked} == {"progress.html", "progress.de.html"}
