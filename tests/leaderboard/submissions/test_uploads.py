"""Models come in chunks: nothing is sent twice, nothing acknowledged is lost, nobody learns of others' models."""

import asyncio
import contextlib
import os
import pathlib
import shutil
from collections import namedtuple
from collections.abc import Iterator

import pytest
from starlette.types import Message

from leaderboard.config import SubmissionSettings
from leaderboard.core.access import Caller
from leaderboard.core.errors import Conflict, NotHere
from leaderboard.store.submissions import model_rows
from leaderboard.submissions import model_files
from leaderboard.submissions.services import SubmissionServices
from leaderboard.submissions.uploads import NewUpload, UploadProgress
from shared.access.pass_code_hashing import Argon2idHasher
from shared.errors import Refused, RetryLater, StorageError
from shared.units import NS_PER_S
from tests.leaderboard.in_process import call
from tests.leaderboard.league_app import LeagueApp, league_app
from tests.leaderboard.sample_races import TOKEN
from tests.leaderboard.submissions.racers import ModelSender, archive, sender, sha256, virtual_race

HOUR_NS = 3600 * NS_PER_S


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="module")
def league(folder: pathlib.Path) -> Iterator[LeagueApp]:
    with league_app(folder, Argon2idHasher(memory_kib=8, passes=1)) as made:
        yield made


def services(league: LeagueApp) -> SubmissionServices:
    made: SubmissionServices = league.app.state.services.submissions
    return made


def keep(league: LeagueApp, model_sha256: str, content: bytes, kept_sha256: str = "") -> bool:
    """Keep this part instead of the archive, as a farm brings it."""
    with services(league).archives.receive_kept(model_sha256, kept_sha256 or sha256(content)) as part:
        part.write(content)
        return part.finish()


def stored(folder: pathlib.Path) -> set[str]:
    return {path.name for path in (folder / "models" / "archives").glob("*/*")}


def parts(folder: pathlib.Path) -> int:
    return len(list((folder / "models" / "parts").iterdir()))


def test_a_model_in_three_chunks_with_a_break(league: LeagueApp, folder: pathlib.Path) -> None:
    ann, content = sender(league, "ann"), archive(1)
    begun = ann.begin(content)
    upload_id = begun.json()["upload_id"]
    assert (begun.status_code, begun.headers["location"]) == (201, f"/api/v1/uploads/{upload_id}")
    first = ann.chunk(upload_id, 0, content[:1000])
    assert (first.status_code, first.headers["upload-offset"], first.json()["model"]) == (200, "1000", None)
    # What is repeated, or skips something, is refused with the place to go on at.
    for offset in (0, 999, 1001):
        refused = ann.chunk(upload_id, offset, content[offset : offset + 10])
        assert (refused.status_code, refused.headers["upload-offset"]) == (409, "1000")
        assert (refused.json()["offset"], refused.json()["status"]) == (1000, 409)
    again = ann.begin(content)
    assert (again.status_code, again.json()["upload_id"], again.json()["offset_bytes"]) == (200, upload_id, 1000)
    other_size = ann.begin(content, size_bytes=len(content) + 1)
    assert (other_size.status_code, other_size.json()["offset"]) == (409, 1000)
    head = ann.send("HEAD", f"/uploads/{upload_id}", b"", {})
    assert (head.headers["upload-offset"], head.headers["upload-length"]) == ("1000", str(len(content)))
    # Bytes that were written and never acknowledged, as before a power cut, are cut off again.
    with (folder / "models" / "parts" / f"{upload_id}.part").open("ab") as file:
        file.write(b"left behind")
    assert ann.chunk(upload_id, 1000, content[1000:3000]).json()["offset_bytes"] == 3000
    done = ann.chunk(upload_id, 3000, content[3000:])
    assert done.json()["model"] == ann.begin(content).json()["model"]
    assert (done.json()["model"]["name"], stored(folder), parts(folder)) == ("Fast one", {sha256(content)}, 0)
    assert ann.begin(content, "Other name").status_code == 200
    assert ann.chunk(upload_id, 0, content).status_code == 404
    listed = ann.call("GET", "/models").json()
    assert [each["sha256"] for each in listed["models"]] == [sha256(content)]
    assert (listed["uploads"], listed["used_bytes"]) == ([], len(content))


