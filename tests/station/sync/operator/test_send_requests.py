"""Officials' requests to sync; and a problem with one row never stops the others."""

import functools
import os
import pathlib
import random

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import StorageError
from shared.protocol.races import RaceOffer
from shared.protocol.results import PostAccepted, PostDeferred, PostOutcome, PostRejected, Result
from shared.rules.ranking import RaceRules
from shared.units import NS_PER_S
from station.store.event_files.race_offers import RaceOffers
from station.sync.attempts import AttemptStore
from station.sync.leaderboard_check import Target
from station.sync.operator.send_requests import (
    MAX_FILE_BYTES,
    REQUESTS_FILE,
    SendRequest,
    SendRequestQueue,
    add_request,
    remove_requests,
)
from station.sync.operator.status import SyncStatusReader
from station.sync.outbox_reader import OutboxReader
from station.sync.race_checks import CHECK_AGAIN_NS, STILL_THERE_NS
from station.sync.schedule import OutboxRow, PostedWithOtherScore
from station.sync.syncer import Syncer
from tests.station.full_disk import full_disk
from tests.station.sync.sample_results import row
from tests.station.sync.test_syncer import Board, Rows, drain, make_outbox


class ScriptedBoard(Board):
    """A leaderboard with its own answer (or driver's bug) for each result; `races` decides what it knows of a race."""

    def __init__(self, moods: dict[str, PostOutcome | Exception], races: list[Target] | None = None) -> None:
        super().__init__([])
        self.moods = moods
        self.races = races or []
        self.requested: list[str] = []

    def post(self, result: Result) -> PostOutcome:
        mood = self.moods.get(result.webhook_id)
        if mood is None:
            return super().post(result)
        self.posts.append(result.webhook_id)
        if isinstance(mood, Exception):
            raise mood
        return mood

    def target(self, offer: RaceOffer) -> Target:
        self.requested.append(offer.race_id)
        if not self.races:
            raise LookupError("a driver's bug")
        return self.races.pop(0)


class CreatingBoard(ScriptedBoard):
    """A leaderboard that creates what it is offered."""

    def __init__(self, moods: dict[str, PostOutcome | Exception], races: list[Target]) -> None:
        super().__init__(moods, races)
        self.offered: list[str] = []

    def offer(self, offer: RaceOffer, _known: Target) -> Target:
        self.offered.append(offer.race_id)
        return Target(offer.race_id, "ready")


class SyncRig:
    """A syncer over a folder, on virtual time."""

    def __init__(self, folder: pathlib.Path, rows: list[OutboxRow], board: Board) -> None:
        self.rows, self.board, self.logged, self.race = Rows(rows), board, list[str](), "cup"
        self.rules = RaceRules()
        self.utc_ns, self.others, self.has_begun = 7, tuple[str, ...](), True
        self.attempts = AttemptStore(folder / "sync.db")
        rng, requests = random.Random(1), SendRequestQueue(folder)
        self.sync = Syncer(
            self.rows,
            self.attempts,
            board,
            rng,
            lambda: self.utc_ns,
            self.logged.append,
            requests=requests.pending,
            acknowledge=requests.acknowledge,
            offers=self._offers,
        )

    def _offers(self) -> RaceOffers:
        if not self.has_begun:
            return RaceOffers("", ())
        names = (*self.others, self.race)
        return RaceOffers(self.race, tuple(RaceOffer(name, "A race", "", self.rules) for name in names))


BUGS = (ValueError("\x1f5"), UnicodeDecodeError("utf-8", b"\xf6", 0, 1, "odd"), KeyError("x"), RecursionError())


