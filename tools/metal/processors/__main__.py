"""`./dev metal arm64 atom`: the package on a Raspberry Pi's processor and on an Atom without AVX, emulated. Needs root.

Takes ten to forty minutes; most of it is the first root. Roots are kept in `.metal/processors/`.
"""

import argparse
import pathlib
import sys

from shared.errors import OperatorError
from tools.metal.processors.emulated import PROCESSORS, EmulatedProcessor
from tools.metal.processors.roots import check_host
from tools.metal.processors.smoke import here, tried
from tools.metal.results import summary, table

ROOT = pathlib.Path(__file__).resolve().parents[3]
CACHE = ROOT / ".metal"


def main(arguments: list[str] | None = None) -> int:
    names = [each.name for each in PROCESSORS]
    parser = argparse.ArgumentParser(prog="./dev metal", description=__doc__)
    parser.add_argument("names", nargs="+", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--debs", type=pathlib.Path, default=ROOT / "dist", help="folder of packages; default: dist")
    chosen = parser.parse_args(arguments)
    try:
        check_host()
        expected = here()
        verdicts = []
        for processor in (each for each in PROCESSORS if each.name in chosen.names):
            deb = package_for(processor, chosen.debs)
            print(f"{processor.name}: {deb.name} on {processor.what} ...", file=sys.stderr)
            verdicts.append(tried(processor, deb, CACHE / "processors", expected))
    except OperatorError as error:
        print(f"./dev metal: {error}", file=sys.stderr)
        return error.exit_code
    (CACHE / "processors" / "table.md").write_text(table(verdicts) + "\n", encoding="utf-8")
    print(f"{table(verdicts)}\n{summary(verdicts)}")
    return 0 if all(each.is_good for each in verdicts) else 1


def package_for(processor: EmulatedProcessor, folder: pathlib.Path) -> pathlib.Path:
    """The newest package of the folder for the processor. Raises OperatorError."""
    found = sorted(folder.glob(f"raceday_*_{processor.arch}.deb"), key=lambda path: path.stat().st_mtime_ns)
    if not found:
        raise OperatorError(f"{folder}: holds no package for {processor.arch}: ./dev deb --arch {processor.arch}")
    return found[-1]


if __name__ == "__main__":
    sys.exit(main())