def test_the_same_bytes_of_two_racers_are_one_file_and_neither_learns_it(
    league: LeagueApp, folder: pathlib.Path
) -> None:
    bea, cem, content = sender(league, "bea"), sender(league, "cem"), archive(2)
    bea.upload(content, "Mine")
    first = cem.begin(content, "Mine too")
    assert (first.status_code, first.json()["offset_bytes"], first.json()["model"]) == (201, 0, None)
    cem.upload(content, "Mine too")
    assert [each["name"] for each in bea.call("GET", "/models").json()["models"]] == ["Mine"]
    assert bea.call("DELETE", f"/models/{sha256(content)}").status_code == 204
    assert bea.call("DELETE", f"/models/{sha256(content)}").status_code == 404
    path, whole = services(league).archives.file(sha256(content))
    assert (path.read_bytes(), whole) == (content, True)
    # Once it was read, only its policy is kept, under the name of what was sent.
    assert keep(league, sha256(content), b"the policy")
    assert not keep(league, sha256(content), b"another part")
    with pytest.raises(Conflict, match="not the one in the address"):
        keep(league, sha256(content), b"the policy", sha256(b"another"))
    with pytest.raises(Refused, match="smaller than the archive"):
        keep(league, sha256(content), content)
    dead = folder / "models" / "archives" / "aa" / ("a" * 64 + ".0.part")
    dead.parent.mkdir(parents=True, exist_ok=True)
    dead.write_bytes(b"of a process that died")
    path, whole = services(league).archives.file(sha256(content))
    assert (path.read_bytes(), whole, sha256(content) in stored(folder)) == (b"the policy", False, False)
    assert cem.begin(content).json()["model"]["size_bytes"] == len(content)
    bea.upload(content)
    assert services(league).archives.file(sha256(content))[0].read_bytes() == b"the policy"
    for each in (bea, cem):
        assert each.call("DELETE", f"/models/{sha256(content)}").status_code == 204
    services(league).archives.sweep()
    assert not dead.exists()
    assert not {sha256(content), sha256(b"the policy"), sha256(b"another part")} & stored(folder)
    with pytest.raises(NotHere):
        services(league).archives.file(sha256(content))


def test_other_bytes_than_announced_begin_again(league: LeagueApp) -> None:
    dan, content = sender(league, "dan"), archive(3)
    upload_id = dan.begin(content).json()["upload_id"]
    wrong = dan.chunk(upload_id, 0, archive(4))
    assert (wrong.status_code, wrong.headers["upload-offset"]) == (409, "0")
    assert "SHA-256 is another" in wrong.json()["detail"]
    too_many = dan.chunk(upload_id, 0, content + b"x")
    assert (too_many.status_code, too_many.json()["offset"]) == (409, 0)
    assert dan.upload(content) == sha256(content)


def test_what_is_no_archive_is_told_with_the_first_bytes(league: LeagueApp, folder: pathlib.Path) -> None:
    eve, content = sender(league, "eve"), b"<html>" + bytes(5000)
    race_id = virtual_race(league, "html", "eve")
    upload_id = eve.begin(content).json()["upload_id"]
    submitted = eve.submit(race_id, sha256(content)).json()
    assert submitted["state"] == "uploading"
    refused = eve.chunk(upload_id, 0, content[:1000])
    assert (refused.status_code, "no model's archive" in refused.json()["detail"]) == (422, True)
    found = eve.call("GET", f"/submissions/{submitted['submission_id']}").json()
    assert (found["submission"]["state"], found["submission"]["sentence"]) == ("rejected", refused.json()["detail"])
    assert [step["who"] for step in found["history"]] == ["racer", "leaderboard"]
    assert (eve.call("GET", f"/uploads/{upload_id}").status_code, parts(folder)) == (404, 0)
    tiny = eve.begin(b"\x1f\x8b").json()["upload_id"]
    assert eve.chunk(tiny, 0, b"\x1f\x8b").status_code == 422


