"""`raceday submit` against a real leaderboard: lost connections, restarts, refusals, and what it prints."""

import pathlib
from collections.abc import Iterator, Mapping

import pytest

from leaderboard.core.submissions.states import SubmissionMove
from raceday.__main__ import main as raceday
from raceday.submitting import sender
from raceday.submitting.api import ApiAnswer, LeaderboardApi
from raceday.submitting.packing import opened_archive
from raceday.submitting.sender import ModelSending
from raceday.submitting.submit import main
from shared.errors import BadInput, OperatorError, Refused, RetryLater
from tests.leaderboard.submissions.racers import archive, sha256
from tests.leaderboard.submissions.serving import ServedRace, served_race


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedRace]:
    with served_race(tmp_path_factory.mktemp("submit")) as made:
        yield made


def never(_seconds: float) -> None:
    raise AssertionError("nothing should be waited for")


class BreakingApi(LeaderboardApi):
    """A connection that breaks at these calls that send bytes: before they arrive, or after, with the answer lost."""

    def __init__(self, served: ServedRace, before: set[int], after: set[int]) -> None:
        super().__init__(served.url, served.key)
        self.before, self.after, self.sent = before, after, list[int]()

    def call(
        self,
        method: str,
        path: str,
        document: object = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> ApiAnswer:
        if method != "PATCH" or headers is None:
            return super().call(method, path, document, body, headers)
        number = len(self.sent)
        self.sent.append(int(headers["upload-offset"]))
        if number in self.before:
            raise RetryLater("The connection broke.")
        answer = super().call(method, path, document, body, headers)
        if number in self.after:
            raise RetryLater("The answer was lost.")
        return answer


def test_what_arrived_is_not_sent_again(
    served: ServedRace, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = archive(40, 300_000)
    (tmp_path / "a.tar.gz").write_bytes(content)
    monkeypatch.setattr(sender, "CHUNK_BYTES", 100_000)
    told, waited, said = list[int](), list[float](), list[str]()
    api = BreakingApi(served, {1}, {2})
    with opened_archive(tmp_path / "a.tar.gz") as opened:
        sending = ModelSending(api, opened, waited.append, lambda done, _size: told.append(done), said.append)
        assert sending.begin("Fast")
        sending.send()
    # The second chunk is lost; half of it arrives, with its answer lost; then as much as the line took goes on.
    assert api.sent == [0, 100_000, 100_000, 165_536, 231_072, 296_608]
    assert (told[0], told[-1], waited) == (0, len(content), [1.0, 2.0])
    assert said == ["The connection broke. Once more in 1 s.", "The answer was lost. Once more in 2 s."]
    assert served.stored(sha256(content)) == content
    assert not ModelSending(api, opened, never, lambda *_: None, said.append).begin("Fast")


def test_the_whole_command(served: ServedRace, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = tmp_path / "my-car"
    model.mkdir()
    (model / "model.onnx").write_bytes(b"\x08\x08" + bytes(1000))
    (model / "model_metadata.json").write_text("{}")
    (model / "train.log").write_text("not sent")
    farm: list[SubmissionMove] = ["prepare", "evaluate", "score"]
    options = ["--race", "cup", "--server", served.url, "--key", served.key]
    assert main([str(model), *options], lambda _s: served.moved(farm.pop(0), "9.100 s." if not farm else "")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Sending: 0.0 of 0.0 MB"
    assert f"Submitted: {served.url}/races/cup/submissions" in lines
    states = [line.split("  ")[1] for line in lines if "Z  " in line]
    assert states == [
        "Uploading: The archive is being uploaded.",
        "Queued: It waits for its evaluation.",
        "Preparing: The archive is being read.",
        "Evaluating: It is being driven.",
        "Scored: 9.100 s.",
    ]
    assert (served.newest().model_name, "   Next in the queue" in lines) == ("my-car", True)
    # The same folder is the same bytes, in whatever order and whenever it was written.
    for name in ("model.onnx", "model_metadata.json"):
        (model / name).touch()
    assert main([str(model), *options, "--no-wait", "--name", "Other"], never) == 0
    assert "nothing is sent" in capsys.readouterr().out
    served.moved("cancel")


def test_a_second_try_goes_on_with_the_same_submission(served: ServedRace, tmp_path: pathlib.Path) -> None:
    content = archive(41, 100_000)
    (tmp_path / "b.zip").write_bytes(content)
    api = LeaderboardApi(served.url, served.key)
    with opened_archive(tmp_path / "b.zip") as first:  # the computer is switched off within
        sending = ModelSending(api, first, never, lambda *_: None, lambda _said: None)
        assert sending.begin("b")
        begun = sending.submit("cup", "", "one")
    options = ["--race", "cup", "--server", served.url, "--key", served.key, "--no-wait"]
    assert main([str(tmp_path / "b.zip"), *options], never) == 0
    assert (served.newest().submission_id, served.newest().state) == (begun["submission_id"], "queued")
    served.moved("reject", "The archive holds no model.")
    assert main([str(tmp_path / "b.zip"), *options[:-1]], lambda _s: served.moved("reject")) == 1


def test_refusals_are_sentences(
    served: ServedRace, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RACEDAY_KEY", raising=False)
    good = tmp_path / "c.tar.gz"
    good.write_bytes(archive(42))
    (tmp_path / "page.html").write_text("<html>")
    (tmp_path / "empty").mkdir()
    here = ["--server", served.url, "--key", served.key]
    for arguments, kind, words in (
        ([str(tmp_path / "page.html"), "--race", "cup", *here], BadInput, "no model's archive"),
        ([str(tmp_path / "empty"), "--race", "cup", *here], BadInput, "holds no model"),
        ([str(tmp_path / "none"), "--race", "cup", *here], BadInput, "cannot be read"),
        ([str(good), "--race", "cup", "--server", "localhost", "--key", served.key], BadInput, "http://HOST:PORT"),
        ([str(good), "--race", "cup", "--server", served.url], BadInput, "/account/keys"),
        ([str(good), "--race", "cup", "--server", served.url, "--key", "rk_" + "x" * 43], OperatorError, "revoked"),
        ([str(good), "--race", "no such/race", *here], Refused, "cannot name a race"),
        ([str(good), "--race", "no-such-race", *here], OperatorError, "There is no race"),
    ):
        with pytest.raises(kind, match=words):
            main(arguments, never)
    waited = list[float]()
    with pytest.raises(RetryLater, match=r"cannot be reached.*the same command goes on"):
        main([str(good), "--race", "cup", "--server", "http://127.0.0.1:9", "--key", served.key], waited.append)
    assert waited == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0, 30.0]
    assert capsys.readouterr().err.count("Connection refused). Once more in 30 s.\n") == 4, "nobody waits in silence"
    assert raceday(["submit", str(tmp_path / "page.html"), "--race", "cup", *here]) == 2
    assert capsys.readouterr().err.startswith("raceday submit: This is no model's archive")
