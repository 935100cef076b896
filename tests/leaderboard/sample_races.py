"""Sample results, posts and a running leaderboard for the tests of this folder."""

import base64
import json
import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import requests

from leaderboard.core.race import RaceRecord
from shared.protocol.results import RESULT_PATH, Evidence, Result, encode_result
from shared.rules.ranking import RaceRules, RunLap, score_run
from shared.units import NS_PER_MS
from shared.webhooks import parse_secret, sign

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
TOKEN = "an-admin-token-of-the-tests-0123"
RULES = RaceRules(off_track_penalty_s=1.0)


def race(race_id: str = "cup", **changes: Any) -> RaceRecord:
    values: dict[str, Any] = {"name": "Cup", "kind": "league", "venue": "physical", "track": "Oval", "rules": RULES}
    return RaceRecord(race_id, **(values | changes))


def laps(times_ms: Sequence[int], off_tracks: Sequence[int] = ()) -> tuple[RunLap, ...]:
    made, at_ns = [], 0
    for number, time_ms in enumerate(times_ms, 1):
        at_ns += time_ms * NS_PER_MS
        off = off_tracks[number - 1] if number <= len(off_tracks) else 0
        made.append(RunLap(number, time_ms * NS_PER_MS, at_ns, off_tracks=off))
    return tuple(made)


def result(
    result_id: str = "run-1",
    racer: str = "anna",
    times_ms: Sequence[int] = (9000, 9100, 9200),
    rules: RaceRules = RULES,
    **changes: Any,
) -> Result:
    """A result whose score is right by `rules`, or 0 if the run does not qualify."""
    run = changes.pop("laps", laps(times_ms))
    score = score_run(run, rules)
    values: dict[str, Any] = {
        "revision": 1,
        "race_id": "cup",
        "racer": racer,
        "run_id": f"of-{result_id}",
        "car": "car-1",
        "model": "apex",
        "model_sha256": "00" * 32,
        "laps": run,
        "score_ms": 0 if score is None else score.score_ms,
        "finished_utc_ns": 1_700_000_000_000_000_000,
        "evidence": Evidence("station-1", "ab" * 32, 1, 9, 40_000, {"raceday": "0.1.0"}),
    }
    return Result(result_id, **(values | changes))


def headers(webhook_id: str, body: bytes, at_s: int | None = None, secret: str = SECRET) -> dict[str, str]:
    at_s = int(time.time()) if at_s is None else at_s
    signature = sign(parse_secret(secret), webhook_id, at_s, body)
    return {"webhook-id": webhook_id, "webhook-timestamp": str(at_s), "webhook-signature": signature}


@dataclass
class Running:
    """A leaderboard process that the tests started."""

    process: subprocess.Popen[str]
    url: str
    folder: pathlib.Path

    def post(self, what: Result | bytes, webhook_id: str = "", **changed: str) -> requests.Response:
        body = what if isinstance(what, bytes) else encode_result(what)
        webhook_id = webhook_id or (what.webhook_id if isinstance(what, Result) else "x.1")
        return requests.post(self.url + RESULT_PATH, data=body, headers=headers(webhook_id, body) | changed, timeout=60)

    def admin(self, method: str, path: str, body: object, token: str = TOKEN) -> requests.Response:
        return admin(self.url, method, path, body, token)

    def get(self, path: str) -> requests.Response:
        return requests.get(self.url + path, timeout=60)

    def new_race(self, race_id: str, **fields: Any) -> None:
        body = {"race_id": race_id, "name": race_id.title(), "track": "Oval", "rules": {"off_track_penalty_s": 1}}
        assert self.admin("POST", "/races", body | fields).status_code == 201

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def stop(self) -> tuple[int, str]:
        """Send SIGTERM; return the exit code and the output (stdout, then stderr) without the claim code."""
        self.process.terminate()
        out, err = self.process.communicate(timeout=60)
        out = "".join(line for line in out.splitlines(keepends=True) if not line.startswith("claim code "))
        return self.process.returncode, out + err


def admin(url: str, method: str, path: str, body: object, token: str = TOKEN) -> requests.Response:
    """Ask as the administrator, at the leaderboard's address."""
    credentials = {"authorization": f"Bearer {token}"}
    return requests.request(method, f"{url}/api/v1{path}", data=json.dumps(body), headers=credentials, timeout=60)


def write_config(folder: pathlib.Path, extra: str = "", secrets: str = SECRET) -> pathlib.Path:
    (folder / "webhook.secret").write_text(secrets + "\n")
    (folder / "admin.token").write_text(TOKEN + "\n")
    for name in ("webhook.secret", "admin.token"):
        (folder / name).chmod(0o600)
    path = folder / "leaderboard.toml"
    files = 'webhook_files = ["webhook.secret"]\nadmin_file = "admin.token"'
    path.write_text(f"[server]\nport = 0\n[secrets]\n{files}\n{extra}")
    return path


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-W", "error", "-m", "raceday", "leaderboard", *arguments]


def start(folder: pathlib.Path, extra: str = "", port: int = 0, secrets: str = SECRET, processes: int = 1) -> Running:
    """Start a leaderboard over the store in `folder`; return once it listens."""
    path = write_config(folder, extra, secrets)
    path.write_text(path.read_text().replace("port = 0", f"port = {port}\nprocesses = {processes}"))
    root = pathlib.Path(__file__).resolve().parents[2]
    process = subprocess.Popen(
        command("--config", str(path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line.startswith("listening on "):
        raise AssertionError(f"the leaderboard did not start: {line}{process.communicate(timeout=60)}")
    return Running(process, line.removeprefix("listening on ").strip(), folder)