def test_bounds(league: LeagueApp, monkeypatch: pytest.MonkeyPatch) -> None:
    fay = sender(league, "fay")
    for changes, sentence in (
        ({"size_bytes": 0}, "empty"),
        ({"size_bytes": 300_000_001}, "300.1 MB; at most 300 MB"),
        ({"size_bytes": 1_000_001}, "more than 1 MB"),
        ({"sha256": "../../etc/passwd"}, "SHA-256"),
        ({"name": " "}, "empty"),
        ({"name": "a\u202eb"}, "invisible"),
        ({"sha256": 5}, "sha256"),
    ):
        answer = fay.begin(archive(5), **changes)
        assert (answer.status_code, sentence in answer.json()["detail"]) == (422, True), answer.text
    uploads = [fay.begin(archive(seed)).json()["upload_id"] for seed in range(10, 14)]
    full = fay.begin(archive(14))
    assert (full.status_code, "4 unfinished uploads" in full.text) == (422, True)
    assert fay.call("DELETE", f"/uploads/{uploads[0]}").status_code == 204
    for seed in range(11, 14):
        fay.upload(archive(seed))
    fay.upload(archive(15))
    assert "4 models here" in fay.begin(archive(16)).text
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(model_files.RESERVED_BYTES))
    no_room = fay.begin(archive(17))
    assert (no_room.status_code, "no room for this archive" in no_room.text) == (503, True)


