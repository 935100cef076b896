"""Decodes a published leaderboard: finds its encoding, and letters that were decoded wrongly before (mojibake).

Called by raceday/rank.py and leaderboard/exchange. UTF-8 (with a mark or without), UTF-16 and Windows-1252; the last
is used only if nothing else fits, so it is reported.
"""

import pathlib
import re

from shared.errors import BadInput

MAX_BYTES = 256 * 1024 * 1024
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_MARKS_OF_UTF32 = (b"\xff\xfe\0\0", b"\0\0\xfe\xff")
_CALLED = {"utf-8": "", "utf-8-sig": "", "cp1252": "Windows-1252"}  # the others are UTF-16
_AS_UTF8 = re.compile(
    rb"[\xc2\xc3][\x80-\xbf]|[\xc4\xc5][\x80-\x84\x86-\x90\x98-\x9f\xa1-\xaa\xac-\xb6\xb8-\xba\xbc-\xbf]"
    rb"|(?:[\xc4-\xdf][\x80-\xbf]){2,}|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)


def read_text(path: pathlib.Path) -> tuple[str, str]:
    """The text of the file, and its encoding, "" for UTF-8. Raises BadInput."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadInput(f"{path}: is larger than {MAX_BYTES // 2**20} MiB, which is too large for a leaderboard.")
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror}).") from None
    return decoded(data, str(path))


def decoded(data: bytes, source: str) -> tuple[str, str]:
    """Decodes by the byte order mark; else as UTF-16 if every other byte is 0, as UTF-8, or as Windows-1252."""
    for encoding in possible_encodings(data[:400], source):
        try:
            return data.decode(encoding), called(encoding)
        except UnicodeDecodeError:
            continue
    raise undecodable(source)


def possible_encodings(head: bytes, source: str) -> list[str]:
    """Python's names of the encodings that data with this head may have, the likeliest first. Raises BadInput."""
    if head.startswith(_MARKS_OF_UTF32):
        raise BadInput(f"{source}: is text in UTF-32, which is not supported: save it as CSV in UTF-8.")
    marked = next((encoding for mark, encoding in _MARKS if head.startswith(mark)), "")
    return [marked] if marked else _likely_encodings(head)


def called(encoding: str) -> str:
    """What people call the encoding; "" for UTF-8, which needs no remark."""
    return _CALLED.get(encoding, "UTF-16")


def undecodable(source: str) -> BadInput:
    """The error for data that none of the possible encodings decodes."""
    return BadInput(f"{source}: is not text in UTF-8, UTF-16 or Windows-1252: save it as CSV in UTF-8.")


def _likely_encodings(head: bytes) -> list[str]:
    if head[1::2].count(0) > len(head) // 4:
        return ["utf-16-le"]
    return ["utf-16-be"] if head[::2].count(0) > len(head) // 4 else ["utf-8", "cp1252"]


def mended(text: str) -> str:
    """What the text was before its UTF-8 was read as a Western encoding: "José" of "JosÃ©"; "" if that did not happen.

    Two signs that could be one letter of UTF-8 may stand side by side by chance. So a pair counts only if it begins
    with Â or Ã, as Western Europe's letters do, or with Ä or Å, as Central Europe's do, without a quotation mark or a
    dash behind; of others there must be two, or three signs to one.
    """
    raw = "".join(map(_byte, text)).encode("latin-1")  # as long as the text, so that offsets are the same
    repaired, at = "", 0
    for letters in _AS_UTF8.finditer(raw):
        was = letters[0].decode("utf-8", "replace")
        if "\ufffd" not in was:
            repaired += text[at : letters.start()] + was
            at = letters.end()
    return repaired + text[at:] if at else ""


def _byte(sign: str) -> str:
    """The byte that was decoded as this character; undefined bytes of Windows-1252 are C1 control characters."""
    if "\x80" <= sign <= "\x9f":
        return sign
    return sign.encode("cp1252", "replace").decode("latin-1")
