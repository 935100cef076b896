"""Reads a form with a file (multipart/form-data) that a page of ours sent, within limits of size and time.

The same checks as for any form (forms.py): our own page, and the token of the same browser. The fields come before the
file, so that a forged form is refused before its file is read. Used by the pages of tracks and of backups.
"""

import asyncio
import io
import pathlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import BinaryIO

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from shared.errors import BadInput, StorageError
from shared.text import text
from shared.web.security import cross_site_reason
from station.web.access import AccessDenied
from station.web.pages.forms import FORM_FIELD, check_token

MAX_FIELD_BYTES = 1000
MAX_FORM_BYTES = 20_000  # of all that is not the file
MAX_PARTS = 20
IDLE_S = 30.0  # the longest silence in the middle of a file


@dataclass(slots=True)
class Upload:
    """The form as it arrived. `file_name`: the name of the file as the browser said it, without folders."""

    fields: dict[str, str] = field(default_factory=dict)
    file_name: str = ""
    size: int = 0
    data: bytes = b""


async def read_upload(request: Request, max_bytes: int, into: BinaryIO | None = None) -> Upload:
    """The fields and the one file of a form; the file goes to `into`, or to `data` of what is returned.

    Raises AccessDenied, BadInput, StorageError, TimeoutError.
    """
    if why := cross_site_reason(request.headers, request.url.scheme, text("the station's")):
        raise AccessDenied(403, why)
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 0 < len(boundary) <= 100:
        raise AccessDenied(415, text("Send the form of the page."))
    memory = io.BytesIO()
    reader = _Parts(request, max_bytes, into if into is not None else memory)
    parser = reader.parser(boundary)
    try:
        async for chunk in _chunks(request):
            parser.write(chunk)
        parser.finalize()
    except (FormParserError, ClientDisconnect):
        raise BadInput(text("The file did not arrive whole: send it again.")) from None
    except OSError as error:
        raise StorageError(text("The file cannot be stored ({why}); free some space.", why=error.strerror)) from None
    if not reader.whole:
        raise BadInput(text("The file did not arrive whole: send it again."))
    if not reader.token_right:
        raise _forged()
    if not reader.sent.file_name or not reader.sent.size:
        raise BadInput(text("Choose a file first."))
    reader.sent.data = memory.getvalue()
    return reader.sent


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes. Raises TimeoutError if nothing comes for a while."""
    stream = aiter(request.stream())
    while True:
        try:
            async with asyncio.timeout(IDLE_S):
                yield await anext(stream)
        except StopAsyncIteration:
            return


def _forged() -> AccessDenied:
    return AccessDenied(403, text("This form is from another session or browser: open the page again."))


class _Parts:
    """Takes what the parser finds: small fields into memory, the file into its target."""

    def __init__(self, request: Request, max_bytes: int, target: BinaryIO) -> None:
        self.sent = Upload()
        self.whole = self.token_right = False
        self._request, self._max_bytes, self._target = request, max_bytes, target
        self._header, self._headers = (b"", b""), dict[bytes, bytes]()
        self._name, self._is_file, self._value = "", False, b""
        self._parts = self._form_bytes = 0

    def parser(self, boundary: bytes) -> MultipartParser:
        return MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._on_header_name,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers,
                "on_part_data": self._on_data,
                "on_part_end": self._end,
                "on_end": self._on_end,
            },
        )

    def _begin(self) -> None:
        self._parts += 1
        self._headers, self._value = {}, b""
        self._header = (b"", b"")
        if self._parts > MAX_PARTS:
            raise BadInput(text("The form has too many fields."))

    def _on_header_name(self, data: bytes, begin: int, end: int) -> None:
        self._count(end - begin)
        self._header = (self._header[0] + data[begin:end], self._header[1])

    def _on_header_value(self, data: bytes, begin: int, end: int) -> None:
        self._count(end - begin)
        self._header = (self._header[0], self._header[1] + data[begin:end])

    def _on_header_end(self) -> None:
        self._headers[self._header[0].lower()] = self._header[1]
        self._header = (b"", b"")

    def _on_headers(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        self._is_file = b"filename" in options
        if not self._is_file:
            return
        if not self.token_right:
            raise _forged()
        if self.sent.file_name:
            raise BadInput(text("Send one file at a time."))
        # Browsers send the name alone; whatever else it may hold, only its last part is looked at, and never opened.
        name = options[b"filename"].decode("utf-8", "replace").replace("\\", "/")
        self.sent.file_name = pathlib.PurePosixPath(name).name

    def _on_data(self, data: bytes, begin: int, end: int) -> None:
        if not self._is_file:
            self._count(end - begin)
            self._value += data[begin:end]
            return
        self.sent.size += end - begin
        if self.sent.size > self._max_bytes:
            limit = f"{self._max_bytes / 1_000_000:g} MB"
            raise BadInput(text("The file is larger than {limit}: it is not what belongs here.", limit=limit))
        self._target.write(data[begin:end])

    def _end(self) -> None:
        if self._is_file:
            return
        if len(self._value) > MAX_FIELD_BYTES:
            raise BadInput(text("A field has more than {max} characters.", max=MAX_FIELD_BYTES))
        value = self._value.decode("utf-8", "replace")
        if self._name == FORM_FIELD:
            self.token_right = check_token(self._request, value)
        else:
            self.sent.fields[self._name] = value

    def _on_end(self) -> None:
        self.whole = True

    def _count(self, size: int) -> None:
        self._form_bytes += size
        if self._form_bytes > MAX_FORM_BYTES:
            raise BadInput(text("The form has too many fields."))