@pytest.mark.parametrize(
    "trouble",
    [PostDeferred("busy"), PostDeferred("busy", 3600.0), PostDeferred("busy", 1e12), PostRejected("no", 422), *BUGS],
    ids=repr,
)
def test_one_rows_trouble_never_stops_the_others(tmp_path: pathlib.Path, trouble: PostOutcome | Exception) -> None:
    rows = [row(seq, f"r{seq}") for seq in range(1, 8)]
    rig = SyncRig(tmp_path, rows, ScriptedBoard({"r1.0": trouble}))
    now_ns = 0
    for _ in range(40):
        due_ns = rig.sync.step(now_ns)
        if len(rig.board.applied) == 6:
            break
        now_ns = max(now_ns, due_ns or now_ns)
    assert rig.board.applied == [f"r{seq}.0" for seq in range(2, 8)]
    assert now_ns <= 70 * NS_PER_S


def test_a_damaged_outbox_row_is_refused_and_the_others_go(tmp_path: pathlib.Path) -> None:
    db = make_outbox(tmp_path / "station.db", [row(4, "good")])
    db.execute("INSERT INTO outbox VALUES (1, 'a', 0, NULL), (2, 'b', 0, 5), (3, 'c', 0, 'text')")
    board = Board([])
    logged: list[str] = []
    source = OutboxReader(tmp_path / "station.db")
    drain(Syncer(source, AttemptStore(tmp_path / "s.db"), board, random.Random(1), lambda: 7, logged.append))
    assert board.applied == ["good.0"]
    assert [line.partition(":")[0] for line in logged] == ["a.0", "b.0", "c.0", "good.0"]
    assert all("cannot be posted" in line for line in logged[:3])


def test_send_now_ends_a_long_wait(tmp_path: pathlib.Path) -> None:
    rig = SyncRig(tmp_path, [row(1, "a")], ScriptedBoard({"a.0": PostDeferred("busy", 3600.0)}))
    assert rig.sync.step(0) == 3600 * NS_PER_S
    add_request(tmp_path, SendRequest(author="Ruth"))
    rig.board.moods.clear()  # type: ignore[attr-defined]
    assert rig.sync.step(NS_PER_S) is None
    assert rig.board.applied == ["a.0"]
    assert "Asked by Ruth to send everything that waits now." in rig.logged


def test_rejected_results_go_again_when_asked_one_or_all(tmp_path: pathlib.Path) -> None:
    no = PostRejected("There is no race.", 404)
    rig = SyncRig(tmp_path, [row(1, "a"), row(2, "b"), row(3, "c")], ScriptedBoard({f"{name}.0": no for name in "abc"}))
    drain(rig.sync)
    add_request(tmp_path, SendRequest())
    drain(rig.sync)
    assert rig.board.posts == ["a.0", "b.0", "c.0"]  # "send now" is for what waits
    rig.board.moods.clear()  # type: ignore[attr-defined]
    add_request(tmp_path, SendRequest(True, "b.0"))
    drain(rig.sync)
    assert rig.board.applied == ["b.0"]
    add_request(tmp_path, SendRequest(True, "b.0"))
    add_request(tmp_path, SendRequest(True))
    drain(rig.sync)
    assert rig.board.applied == ["b.0", "a.0", "c.0"]
    assert rig.board.posts[3:] == ["b.0", "a.0", "c.0"]


def test_what_was_asked_while_sync_was_down_is_done_when_it_starts(tmp_path: pathlib.Path) -> None:
    rows = [row(1, "a"), row(2, "b")]
    drain(SyncRig(tmp_path, rows, ScriptedBoard({"a.0": PostRejected("no", 422)})).sync)
    add_request(tmp_path, SendRequest(True))
    again = SyncRig(tmp_path, rows, Board([]))
    drain(again.sync)
    assert again.board.applied == ["a.0"]


def test_a_wish_is_kept_though_the_process_dies_before_the_post(tmp_path: pathlib.Path) -> None:
    drain(SyncRig(tmp_path, [row(1, "a")], ScriptedBoard({"a.0": PostRejected("no", 422)})).sync)
    store = AttemptStore(tmp_path / "sync.db")
    assert store.reopen(None, "Ruth", 9) == ["a.0"]  # removed from the file just before a power cut
    store.close()
    again = SyncRig(tmp_path, [row(1, "a")], Board([]))
    drain(again.sync)
    assert again.board.applied == ["a.0"]


