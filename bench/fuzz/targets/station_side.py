"""Fuzz targets of the station: orders, its journal, bundles and backups, lists of racers, answers of leaderboards."""

import io
import json
import pathlib
import tempfile
import zipfile
from collections.abc import Callable

from bench.fuzz.target import FuzzTarget, TargetTable
from shared.errors import RacedayError


def scratch(name: str) -> pathlib.Path:
    """A file of this process, for what is read from a path."""
    return pathlib.Path(tempfile.mkdtemp(prefix="raceday-fuzz-")) / name


def commands() -> FuzzTarget:
    from shared.protocol.strict_json import read_json
    from station.core.command_values import value_refusal
    from station.core.engine import Engine
    from station.core.inputs import COMMANDS
    from station.store.encoding import decode_input, encode_input
    from station.web.command_parser import parse_command

    def call(data: bytes) -> None:
        command = parse_command(read_json(data))
        if not value_refusal(command):
            assert decode_input(encode_input(command)) == command
            Engine().handle(command)

    seeds = [json.dumps({"command": name, "racer": "Ann", "car": "car-1"}).encode() for name in COMMANDS]
    more = {"command": "create_race", "name": "Cup", "rules": {"max_laps": 3, "min_lap_s": 4.4}}
    return FuzzTarget(call, [*seeds, json.dumps(more).encode()], (RacedayError, ValueError))


def journal_records() -> FuzzTarget:
    from shared.rules.ranking import RaceRules
    from station.core.engine import Engine
    from station.store.encoding import decode_input, encode_input
    from tests.station.core.scripted_race import Hand

    def call(data: bytes) -> None:
        engine = Engine()
        for line in data.split(b"\n"):
            engine.handle(decode_input(line))

    hand = Hand(RaceRules(max_laps=3))
    hand.drive([1, 9, 17, 25])
    inputs = [encode_input(event) for event in hand.inputs]
    return FuzzTarget(call, [b"\n".join(inputs), *inputs[:12]])


def journal_file() -> FuzzTarget:
    from station.commands.journal import verified

    return _damaged_journal(verified)


def salvage_of_a_journal() -> FuzzTarget:
    from station.store.surviving_records import last_good

    return _damaged_journal(lambda path: last_good(path, frozenset()))


def _damaged_journal(read: Callable[[pathlib.Path], object]) -> FuzzTarget:
    """A whole journal with other bytes in one place: the first two say where, the others what stands there."""
    from tests.station.evidence.test_evidence import signed

    path = scratch("station.db")
    signed(path).close()
    whole = path.read_bytes()

    def call(data: bytes) -> None:
        changed = bytearray(whole)
        at = int.from_bytes(data[:2], "little") * 7 % len(whole)
        changed[at : at + len(data[2:])] = data[2:]
        for each in path.parent.iterdir():
            each.unlink()
        path.write_bytes(changed)
        read(path)

    return FuzzTarget(call, [b"\0\0", b"\x10\x02\xff\xff\xff\xff", whole[:100]])


def bundles() -> FuzzTarget:
    import hashlib

    from station.evidence import bundle_files as files
    from station.evidence.bundle import make_bundle
    from station.evidence.verify import CHECK_ERRORS, check
    from tests.station.evidence.test_evidence import signed

    folder = scratch("a.db").parent
    signed(folder / "a.db").close()
    make_bundle(folder / "a.db", "run-1", folder / "b.zip")
    with zipfile.ZipFile(folder / "b.zip") as packed:
        genuine = {name: packed.read(name) for name in packed.namelist()}
    manifest = json.loads(genuine[files.MANIFEST])

    def call(data: bytes) -> None:
        """The records are the fuzzer's, and the manifest fits them."""
        manifest["files"][files.RECORDS] = hashlib.sha256(data).hexdigest()
        forged = {**genuine, files.RECORDS: data, files.MANIFEST: json.dumps(manifest).encode()}
        check(files.FilesInMemory(forged))

    return FuzzTarget(
        call, [genuine[files.RECORDS], *genuine[files.RECORDS].splitlines(keepends=True)[:4]], CHECK_ERRORS
    )


def bundle_zips() -> FuzzTarget:
    from station.evidence.verify import CHECK_ERRORS, check_file

    path = scratch("b.zip")

    def call(data: bytes) -> None:
        path.write_bytes(data)
        check_file(str(path))

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in (
            ("manifest.json", b'{"files":{}}'),
            ("journal.jsonl", b"{}\n"),
            ("checkpoints.json", b"[]"),
        ):
            made.writestr(name, content)
    return FuzzTarget(call, [packed.getvalue()], CHECK_ERRORS)


