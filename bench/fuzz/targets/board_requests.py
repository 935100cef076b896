"""Fuzz targets of what a leaderboard's callers send: times, passkeys, invitations, forms, cursors, headers."""

import json

from bench.fuzz.target import FuzzTarget, TargetTable
from shared.errors import RacedayError

ATTESTATION = "o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YUEA"  # CBOR: no format, no statement, no data


def times() -> FuzzTarget:
    from leaderboard.api.schemas import utc_ns
    from leaderboard.core.league.local_time import calendar_utc_ns, instant_utc_ns, parsed_local
    from leaderboard.scored_laps import utc_text

    def call(data: bytes) -> None:
        written = data.decode("latin-1")
        match len(data) % 3:
            case 0:
                at = utc_ns(written)
            case 1:
                at = instant_utc_ns(written, "Europe/Berlin")
            case _:
                at = calendar_utc_ns(parsed_local(written), "America/New_York")
        assert 0 <= at < 2**63, at
        utc_text(at)

    dates = (
        "2026-03-05T14:00:00+01:00",
        "9999-12-31T23:59:59+00:00",
        "2027-01-31T18:00",
        "2026-10-25T02:30",
        "20260305",
    )
    return FuzzTarget(call, [each.encode() for each in dates] + [f"{each} ".encode() for each in dates])


def passkeys() -> FuzzTarget:
    from leaderboard.accounts.entrance import passkeys as keys
    from shared.protocol.strict_json import read_json

    site = keys.RelyingParty("board.test", "http://board.test", "Board")

    def call(data: bytes) -> None:
        answer = read_json(data)
        if isinstance(answer, dict):
            keys._id_in(answer)
            keys._verified(answer, b"", 0, b"c" * 32, site)

    client = "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoiWTJOaiIsIm9yaWdpbiI6Imh0dHA6Ly9ib2FyZC50ZXN0In0"
    response = {"clientDataJSON": client, "authenticatorData": "A" * 50, "signature": "AAAA", "userHandle": None}
    answer = {"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": response, "clientExtensionResults": {}}
    return FuzzTarget(call, [json.dumps(answer).encode()], (RacedayError, ValueError))


def new_passkeys() -> FuzzTarget:
    from leaderboard.accounts.entrance import passkeys as keys
    from shared.protocol.strict_json import read_json

    site = keys.RelyingParty("board.test", "http://board.test", "Board")

    def call(data: bytes) -> None:
        answer = read_json(data)
        if isinstance(answer, dict):
            keys._registered(answer, b"c" * 32, site)

    response = {
        "clientDataJSON": "e30",
        "attestationObject": "o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YUEA",
        "transports": ["usb"],
    }
    answer = {"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": response, "clientExtensionResults": {}}
    return FuzzTarget(call, [json.dumps(answer).encode()], (RacedayError, ValueError))


def invitations() -> FuzzTarget:
    from leaderboard.core.invite import is_token, token, token_sha256

    def call(data: bytes) -> None:
        text = data.decode("latin-1")
        is_token(text)
        token_sha256(text)

    return FuzzTarget(call, [token(b"k" * 32, "cup", 1, "salt").encode()], ())


def forms() -> FuzzTarget:
    from leaderboard.web.forms import parsed

    def call(data: bytes) -> None:
        kind, _, body = data.partition(b"\n")
        form = parsed(kind.decode("latin-1"), body)
        form.get("name")
        form.all("name")

    multipart = (
        b'multipart/form-data; boundary=x\n--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nAnn\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n'
        b"Content-Type: text/csv\r\n\r\n1,2\r\n--x--\r\n"
    )
    return FuzzTarget(call, [multipart, b"application/x-www-form-urlencoded\nname=Ann&csrf=%C3%A9"])


def cursors() -> FuzzTarget:
    from leaderboard.store.ranking.windows import read_cursor

    return FuzzTarget(lambda data: read_cursor(data.decode("latin-1")), [b"WzEsMiwzXQ", b"WyJhIl0="])


def import_parameters() -> FuzzTarget:
    from urllib.parse import parse_qsl

    from leaderboard.exchange.parameters import request_of

    def call(data: bytes) -> None:
        values = dict(parse_qsl(data.decode("latin-1"), keep_blank_values=True))
        request_of("cup", "league", values)

    query = b"create=true&name=Cup&track=Oval&timing_method=BEST_LAP_TIME&minimum_laps=3&opens_at=2026-03-05T14:00:00Z"
    return FuzzTarget(call, [query, b"dry_run=true&only_track=1&penalties=included&max_resets=9999"])


def browsers_headers() -> FuzzTarget:
    from starlette.datastructures import Headers

    from leaderboard.web.cookies import cookie_value, token_in
    from shared.web.language import _cookie
    from shared.web.security import cross_site_reason, is_allowed_host, local_path
    from station.access.tokens import shown_tokens

    def call(data: bytes) -> None:
        parts = (data.split(b"\n") + [b""] * 6)[:6]
        host, _, _, cookie, authorization, path = (part.decode("latin-1") for part in parts)
        raw = [(b"host", parts[0]), (b"origin", parts[1]), (b"sec-fetch-site", parts[2]), (b"cookie", parts[3])]
        headers = Headers(raw=raw)
        is_allowed_host(host, frozenset({"board.test"}))
        cross_site_reason(headers, "http", "This station")
        cookie_value(headers, "raceday_league", "http")
        token_in(headers, "raceday_league", "http")
        _cookie(cookie)
        shown_tokens(cookie, authorization)
        wanted = local_path(path)
        assert wanted.startswith("/")
        assert not wanted.startswith(("//", "/\\"))

    lines = (
        "[::1]:8080",
        "http://station.local:8080",
        "same-origin",
        f"raceday_session={'a' * 43}",
        f"Bearer {'b' * 43}",
        "/a?b=1",
    )
    return FuzzTarget(call, ["\n".join(lines).encode(), b"127.0.0.1\nnull\ncross-site"], ())


def addresses() -> FuzzTarget:
    from shared.addresses import address_of, counted_prefix
    from shared.errors import ConfigError
    from shared.web.host_names import host_name, host_names

    def call(data: bytes) -> None:
        text = data.decode("latin-1")
        address_of(text)
        counted_prefix(text)
        host_name(text)
        try:
            host_names((text,), "allowed_hosts")
        except ConfigError:
            return

    return FuzzTarget(call, [b"station.local", b"[fe80::1]:8080 ", b"10.0.0.1:1883"], (ValueError,))


BOARD_REQUESTS: TargetTable = {
    "times": times,
    "passkeys": passkeys,
    "new-passkeys": new_passkeys,
    "invitations": invitations,
    "forms": forms,
    "cursors": cursors,
    "import-parameters": import_parameters,
    "browser-headers": browsers_headers,
    "addresses": addresses,
}
