"""The markers of ArUco's dictionary 4x4_50, so that boards can be printed where OpenCV is not installed.

Source: OpenCV, modules/objdetect/src/aruco/predefined_dictionaries.hpp (DICT_4X4_50); a test compares
all fifty with it.
"""

CELLS = 6  # along a side, the black border included

# The inner 4 x 4 cells of each marker, row by row from the top left; 1 is white.
_INNER = (
    0xB532, 0x0F9A, 0x332D, 0x9946, 0x549E, 0x79CD, 0x9E2E, 0xC4F2, 0xFEDA, 0xCF56,
    0xF991, 0x11A7, 0x0EB7, 0x2A0F, 0x24B1, 0x263E, 0x4665, 0x6600, 0x6C5E, 0x76AF,
    0x868B, 0xB02B, 0xCCD5, 0xDD82, 0xFE47, 0x9471, 0xACE4, 0xA554, 0x2123, 0x346F,
    0x4415, 0x57B2, 0x9ECF, 0xF0CB, 0x08AE, 0x0929, 0x1875, 0x04FF, 0x0DF6, 0x1C5A,
    0x1718, 0x2A28, 0x328C, 0x38B2, 0x24E8, 0x2EEB, 0x2D3F, 0x4B64, 0x502E, 0x5013,
)  # fmt: skip


def white_cells(marker: int) -> list[tuple[int, int]]:
    """The white cells (row, column) of a marker from 0 to 49, counted from its top left corner, border included."""
    inner = _INNER[marker]
    return [(1 + n // 4, 1 + n % 4) for n in range(16) if inner >> (15 - n) & 1]