REFUSALS = pytest.mark.parametrize(
    ("error", "syncs"), [(apsw.FullError, False), (apsw.ReadOnlyError, False), (apsw.IOError, True)], ids=repr
)


@REFUSALS
@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize(
    ("wanted", "applied"),
    [
        ([SendRequest(True)], ["a.0", "b.0"]),
        ([SendRequest(True, "b.0", "Ruth")], ["b.0"]),
        ([SendRequest(), SendRequest(True, "b.0"), SendRequest(True, "a.0")], ["a.0", "b.0"]),
    ],
    ids=["all", "one", "one by one"],
)
def test_a_request_waits_while_syncs_disk_refuses(
    tmp_path: pathlib.Path,
    error: type[Exception],
    syncs: bool,
    restarted: bool,
    wanted: list[SendRequest],
    applied: list[str],
) -> None:
    rows = [row(1, "a"), row(2, "b")]
    no = PostRejected("There is no race.", 404)
    with full_disk(error, syncs=syncs) as disk:
        rig = SyncRig(tmp_path, rows, ScriptedBoard({"a.0": no, "b.0": no}))
        drain(rig.sync)
        for each in wanted:
            add_request(tmp_path, each)
        disk.full = True
        for second in range(5):
            rig.sync.step(second * 60 * NS_PER_S)
        assert disk.refused
        assert rig.board.posts == ["a.0", "b.0"]
        disk.full = False
        if restarted:  # killed while the disk was full
            rig = SyncRig(tmp_path, rows, Board([]))
        rig.board.moods = {}  # type: ignore[attr-defined]
        drain(rig.sync, 3600 * NS_PER_S)
        assert rig.board.applied == applied
        assert remove_requests(tmp_path) == []
        assert (tmp_path / REQUESTS_FILE).stat().st_size == 0
        rig.attempts.close()


def test_a_wish_that_was_taken_at_once_is_kept_too(tmp_path: pathlib.Path) -> None:
    with full_disk() as disk:
        board = ScriptedBoard({"a.0": PostRejected("There is no race.", 404)})
        removing = functools.partial(remove_requests, tmp_path)
        store, rng, logged = AttemptStore(tmp_path / "sync.db"), random.Random(1), list[str]()
        sync = Syncer(Rows([row(1, "a")]), store, board, rng, lambda: 7, logged.append, requests=removing)
        drain(sync)
        add_request(tmp_path, SendRequest(True, author="Ruth"))
        add_request(tmp_path, SendRequest(True, "a.0", author="Ben"))
        disk.full = True
        sync.step(NS_PER_S)
        disk.full, board.moods = False, {}
        drain(sync, 3600 * NS_PER_S)
        assert board.applied == ["a.0"]
        assert [line.split()[2] for line in logged if line.startswith("Asked")] == ["Ruth", "Ben"]
        store.close()


def test_a_wish_that_comes_while_others_are_noted_is_kept(tmp_path: pathlib.Path) -> None:
    requests = SendRequestQueue(tmp_path)
    first, second, third = SendRequest(True, "a.0"), SendRequest(True, "b.0"), SendRequest(author="Ruth")
    add_request(tmp_path, first)
    assert requests.pending() == [first]
    assert requests.pending() == [first]  # until it is stored
    add_request(tmp_path, second)
    requests.acknowledge()
    assert requests.pending() == [second]
    assert SendRequestQueue(tmp_path).pending() == [first, second]  # a process that died here applies them again
    requests.acknowledge()
    assert requests.pending() == SendRequestQueue(tmp_path).pending() == []
    assert (tmp_path / REQUESTS_FILE).stat().st_size == 0
    add_request(tmp_path, third)
    (tmp_path / REQUESTS_FILE).unlink()
    assert requests.pending() == []
    add_request(tmp_path, third)
    assert requests.pending() == [third]


