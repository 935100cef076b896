"""Fuzz targets of the files that a leaderboard takes: boards and laps of others, backups, pictures, videos, traces."""

import gzip
import io
import json
import pathlib
import tempfile

from bench.fuzz.target import FuzzTarget, TargetTable

GERMAN = "Racer;BestLapTime;LapCount\nZoë;9000;3\n"
NOW_UTC_NS = 1_790_000_000_000_000_000


def published_boards() -> FuzzTarget:
    from leaderboard.exchange.csv_table import examined
    from leaderboard.exchange.league.board import StagedBoard
    from tests.leaderboard.exchange.boards import HEADING

    def call(data: bytes) -> None:
        StagedBoard(examined("board.csv", io.BytesIO(data)), "average").close()

    row = "ann,2024-03-05 14:00:00,3,9000.5,8800,27001,1,9000,abc-1"
    text = f"{HEADING}\n{row}\n'=1+1,,1,9,9,9,2,9,\n"
    return FuzzTarget(call, [text.encode(), text.replace(",", ";").encode("utf-16"), text.encode("utf-8-sig")])


def event_managers_laps() -> FuzzTarget:
    from leaderboard.exchange.csv_table import examined
    from leaderboard.exchange.laps.drem import HEADINGS, DremRuns

    def call(data: bytes) -> None:
        runs = DremRuns(examined("laps.csv", io.BytesIO(data)), "")
        list(runs)
        runs.close()

    heading, row = ",".join(HEADINGS.values()), "race-1,ann,u-1,1,2024-03-05T14:00:00Z,1,9000.5,0,true"
    return FuzzTarget(call, [f"{heading}\n{row}\n".encode(), f"{heading}\n{row}\n{row}\n".replace(",", ";").encode()])


def evaluation_metrics() -> FuzzTarget:
    from leaderboard.exchange.csv_table import examined
    from leaderboard.exchange.laps import metrics
    from leaderboard.exchange.request import ImportRequest

    request = ImportRequest("cup", "metrics", racer="ann")

    def call(data: bytes) -> None:
        for run in metrics.read(examined("metrics.json", io.BytesIO(data)), request):
            assert run.laps

    trial = {
        "completion_percentage": 100, "metric_time": 9000, "start_time": 1_700_000_000_000, "trial": 1,
        "reset_count": 0, "elapsed_time_in_milliseconds": 9000, "episode_status": "Lap complete",
        "off_track_count": 0, "crash_count": 0,
    }  # fmt: skip
    return FuzzTarget(call, [json.dumps({"metrics": [trial, trial], "version": 1}).encode()])


def boards_to_rank() -> FuzzTarget:
    from raceday.rank import rank_csv
    from shared.boards.board_text import decoded
    from shared.rules.ranking import RaceRules

    def call(data: bytes) -> None:
        rank_csv(decoded(data, "board.csv")[0], RaceRules(method="best_lap", consecutive_laps=1), "board.csv")

    return FuzzTarget(call, [b"Racer,BestLapTime\nann,9000\nbob,8800\n", GERMAN.encode("cp1252")])


def backups_of_a_board() -> FuzzTarget:
    from leaderboard.exchange.backup.backup_file import _KEY, BackupReader

    path = pathlib.Path(tempfile.mkdtemp(prefix="raceday-fuzz-")) / "backup.gz"

    def call(data: bytes) -> None:
        """The lines are the fuzzer's; an odd length is the packed file itself."""
        path.write_bytes(data if len(data) % 2 else gzip.compress(data, 1))
        BackupReader(path).check()

    tables = [{"name": "races", "columns": ["race_id"]}]
    header = {_KEY: 1, "revision": "0001", "made_utc_ns": 1, "tables": tables}
    lines = json.dumps(header) + '\n[0,["cup"]]\n{"rows":[1],"sha256":"00"}\n'
    return FuzzTarget(call, [lines.encode(), f"{lines} ".encode()])


def pictures() -> FuzzTarget:
    from PIL import Image

    from leaderboard.league.pictures import picture_of

    seeds = []
    for kind in ("PNG", "JPEG", "WEBP"):
        out = io.BytesIO()
        Image.new("RGB", (16, 8), (200, 30, 30)).save(out, kind)
        seeds.append(out.getvalue())
    return FuzzTarget(picture_of, seeds)


def videos() -> FuzzTarget:
    from shared.protocol.videos import check_video

    return FuzzTarget(check_video, [b"\0\0\0\x18ftypisom\0\0\2\0isomiso2\0\0\0\x08moov\0\0\0\x08mdat"])


def traces() -> FuzzTarget:
    from shared.traces.encoding import decode, encode
    from shared.traces.field_files import metrics_json, simtrace_csv
    from tests.shared.traces.driven import round_trip

    def call(data: bytes) -> None:
        trace = decode(data)
        assert decode(encode(trace)) == trace
        simtrace_csv(trace, NOW_UTC_NS)
        metrics_json(trace)

    return FuzzTarget(call, [encode(round_trip(1))])


def descriptions() -> FuzzTarget:
    from html.parser import HTMLParser
    from urllib.parse import urlsplit

    from leaderboard.core.league.editing import check_description
    from leaderboard.league.description import html_of

    class Checked(HTMLParser):
        """As a browser reads it: no scripts, no handlers, and links to pages and post only."""

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag not in ("script", "style", "iframe", "object", "img", "svg", "form", "base", "meta"), tag
            for name, value in attrs:
                assert not name.startswith("on"), name
                assert name != "src", value
                assert name != "href" or urlsplit(value or "").scheme in ("", "http", "https", "mailto"), value

    def call(data: bytes) -> None:
        Checked().feed(html_of(check_description(data.decode(errors="replace"))))

    text = "# A race\n* one\n[rules](https://example.org)\n![x](javascript:alert(1))\n<script>alert(1)</script>\n"
    return FuzzTarget(call, [text.encode()])


BOARD_FILES: TargetTable = {
    "published-boards": published_boards,
    "drem-laps": event_managers_laps,
    "evaluation-metrics": evaluation_metrics,
    "boards-to-rank": boards_to_rank,
    "board-backups": backups_of_a_board,
    "pictures": pictures,
    "videos": videos,
    "traces": traces,
    "descriptions": descriptions,
}
