"""QR codes as SVG, for pages and print: black modules on white whatever the theme, so that every phone reads them."""

import functools
import io

import segno

from shared.errors import BadInput
from shared.text import text

MAX_TEXT = 800  # characters; a denser code is hard to read from a screen


@functools.lru_cache(maxsize=256)
def qr_svg(content: str) -> bytes:
    """The SVG of a QR code with this content, error correction M, with the quiet zone of 4 modules that ISO 18004 asks.

    Raises BadInput for a text that is empty or too long.
    """
    if not 0 < len(content) <= MAX_TEXT:
        raise BadInput(text("A QR code holds 1 to {limit} characters here.", limit=MAX_TEXT))
    code = segno.make(content, error="m", micro=False, boost_error=True)
    file = io.BytesIO()
    code.save(file, kind="svg", border=4, dark="#000", light="#fff", omitsize=True, xmldecl=False, svgns=True)
    return file.getvalue()
