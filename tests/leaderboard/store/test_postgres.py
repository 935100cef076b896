"""The board on PostgreSQL: a private cluster on a socket, used by two boards at once, as by two processes."""

import json
import pathlib
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.config import NoticeSettings
from leaderboard.core.access import ADMIN, Caller
from leaderboard.core.errors import Gone
from leaderboard.core.league.series import CalendarRule
from leaderboard.exchange.backup.restoring import checked_backup, restore
from leaderboard.exchange.backup.writing import write_backup
from leaderboard.league.entries import EntryService
from leaderboard.league.invitations import InvitationService
from leaderboard.league.people import AccountPeople
from leaderboard.league.series import SeriesService
from leaderboard.notices import outbox
from leaderboard.notices.outbox import DueNotice
from leaderboard.notices.sender import NoticeSender
from leaderboard.notices.subscriptions import NewSubscription, NoticeSubscriptions
from leaderboard.stations.posting import PostReply
from leaderboard.store.database import open_readers, open_store
from leaderboard.store.ranking import line_rows
from leaderboard.store.tables import METADATA
from shared.access.pass_code_hashing import Argon2idHasher
from shared.errors import OperatorError, RetryLater, StorageError
from shared.protocol.results import decode_accepted, encode_result
from shared.units import NS_PER_S
from shared.web.http_exchange import Reply
from tests import postgres
from tests.leaderboard import sample_races
from tests.leaderboard.by_hand import enter
from tests.leaderboard.core.league.test_local_time import utc
from tests.leaderboard.evaluations.virtual_league import Campaign, PracticeFarm, VirtualLeague, check_campaign
from tests.leaderboard.exchange.boards import NOW, brought, league, numbered, rows_of
from tests.leaderboard.exchange.test_backup import contents
from tests.leaderboard.exchange.test_published_boards import check_boards
from tests.leaderboard.in_process import call
from tests.leaderboard.league_app import PASSPHRASE, league_app
from tests.leaderboard.sample_races import race, result
from tests.leaderboard.store.old_boards import check_attempts_of_0005, check_lines_of_0005, make_0005
from tests.leaderboard.store.random_boards import check_windows, post_at_random
from tests.leaderboard.submissions.at_once import check_two_processes
from tests.postgres import Cluster

pytestmark = [pytest.mark.postgres, pytest.mark.slow]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    installed = postgres.programs()
    if installed is None:
        pytest.skip("PostgreSQL is not installed: this test needs it")
    with postgres.cluster(installed) as made:
        yield made


@pytest.fixture(scope="module")
def boards(cluster: Cluster) -> Iterator[tuple[LeaderboardService, LeaderboardService]]:
    with ThreadPoolExecutor(2) as pool:
        pair = tuple(pool.map(open_board, [cluster.url] * 2))
    yield pair[0], pair[1]
    for one in pair:
        one.close()


def test_migrations_make_the_tables_that_the_code_reads(boards: tuple[LeaderboardService, LeaderboardService]) -> None:
    with boards[0]._store.write() as db:
        assert compare_metadata(MigrationContext.configure(db), METADATA) == []


def _new_database(cluster: Cluster, name: str) -> str:
    maintenance = sa.create_engine(_engine_url(cluster.url), isolation_level="AUTOCOMMIT")
    with maintenance.connect() as db:
        db.execute(sa.text(f"CREATE DATABASE {name}"))
    maintenance.dispose()
    return cluster.url.replace("/postgres?", f"/{name}?")