def test_a_disk_that_is_full_in_the_middle_loses_nothing_that_was_acknowledged(
    league: LeagueApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    gus, content = sender(league, "gus"), archive(6)
    upload_id = gus.begin(content).json()["upload_id"]
    assert gus.chunk(upload_id, 0, content[:1500]).status_code == 200

    def full(_descriptor: int, _view: memoryview) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        refused = gus.chunk(upload_id, 1500, content[1500:])
    assert (refused.status_code, "disk is full" in refused.text, "retry-after" in refused.headers) == (503, True, True)
    assert gus.call("GET", f"/uploads/{upload_id}").json()["offset_bytes"] == 1500
    assert gus.chunk(upload_id, 1500, content[1500:]).json()["model"]["sha256"] == sha256(content)


def test_who_may(league: LeagueApp) -> None:
    hal, ian, content = sender(league, "hal"), sender(league, "ian"), archive(7)
    upload_id = hal.begin(content).json()["upload_id"]
    for method in ("GET", "DELETE", "PATCH"):
        assert ian.send(method, f"/uploads/{upload_id}", b"x", {"upload-offset": "0"}).status_code == 404
        assert call(league.app, method, f"/api/v1/uploads/{upload_id}").status_code == 401
        assert call(league.app, method, f"/api/v1/uploads/{upload_id}", key=TOKEN).status_code == 403
    for bad in ("", "x", "-1", "9" * 17):
        assert hal.send("PATCH", f"/uploads/{upload_id}", b"x", {"upload-offset": bad}).status_code == 422
    large = hal.send("PATCH", f"/uploads/{upload_id}", b"x", {"upload-offset": "0", "content-length": str(10**9)})
    assert large.status_code == 413
    # The key is for models alone: it is not the person.
    assert hal.call("GET", "/me").status_code == 403
    assert hal.call("POST", "/races", {"name": "Mine", "track": "Oval"}).status_code == 403
    assert hal.call("POST", "/races/cup/entries").status_code in (401, 403)


def broken_off(sender_: ModelSender, upload_id: str, offset: int, piece: bytes) -> None:
    """Send a chunk, and lose the connection after half of its bytes."""
    messages: list[Message] = [
        {"type": "http.request", "body": piece, "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(_message: Message) -> None:
        pass

    path = f"/api/v1/uploads/{upload_id}"
    headers = {"host": "127.0.0.1", "authorization": f"Bearer {sender_.key}", "upload-offset": str(offset)}
    scope = {
        "type": "http", "http_version": "1.1", "method": "PATCH", "scheme": "http", "path": path,
        "raw_path": path.encode(), "query_string": b"", "root_path": "", "client": ("192.0.2.1", 1),
        "server": ("127.0.0.1", 80), "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
    }  # fmt: skip
    with contextlib.suppress(Exception):  # whatever becomes of an answer that nobody reads
        asyncio.run(sender_.league.app(scope, receive, send))


def test_what_arrived_before_the_connection_broke_is_kept(league: LeagueApp) -> None:
    jan, content = sender(league, "jan"), archive(8)
    upload_id = jan.begin(content).json()["upload_id"]
    broken_off(jan, upload_id, 0, content[:1234])
    assert jan.begin(content).json()["offset_bytes"] == 1234
    assert jan.chunk(upload_id, 1234, content[1234:]).json()["model"] is not None


def test_one_chunk_at_a_time_and_the_last_step_again_after_a_crash(league: LeagueApp, folder: pathlib.Path) -> None:
    kim, content = sender(league, "kim"), archive(9)
    uploads, caller = services(league).uploads, Caller("account-kim", "kim")
    begun = uploads.begin(caller, NewUpload(sha256(content), len(content), "One"), league.now_utc_ns)
    assert isinstance(begun, model_rows.UploadRecord)
    with (
        uploads.receive(caller, begun.upload_id, 0),
        pytest.raises(RetryLater, match="Another chunk"),
        uploads.receive(caller, begun.upload_id, 0),
    ):
        raise AssertionError
    # All bytes are there, and the process died before they became a model: an empty chunk ends it.
    (folder / "models" / "parts" / f"{begun.upload_id}.part").write_bytes(content)
    with league.store.write() as db:
        model_rows.advance(db, begun.upload_id, len(content), league.now_utc_ns)
    assert kim.begin(content).json()["offset_bytes"] == len(content)
    assert kim.chunk(begun.upload_id, len(content), b"").json()["model"]["sha256"] == sha256(content)


def test_the_folder_of_an_older_copy_is_not_believed(league: LeagueApp, folder: pathlib.Path) -> None:
    lea, content = sender(league, "lea"), archive(20)
    upload_id = lea.begin(content).json()["upload_id"]
    assert lea.chunk(upload_id, 0, content[:2000]).status_code == 200
    (folder / "models" / "parts" / f"{upload_id}.part").write_bytes(content[:700])
    assert lea.begin(content).json()["offset_bytes"] == 700
    assert lea.chunk(upload_id, 700, content[700:]).json()["model"] is not None
    services(league).archives.file(sha256(content))[0].unlink()
    with pytest.raises(StorageError, match="put the folder of models back"):
        services(league).archives.file(sha256(content))


def test_an_upload_that_nobody_goes_on_with_ends(league: LeagueApp, folder: pathlib.Path) -> None:
    mia, content = sender(league, "mia"), archive(21)
    race_id = virtual_race(league, "late", "mia")
    upload_id = mia.begin(content).json()["upload_id"]
    assert mia.chunk(upload_id, 0, content[:100]).status_code == 200
    submission_id = mia.submit(race_id, sha256(content)).json()["submission_id"]
    (folder / "models" / "parts" / "nobodys.part").write_bytes(b"x")
    league.now_utc_ns += 23 * HOUR_NS
    services(league).upkeep.work()
    assert mia.chunk(upload_id, 100, content[100:200]).status_code == 200
    league.now_utc_ns += 24 * HOUR_NS + 1
    services(league).upkeep.work()
    assert (mia.chunk(upload_id, 200, content[200:]).status_code, parts(folder)) == (404, 0)
    found = mia.call("GET", f"/submissions/{submission_id}").json()["submission"]
    assert (found["state"], found["sentence"]) == ("cancelled", "Its upload was never finished.")


def test_a_restart_goes_on_with_half_an_upload(league: LeagueApp, folder: pathlib.Path) -> None:
    nik, content = sender(league, "nik"), archive(22)
    upload_id = nik.begin(content).json()["upload_id"]
    assert nik.chunk(upload_id, 0, content[:3000]).status_code == 200
    attempts = league.app.state.services.attempts
    settings = SubmissionSettings(folder=str(folder / "models"))
    anew = SubmissionServices.over(league.store, attempts, settings, lambda: league.now_utc_ns)
    with anew.uploads.receive(Caller("account-nik", "nik"), upload_id, 3000) as chunk:
        chunk.write(content[3000:])
        progress = chunk.finish(league.now_utc_ns)
    assert isinstance(progress, UploadProgress)
    assert progress.model is not None
    with pytest.raises(Refused):
        anew.uploads.begin(Caller("account-nik", "nik"), NewUpload("0" * 64, 1, ""), league.now_utc_ns)
