"""`raceday --version`: what a stranger's report should begin with."""

import importlib.metadata
import platform
import struct
import sys

from raceday.extras import states


def program_version() -> str:
    """The installed distribution's version; "not installed" for sources that only lie there."""
    try:
        return importlib.metadata.version("raceday")
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def version_text() -> str:
    """Version, place, Python, platform, and which extras are whole; several lines."""
    bits = struct.calcsize("P") * 8
    found = [state for state in states() if state.missing]
    whole = ", ".join(state.name for state in states() if not state.missing) or "none"
    lines = [
        f"raceday {program_version()} in {sys.prefix}",
        f"Python {platform.python_version()}, {bits} bit; {platform.system()} {platform.release()} on"
        f" {platform.machine()}; {' '.join(platform.libc_ver()).strip() or 'no glibc'}",
        f"extras that are whole: {whole}",
        *(f"not whole: {state.name} (without {', '.join(state.missing)})" for state in found),
    ]
    return "\n".join(lines)