@given(st.lists(st.sampled_from(["wish", "read", "note", "restart"]), max_size=30))
def test_no_wish_is_lost_in_whatever_order_it_is_asked_read_and_noted(steps: list[str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        requests, requested, read, stored = SendRequestQueue(path), 0, 0, 0
        for step in [*steps, "read", "note"]:
            if step == "wish":
                requested += 1
                add_request(path, SendRequest(True, f"r{requested}.0"))
            elif step == "read" or (step == "note" and read == stored):
                found = [each.webhook_id for each in requests.pending()]
                assert found == [f"r{number}.0" for number in range(stored + 1, requested + 1)]
                read = requested
            elif step == "note":
                requests.acknowledge()
                stored = read
            else:
                requests = SendRequestQueue(path)
                again = requests.pending()  # what was stored may come again, what was not must
                first = int(again[0].webhook_id[1:-2]) - 1 if again else requested
                assert first <= stored
                assert len(again) == requested - first
                stored, read = first, requested


def test_a_wish_behind_a_torn_one_is_whole(tmp_path: pathlib.Path) -> None:
    add_request(tmp_path, SendRequest(True, "a.0"))
    with (tmp_path / REQUESTS_FILE).open("ab") as file:
        file.write(b'[true,"b.')
    add_request(tmp_path, SendRequest(True, "c.0"))
    assert remove_requests(tmp_path) == [SendRequest(True, "a.0"), SendRequest(True, "c.0")]


@pytest.mark.parametrize("taken", [0, 1, 17])
def test_a_wish_that_the_disk_takes_in_part_is_refused(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, taken: int
) -> None:
    add_request(tmp_path, SendRequest(True, "a.0"))
    write = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda file, data: write(file, data[:taken]))
        with pytest.raises(StorageError, match="the disk is full; free some space, and try again"):
            add_request(tmp_path, SendRequest(True, "b.0"))
    add_request(tmp_path, SendRequest(True, "c.0"))
    assert remove_requests(tmp_path) == [SendRequest(True, "a.0"), SendRequest(True, "c.0")]


def test_a_file_of_torn_lines_alone_is_emptied(tmp_path: pathlib.Path) -> None:
    (tmp_path / REQUESTS_FILE).write_bytes(b"x" * (MAX_FILE_BYTES + 1))
    assert SendRequestQueue(tmp_path).pending() == []
    add_request(tmp_path, SendRequest(True))
    assert remove_requests(tmp_path) == [SendRequest(True)]


def test_older_revisions_still_go_first(tmp_path: pathlib.Path) -> None:
    no = PostRejected("no", 422)
    rows = [row(1, "a", 1), row(2, "a", 2)]
    rig = SyncRig(tmp_path, rows, ScriptedBoard({"a.1": no, "a.2": no}))
    drain(rig.sync)
    rig.board.moods.clear()  # type: ignore[attr-defined]
    add_request(tmp_path, SendRequest(True))
    drain(rig.sync)
    assert rig.board.applied == ["a.1", "a.2"]


def test_a_score_that_is_not_ours_is_settled_and_told(tmp_path: pathlib.Path) -> None:
    rig = SyncRig(tmp_path, [row(1, "a")], ScriptedBoard({"a.0": PostedWithOtherScore(9_000, 1, 2, True, 10_000)}))
    drain(rig.sync)
    assert rig.sync.waiting == 0
    assert "counts 9000 ms where the station has 10000 ms" in rig.logged[-1]


def test_a_race_unknown_there_is_told_before_the_first_result(tmp_path: pathlib.Path) -> None:
    missing, ready, other = Target("cup", "missing"), Target("cup", "ready"), Target("final", "missing")
    board = ScriptedBoard({}, [missing, missing, ready, other, ready])
    rig = SyncRig(tmp_path, [], board)
    for now_ns in (0, 1, CHECK_AGAIN_NS, 2 * CHECK_AGAIN_NS, 3 * CHECK_AGAIN_NS, 4 * CHECK_AGAIN_NS):
        rig.sync.step(now_ns)
    assert board.requested == ["cup", "cup", "cup"]  # until it is there, and then no longer
    assert rig.logged == [missing.sentence, ready.sentence]
    rig.race = "final"
    rig.sync.step(4 * CHECK_AGAIN_NS + 1)
    assert board.requested[3:] == ["final"]
    assert rig.logged[2:] == [other.sentence]
    add_request(tmp_path, SendRequest())
    rig.sync.step(4 * CHECK_AGAIN_NS + 2)
    assert board.requested[4:] == ["final"]  # "send now" checks at once as well


def test_a_ready_leaderboard_is_asked_each_minute_whether_it_still_answers(tmp_path: pathlib.Path) -> None:
    ready, away = Target("cup", "ready"), Target("cup", "unreachable", "no network.")
    board = ScriptedBoard({}, [ready, ready, away, away, ready])
    rig = SyncRig(tmp_path, [], board)
    reader = SyncStatusReader(tmp_path)
    said = []
    for now_ns in (0, 1, STILL_THERE_NS - 1, STILL_THERE_NS, 2 * STILL_THERE_NS, 2 * STILL_THERE_NS + CHECK_AGAIN_NS):
        rig.utc_ns = now_ns
        rig.sync.step(now_ns)
        target = reader.view(0).target_of("cup")
        said.append((len(board.requested), target.state, target.checked_utc_ns))
    assert said == [
        (1, "ready", 0),
        (1, "ready", 0),
        (1, "ready", 0),
        (2, "ready", STILL_THERE_NS),
        (3, "unreachable", 2 * STILL_THERE_NS),
        (4, "unreachable", 2 * STILL_THERE_NS),
    ]
    rig.sync.step(2 * STILL_THERE_NS + 2 * CHECK_AGAIN_NS)
    assert reader.view(0).target_of("cup").state == "ready"
    assert rig.logged == [ready.sentence, away.sentence, ready.sentence]  # an answer as before is no news


def test_of_many_settled_races_only_the_one_that_is_on_is_asked_again(tmp_path: pathlib.Path) -> None:
    board = ScriptedBoard({}, [Target(race, "ready") for race in ("cup", "final", "final", "final")])
    rig = SyncRig(tmp_path, [], board)
    rig.sync.step(0)
    rig.race = "final"
    rig.others = ("cup",)
    for minute in (1, 2, 3):
        rig.sync.step(minute * STILL_THERE_NS)
    assert board.requested == ["cup", "final", "final", "final"]


def test_results_of_a_race_that_is_missing_there_wait_and_then_go(tmp_path: pathlib.Path) -> None:
    board = ScriptedBoard({}, [Target("race-1", "missing"), Target("race-1", "missing"), Target("race-1", "ready")])
    rig = SyncRig(tmp_path, [row(1, "a")], board)
    rig.race = "race-1"
    assert rig.sync.step(0) is None
    assert rig.sync.step(CHECK_AGAIN_NS) is None
    assert (board.applied, rig.sync.waiting) == ([], 1)
    rig.sync.step(2 * CHECK_AGAIN_NS)
    assert (board.applied, rig.sync.waiting) == (["a.0"], 0)


def test_results_refused_before_the_station_told_of_their_race_go_once_it_is_there(tmp_path: pathlib.Path) -> None:
    """In a machine sync posted before the station was up: 404, and ready five seconds later; the result stayed."""
    board = CreatingBoard({"a.0": PostRejected("there is no race", 404)}, [Target("race-1", "missing")])
    rig = SyncRig(tmp_path, [row(1, "a")], board)
    rig.has_begun = False
    rig.race = "race-1"
    rig.sync.step(0)
    assert (board.posts, rig.sync.waiting, board.offered) == (["a.0"], 0, [])
    board.moods.clear()
    rig.has_begun = True
    rig.sync.step(1)
    rig.sync.step(2)
    assert (board.offered, board.applied, rig.sync.waiting) == (["race-1"], ["a.0"], 0)


def test_a_leaderboard_that_is_away_in_between_makes_no_result_stay(tmp_path: pathlib.Path) -> None:
    """Found by killing a hall: "not reached" was on file, and then "ready" was taken for how it had been."""
    board = CreatingBoard(
        {"a.0": PostRejected("there is no race", 404)},
        [Target("race-1", "unreachable"), Target("race-1", "missing")],
    )
    rig = SyncRig(tmp_path, [row(1, "a")], board)
    rig.has_begun = False
    rig.race = "race-1"
    rig.sync.step(0)
    board.moods.clear()
    rig.has_begun = True
    for second in range(4):
        rig.sync.step((1 + 20 * second) * NS_PER_S)
    assert (board.offered, board.applied, rig.sync.waiting) == (["race-1"], ["a.0"], 0)


@pytest.mark.parametrize("ends_at", ["reopen", "record_target"])
def test_a_sync_that_is_killed_as_a_race_becomes_ready_sends_it_again_after_its_start(
    tmp_path: pathlib.Path, ends_at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [Target("race-1", "missing"), *[Target("race-1", "ready")] * 3]
    board = CreatingBoard({"a.0": PostRejected("there is no race", 404)}, found)
    rig = SyncRig(tmp_path, [row(1, "a")], board)
    rig.has_begun = False
    rig.race = "race-1"
    rig.sync.step(0)
    board.moods.clear()
    rig.has_begun = True

    def killed(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(rig.attempts, ends_at, killed)
    with pytest.raises(KeyboardInterrupt):
        rig.sync.step(1)
    rig.attempts.close()
    again = SyncRig(tmp_path, [row(1, "a")], board)
    again.race = "race-1"
    for at_ns in range(2, 5):
        again.sync.step(at_ns)
    assert (board.applied, again.sync.waiting) == (["a.0"], 0)


def test_a_race_that_was_there_and_is_made_again_gets_what_was_refused_meanwhile(tmp_path: pathlib.Path) -> None:
    """A leaderboard whose backup was put back: it lacks the race, and has it at once when it is offered."""
    board = CreatingBoard({}, [Target("race-1", "ready"), Target("race-1", "missing")])
    rig = SyncRig(tmp_path, [], board)
    rig.race = "race-1"
    rig.sync.step(0)
    board.moods["a.0"] = PostRejected("there is no race", 404)
    rig.rows.rows.append(row(1, "a"))
    rig.sync.step(1)
    board.moods.clear()
    for at_ns in range(2, 6):
        rig.sync.step(at_ns)
    assert (board.applied, rig.sync.waiting) == (["a.0"], 0)


def test_a_sync_that_is_killed_just_after_it_offered_a_race_again_learns_that_it_was_gone(
    tmp_path: pathlib.Path,
) -> None:
    class KillingBoard(CreatingBoard):
        def offer(self, offer: RaceOffer, known: Target) -> Target:
            super().offer(offer, known)
            raise KeyboardInterrupt

    found = [Target("race-1", "ready"), Target("race-1", "missing"), *[Target("race-1", "ready")] * 3]
    board = KillingBoard({"a.0": PostRejected("there is no race", 404)}, found)
    rig = SyncRig(tmp_path, [row(1, "a")], board)
    rig.race = "race-1"
    rig.sync.step(0)
    with pytest.raises(KeyboardInterrupt):
        rig.sync.step(1)
    rig.attempts.close()
    board.moods.clear()
    again = SyncRig(tmp_path, [row(1, "a")], board)
    again.race = "race-1"
    for at_ns in range(3, 6):
        again.sync.step(at_ns)
    assert (board.posts[0], board.applied, again.sync.waiting) == ("a.0", ["a.0"], 0)


def test_results_that_other_rules_refused_are_sent_again_once_the_rules_are_the_same(tmp_path: pathlib.Path) -> None:
    differs = Target("race-1", "differs", differences=("max_laps: 5 there, none here",))
    board = ScriptedBoard({"a.0": PostRejected("other score", 422)}, [differs, differs, Target("race-1", "ready")])
    rig = SyncRig(tmp_path, [row(1, "a")], board)
    rig.race = "race-1"
    rig.sync.step(0)
    rig.sync.step(1)
    assert (board.posts, rig.sync.waiting) == (["a.0"], 0)
    board.moods.clear()
    rig.sync.step(2 * CHECK_AGAIN_NS)
    rig.sync.step(2 * CHECK_AGAIN_NS + 1)
    assert (board.applied, rig.sync.waiting) == (["a.0"], 0)


def test_changed_rules_are_asked_about_before_the_next_result_goes(tmp_path: pathlib.Path) -> None:
    away, ready = Target("race-1", "unreachable", "no network."), Target("race-1", "ready")
    board = ScriptedBoard({"a.0": PostDeferred("no network", 5.0)}, [ready, away, away, ready])
    rig = SyncRig(tmp_path, [], board)
    rig.race = "race-1"
    rig.sync.step(0)
    rig.rules = RaceRules(max_laps=9)
    rig.sync.step(1)
    rig.rows.rows.append(row(1, "a"))
    rig.sync.step(2)  # asked first, although it was asked a moment ago
    assert (board.requested, board.posts) == (["race-1"] * 3, ["a.0"])
    board.moods.clear()
    rig.sync.step(6 * NS_PER_S)
    assert (len(board.requested), board.applied) == (4, ["a.0"])


def test_a_test_is_asked_and_recorded_though_nothing_is_new(tmp_path: pathlib.Path) -> None:
    ready = Target("cup", "ready")
    board = CreatingBoard({}, [ready, ready])
    rig = SyncRig(tmp_path, [], board)
    rig.sync.step(0)
    assert board.offered == []
    add_request(tmp_path, SendRequest(author="Ruth", test=True))
    rig.sync.step(1)
    rig.sync.step(2)
    assert board.offered == ["cup"]  # proves the secret
    assert rig.attempts._db.execute("SELECT count(*) FROM race_checks").fetchone() == (2,)


def test_a_race_that_is_missing_is_offered(tmp_path: pathlib.Path) -> None:
    board = CreatingBoard({}, [Target("race-1", "missing")])
    rig = SyncRig(tmp_path, [row(1, "a")], board)
    rig.race = "race-1"
    rig.sync.step(0)
    assert (board.offered, board.applied) == (["race-1"], ["a.0"])


def test_a_driver_that_fails_to_ask_stops_nothing(tmp_path: pathlib.Path) -> None:
    rig = SyncRig(tmp_path, [], ScriptedBoard({}))
    rig.sync.step(0)
    rig.rows.rows.append(row(1, "a"))
    drain(rig.sync, 1)
    assert rig.board.applied == ["a.0"]
    assert "LookupError" in rig.logged[0]


@given(
    st.lists(
        st.builds(SendRequest, st.booleans(), st.text(max_size=40), st.text(max_size=40), st.booleans()), max_size=5
    )
)
def test_wishes_come_over_as_they_were_made(wanted: list[SendRequest]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        for each in wanted:
            add_request(path, each)
        assert remove_requests(path) == wanted
        assert remove_requests(path) == []


@given(st.binary(max_size=200))
def test_a_torn_file_of_wishes_is_no_wish_and_no_end(text: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        (path / REQUESTS_FILE).write_bytes(text)
        assert isinstance(remove_requests(path), list)
        add_request(path, SendRequest(True, "a.1"))
        assert remove_requests(path)[-1:] == [SendRequest(True, "a.1")]


def test_wishes_do_not_fill_the_disk_while_sync_is_down(tmp_path: pathlib.Path) -> None:
    (tmp_path / REQUESTS_FILE).write_bytes(b"x" * 300_000)
    with pytest.raises(StorageError, match="start the sync service"):
        add_request(tmp_path, SendRequest())
    with pytest.raises(StorageError, match=REQUESTS_FILE):
        add_request(tmp_path / "nowhere", SendRequest())


def test_posted_stays_posted(tmp_path: pathlib.Path) -> None:
    rig = SyncRig(tmp_path, [row(1, "a")], ScriptedBoard({"a.0": PostAccepted(10_000, 1, 1)}))
    drain(rig.sync)
    add_request(tmp_path, SendRequest(True, "a.0"))
    add_request(tmp_path, SendRequest(True))
    drain(rig.sync)
    assert rig.board.posts == ["a.0"]