def backups() -> FuzzTarget:
    from station.store.recovery.backup import unpack

    path = scratch("backup.zip")
    into = path.parent / "into"

    def call(data: bytes) -> None:
        path.write_bytes(data)
        into.mkdir(exist_ok=True)
        for each in into.iterdir():
            each.unlink()
        unpack(path, into)

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("raceday-backup.json", b'{"backup":1,"files":{"station.db":"00"}}')
        made.writestr("station.db", b"SQLite format 3\0")
    return FuzzTarget(call, [packed.getvalue()])


def rosters() -> FuzzTarget:
    from station.core.event.csv_roster import read_roster
    from station.core.event.event_book import EventBook

    book = EventBook()
    seeds = (
        'Alias,Flag,Team,Colour,Car,Model,Transponders\r\nAnn,DE,Blue,#00ff00,car-1,m,"12; 13"\r\n',
        "Racer;Country\nZoë;Germany\n",
        "\ufeffName\tTransponder 2\n'=1+1\t12\n",
    )
    encoded = [
        seed.encode(kind)
        for seed in seeds
        for kind in ("utf-8", "utf-16", "cp1252")
        if kind != "cp1252" or "\ufeff" not in seed
    ]
    return FuzzTarget(lambda data: read_roster(data, book), encoded, ())


def checklists() -> FuzzTarget:
    from station.checklists.stored_file import StoredChecklists, as_bytes, checklists_in

    def call(data: bytes) -> None:
        as_bytes(checklists_in(data))

    return FuzzTarget(call, [as_bytes(StoredChecklists())])


def screens() -> FuzzTarget:
    from station.screens.register import FILE, ScreenRegister

    path = scratch(FILE)

    def call(data: bytes) -> None:
        path.write_bytes(data)
        ScreenRegister(path.parent)

    return FuzzTarget(call, [b'{"screens":[{"id":"a","name":"Hall","page":"live","width":1,"height":1}]}'], ())


def answers() -> FuzzTarget:
    from shared.web.http_exchange import Reply
    from station.sync.verdict import contract_sentence, retry_after_s, verdict
    from tests.leaderboard.sample_races import result

    posted = result()

    def call(data: bytes) -> None:
        """A status, a line of headers, and the body."""
        head, _, body = data.partition(b"\n")
        status = 200 + int.from_bytes(head[:2], "little") % 400
        words = head[2:].decode("latin-1").split("|")
        names = ("raceday-contract", "content-type", "retry-after", "content-encoding", "location")
        reply = Reply(status, dict(zip(names, words, strict=False)), body)
        verdict(posted, reply, 1e9, frozenset({"race"}))
        contract_sentence(reply)
        retry_after_s(words[-1], 1e9)

    contract = b"results/2|application/json|3"
    seeds = [
        bytes([status - 200, 0]) + contract + b"\n" + body
        for status, body in ((201, b'{"best":true,"racers":9,"rank":1,"score_ms":27300}'), (409, b'{"error":"x"}'))
    ]
    return FuzzTarget(call, [*seeds, b"\x00\x00||Wed, 21 Oct 2015 07:28:00 GMT\n"], ())


def race_offers_file() -> FuzzTarget:
    from shared.protocol.races import RaceOffer, encode_offer
    from shared.rules.ranking import RaceRules
    from station.store.event_files.race_offers import _parsed

    good = b'"cup"\n' + encode_offer(RaceOffer("cup", "Cup", "Oval", RaceRules())) + b"\n"
    return FuzzTarget(_parsed, [good], ())


def tracks() -> FuzzTarget:
    from shared.tracks.drawing import draw_track
    from shared.tracks.outline import outline_of
    from shared.tracks.shipped import shipped_bytes, shipped_names

    def call(data: bytes) -> None:
        draw_track(outline_of("track", data))

    small = sorted((shipped_bytes(name) for name in shipped_names()), key=len)[:3]
    return FuzzTarget(call, small)


STATION_SIDE: TargetTable = {
    "commands": commands,
    "journal-records": journal_records,
    "journal-file": journal_file,
    "journal-salvage": salvage_of_a_journal,
    "bundle-records": bundles,
    "bundle-zips": bundle_zips,
    "backups": backups,
    "rosters": rosters,
    "checklists": checklists,
    "screens": screens,
    "answers": answers,
    "race-offers": race_offers_file,
    "tracks": tracks,
}
