"""Is a part of a JPEG missing? Asked by the cameras that decode one, since the decoder does not say.

Where data are missing the decoder fills in: mid-grey to the end, or to the next restart marker, or the same block again
and again. A sensor gives no such rows: even in the dark each block of a real picture has noise of its own, unless it is
black or burnt out.
"""

from typing import Final

from vehicle.hardware.frame import Pixels

_ROW_PX: Final = 8  # of the camera: the least height of a row of blocks
_BLOCK_PX: Final = 32  # the greatest width of what is coded together; 8 and 16 go into it
_FILLED: Final = 128  # what a decoder puts where it has nothing
_BLACK, _BURNT_OUT = 24, 230  # limited range as well: 16 to 235


def is_torn(pixels: Pixels, side_px: int = 1) -> bool:
    """Has a decoded picture, uint8, of pixels that are `side_px` of the camera's, rows of blocks without data?

    One pixel row in eight is looked at. Two of the decoder's own grey are enough; of another grey, or of a pattern, it
    takes the lowest quarter: a very even floor, little noise and a low quality may leave a few such rows. A picture
    that is the same all over is not torn: it shows nothing.
    """
    step, apart = _ROW_PX // side_px, _BLOCK_PX // side_px
    rows = pixels[(len(pixels) - 1) % step :: step]
    repeats = (rows[:, apart:] == rows[:, :-apart]).all(axis=1)
    if not repeats.any() or repeats.all():
        return False
    filled = repeats & (rows == _FILLED).all(axis=1)
    lowest = rows[-len(rows) // 4 :]
    is_tail = repeats[-len(rows) // 4 :].all() and lowest.max() > _BLACK and lowest.min() < _BURNT_OUT
    return bool(is_tail or (filled[1:] & filled[:-1]).any())
