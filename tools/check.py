"""`./dev check`: format, lint, types, names, texts, files of others, bills of materials, imports and the fast tests.

`--static`: no tests. The types are those of the product, the tests, benchmarks and tools (`packages` of `[tool.mypy]`).
"""

import argparse
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

PYTHON = sys.executable
FAST = "not slow and not broker and not browser and not postgres"
STATIC: tuple[tuple[str, list[str]], ...] = (
    ("format", [PYTHON, "-m", "ruff", "format", "--check", "-q", "."]),
    ("lint", [PYTHON, "-m", "ruff", "check", "-q", "."]),
    ("types", [PYTHON, "-m", "mypy"]),
    ("names", [PYTHON, "tools/check_names.py"]),
    ("texts", [PYTHON, "tools/check_text.py"]),
    ("standards", [PYTHON, "tools/security_pages.py", "--check"]),
    ("vendored", [PYTHON, "tools/vendored.py"]),
    ("sbom", [PYTHON, "tools/sbom.py", "--check"]),
    ("imports", [PYTHON, "-c", "from importlinter.cli import lint_imports_command as c; c()"]),
)
TESTS = ("fast tests", [PYTHON, "-m", "pytest", "-q", "-x", "-n", "2", "--dist", "worksteal", "-m", FAST])


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev check", description=__doc__)
    parser.add_argument("--static", action="store_true", help="without the fast tests, which `./dev test` runs as well")
    is_static = parser.parse_args().static
    failed = []
    # The types take longest, on one core: the others run beside them. The fast tests need both cores.
    with ThreadPoolExecutor(2) as pool:
        begun = [pool.submit(_run, *check) for check in sorted(STATIC, key=lambda check: check[0] != "types")]
        failed += [name for each in as_completed(begun) for name in each.result()]
    if not is_static:
        failed += _run(*TESTS)
    return 1 if failed else 0


def _run(name: str, command: list[str]) -> list[str]:
    """Runs one check and prints its time, and what it found; returns its name if it failed."""
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = f"{done.stdout[-6000:]}{done.stderr[-3000:]}\n" if done.returncode else ""
    verdict = "FAILED" if found else "ok    "
    sys.stdout.write(f"{verdict} {name:<11} {time.monotonic() - began:6.1f} s\n{found}")
    sys.stdout.flush()
    return [name] if done.returncode else []


if __name__ == "__main__":
    sys.exit(main())