@pytest.mark.shared_data
def test_published_boards_and_backups_are_the_same_on_both_databases(
    cluster: Cluster, shared_data: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    url = _new_database(cluster, "published")
    store, lite = open_store(url), open_store(tmp_path / "a.db")
    folder = shared_data / "leaderboards"
    boards = json.loads((folder / "boards.json").read_text())
    check_boards(store, folder, [board for board in boards if board["rows"] < 100])
    write_backup(store, tmp_path / "postgresql.backup", NOW)
    restore(lite, checked_backup(tmp_path / "postgresql.backup")[0])
    write_backup(lite, tmp_path / "sqlite.backup", NOW)
    assert contents(lite) == (whole := contents(store))
    brought(store, rows_of(*numbered([9000])), league("later"))
    restore(store, checked_backup(tmp_path / "sqlite.backup")[0])
    assert contents(store) == whole
    brought(store, rows_of(*numbered([9000])), league("later"))  # rows are counted on from the restored ones
    check_boards(store, folder, [board for board in boards if board["rows"] >= 100])
    other = open_readers(url)
    with other.read(), pytest.raises(OperatorError, match="stop every leaderboard"):
        restore(store, checked_backup(tmp_path / "sqlite.backup")[0])
    for each in (store, lite, other):
        each.close()


def test_lines_of_an_older_board_move_to_the_tables_of_their_kinds(cluster: Cluster) -> None:
    url = _new_database(cluster, "older")
    old = sa.create_engine(_engine_url(url))
    with old.begin() as db:
        make_0005(db)
    old.dispose()
    store = open_store(url)
    with store.write() as db:
        check_lines_of_0005(db)
        check_attempts_of_0005(db)
        assert compare_metadata(MigrationContext.configure(db), METADATA) == []
    store.close()


def _engine_url(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://")


def test_the_flow_of_a_race(boards: tuple[LeaderboardService, LeaderboardService]) -> None:
    one, other = boards
    assert one.create_race(race(), 1) is True
    assert other.create_race(race(), 1) is False
    enter(one, "cup", "anna", "Anna Holm", 2)
    first = result("a", "anna")
    answer = one.apply("a.1", encode_result(first), 3)
    assert answer.status == 201
    assert other.apply("a.1", encode_result(first), 4) == PostReply(200, answer.body)
    assert other.apply("a.1", encode_result(result("a", "tom")), 4).status == 409
    posted = decode_accepted(other.apply("b.1", encode_result(result("b", "tom", (8000,) * 3)), 5).body)
    assert (posted.rank, posted.racers) == (1, 2)
    assert other.apply("a.2", encode_result(result("a", "kenji", revision=2)), 6).status == 201
    assert [(row.name, row.moved) for row in one.snapshot("cup").rows] == [("tom", 0), ("kenji", None)]


@pytest.mark.parametrize("races", [("same",), ("left", "right")])
def test_posts_at_once_through_two_boards(
    boards: tuple[LeaderboardService, LeaderboardService], races: tuple[str, ...]
) -> None:
    """The same webhook-id at the same moment; in two races not even the race's row makes them wait for each other."""
    for race_id in races:
        boards[0].create_race(race(race_id), 1)
    together = threading.Barrier(8)

    def send(number: int) -> PostReply:
        one = result(f"at-once-{races[0]}", race_id=races[number % len(races)])
        together.wait(timeout=20)
        return boards[number // 4].apply(one.webhook_id, encode_result(one), number)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))
    repeats = 8 // len(races) - 1
    statuses = sorted(answer.status for answer in answers)
    assert statuses == [200] * repeats + [201] + [409] * (7 - repeats)
    assert len({answer.body for answer in answers if answer.status < 300}) == 1
    assert sum(boards[1].snapshot(race_id).results for race_id in races) == 1


def test_many_racers_at_once_are_all_ranked(boards: tuple[LeaderboardService, LeaderboardService]) -> None:
    boards[0].create_race(race("crowd"), 1)

    def send(number: int) -> int:
        one = result(f"crowd-{number}", f"racer {number % 10}", (9000 + number,) * 3, race_id="crowd")
        return boards[number % 2].apply(one.webhook_id, encode_result(one), number).status

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(send, range(60))) == {201}
    snapshot = boards[0].snapshot("crowd")
    assert [row.placed.score_ms for row in snapshot.rows] == list(range(9000, 9010))
    assert [row.attempts for row in snapshot.rows] == [6] * 10
    assert snapshot.version == 61


def test_no_more_join_through_two_boards_than_a_link_is_for(
    boards: tuple[LeaderboardService, LeaderboardService],
) -> None:
    olga = Caller("a-olga", "olga")
    boards[0].create_race(race("club-1", owner="a-olga", visibility="private", entry="registered"), 1)
    two = [InvitationService(board.store, AccountPeople(), "a secret", board.changed) for board in boards]
    token = two[0].make(olga, "club-1", 1, max_uses=4)[0].token

    def join(number: int) -> bool:
        try:
            two[number % 2].join(Caller(f"a-{number}", f"racer{number}"), token, 1)
        except Gone:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(join, range(12))).count(True) == 4
    found = EntryService(boards[1].store, AccountPeople(), boards[1].changed).participants(olga, "club-1")
    assert found.counts == {"invited": 4}
    with boards[1].store.read() as db:
        assert AccountPeople().by_alias(db, "nobody\x00") is None


def test_hostile_text_is_refused_before_the_database_sees_it(
    boards: tuple[LeaderboardService, LeaderboardService],
) -> None:
    body = json.dumps(json.loads(encode_result(result("nul"))) | {"racer": "a\x00b"}).encode()
    assert boards[0].apply("nul.1", body, 1).status == 422


def test_a_database_that_is_away_is_told_and_comes_back(
    cluster: Cluster, boards: tuple[LeaderboardService, LeaderboardService]
) -> None:
    boards[0].create_race(race("away"), 1)
    one = result("away", race_id="away")
    cluster.stop()
    with pytest.raises(RetryLater, match="cannot be reached"):
        boards[0].apply(one.webhook_id, encode_result(one), 1)
    with pytest.raises(StorageError, match="cannot be reached"):
        open_board(cluster.url)
    cluster.start()
    assert boards[0].apply(one.webhook_id, encode_result(one), 1).status == 201


def test_windows_of_random_boards_say_what_the_whole_table_says(
    boards: tuple[LeaderboardService, LeaderboardService],
) -> None:
    boards[0].create_race(race("random"), 1)
    post_at_random(boards[0], "random", random.Random(11), 40)
    with boards[1]._store.read() as db:
        before = line_rows.lines(db, "random", "physical")
    one = result("last", "Tom Berg", (8990,) * 3, race_id="random")
    assert boards[0].apply(one.webhook_id, encode_result(one), 99).status == 201
    check_windows(boards[1], "random", before)


def test_of_two_processes_one_makes_each_race_of_a_series(
    boards: tuple[LeaderboardService, LeaderboardService],
) -> None:
    told: list[str] = []
    services = [SeriesService(board.store, told.append, 10) for board in boards]
    rule = CalendarRule("days", "2027-01-04T18:00", "Europe/Berlin", 1)
    services[0].create(ADMIN, "daily", ("Daily", "Daily {n}"), race("x"), rule, utc("2027-01-04T12:00"))
    late, together = utc("2027-01-24T12:00"), threading.Barrier(2)

    def catch_up(service: SeriesService) -> list[str]:
        together.wait()
        return service.catch_up(late)

    with ThreadPoolExecutor(2) as pool:
        made = [race_id for part in pool.map(catch_up, services) for race_id in part]
    assert sorted(made) == sorted(f"daily-{number}" for number in range(2, 22))
    assert sorted(told) == sorted(["daily-1", *made])


def test_two_processes_take_models_and_submissions(
    boards: tuple[LeaderboardService, LeaderboardService], tmp_path: pathlib.Path
) -> None:
    check_two_processes(boards, tmp_path / "models")


def test_two_senders_of_notices_send_each_once_and_in_order(
    boards: tuple[LeaderboardService, LeaderboardService],
) -> None:
    now_ns, sent, lock = [NOW], [], threading.Lock()

    def send(delivery: DueNotice, _now_utc_ns: int) -> Reply:
        with lock:
            sent.append(delivery.seq)
        return Reply(200, {}, b"")

    settings = NoticeSettings(allow_private_networks=True, allow_plain_http=True)
    senders = [NoticeSender(board.store, settings, lambda: now_ns[0], send) for board in boards]
    boards[0].create_race(race("noticed"), NOW)
    kinds = ("race.opened", "leader.changed", "record.set", "race.final")
    told = NoticeSubscriptions(boards[0].store, settings).add(
        NewSubscription("http://127.0.0.1:9/", kinds, "noticed"), ADMIN, NOW
    )
    for round_ in range(6):
        one = result(f"noticed-{round_}", f"racer-{round_}", (9000 - 50 * round_,) * 3, race_id="noticed")
        assert boards[round_ % 2].apply(one.webhook_id, encode_result(one), NOW).status == 201
        for each in senders:  # both heard of it, over the fan-out
            each.changed("noticed")
        with ThreadPoolExecutor(2) as pool:
            while any(list(pool.map(lambda sender: sender.step(), senders))):
                now_ns[0] += NS_PER_S
    with boards[0].store.read() as db:
        kept = outbox.deliveries(db, told.subscription_id, 100)
    assert [each.state for each in kept] == ["delivered"] * len(kept)
    assert sent == sorted(each.seq for each in kept)
    assert len([each for each in kept if each.kind == "leader.changed"]) == 6


def test_accounts_are_the_same_on_postgresql(cluster: Cluster, tmp_path: pathlib.Path) -> None:
    url = _new_database(cluster, "accounts")
    with league_app(tmp_path, Argon2idHasher(memory_kib=8, passes=1), url) as league:
        ada, told = league.sign_up("Ada", name="Ada L")
        wish = {"alias": "ADA", "passphrase": PASSPHRASE}
        assert call(league.app, "POST", "/api/v1/accounts", wish).status_code == 409
        assert call(league.app, "POST", "/api/v1/sessions", wish).status_code == 201
        recovered = {"alias": "ada", "recovery_code": told["recovery_codes"][0]}
        assert [call(league.app, "POST", "/api/v1/sessions", recovered).status_code for _ in range(2)] == [201, 401]
        listed = call(league.app, "GET", "/api/v1/accounts?q=a_%25", key=sample_races.TOKEN)
        assert (listed.status_code, listed.json()) == (200, [])
        renamed = call(league.app, "PATCH", "/api/v1/accounts/ada", {"alias": "ada-2", "why": "x"}, sample_races.TOKEN)
        assert renamed.status_code == 200
        # What PostgreSQL cannot store is refused, and is no error of ours.
        hostile = (
            ("POST", "/api/v1/sessions", {"alias": "a\0b", "passphrase": "x"}, 401),
            ("POST", "/api/v1/passkeys/verify", {"purpose": "sign_in", "challenge_id": "\0", "credential": {}}, 422),
            ("DELETE", "/api/v1/sessions/%00", None, 404),
            ("DELETE", "/api/v1/keys/%00", None, 404),
            ("DELETE", "/api/v1/me/credentials/%00", None, 404),
        )
        for method, path, document, status in hostile:
            assert ada.call(method, path.replace("%00", "\0"), document).status_code == status, path
        for path in ("/api/v1/audit?season=%00", "/api/v1/accounts?q=%00"):
            assert call(league.app, "GET", path, key=sample_races.TOKEN).status_code == 200
        assert ada.get("/api/v1/me/export").status_code == 200
        assert ada.call("DELETE", "/api/v1/me?confirm=ada-2").status_code == 204


def test_two_processes_give_each_run_out_once(cluster: Cluster, tmp_path: pathlib.Path) -> None:
    url = _new_database(cluster, "evaluations")
    stores = [open_store(url), open_store(url)]
    league = VirtualLeague(stores[0], tmp_path)
    check_campaign(league, Campaign(league, seed=9).run(40, 8))
    leagues = [league, VirtualLeague(stores[1], tmp_path, league.now_utc_ns)]
    brought = {league.submit(f"racer-{number}", race_id="solo") for number in range(24)}
    farms = [PracticeFarm(lambda n=n: leagues[n % 2], f"at-once-{n}") for n in range(8)]  # type: ignore[misc]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda farm: farm.claim(3), farms))
        given = [item.submission for answer in answers for item in answer.work]
        assert (len(given), set(given)) == (24, brought)
        list(pool.map(lambda farm: farm.drive_all(), farms))
    assert {state for each, state in league.states().items() if each in brought} == {"scored"}
    for each in stores:
        each.close()
