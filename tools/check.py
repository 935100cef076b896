"""`./dev check`: format, lint, types, names, texts, imports and the fast tests, each with its time.

`--static`: no tests. The types are those of the product, the tests, benchmarks and tools (`packages` of `[tool.mypy]`).
"""

import argparse
import subprocess
import sys
import time

PYTHON = sys.executable
FAST = "not slow and not broker and not browser and not postgres"
STATIC: tuple[tuple[str, list[str]], ...] = (
    ("format", [PYTHON, "-m", "ruff", "format", "--check", "-q", "."]),
    ("lint", [PYTHON, "-m", "ruff", "check", "-q", "."]),
    ("types", [PYTHON, "-m", "mypy"]),
    ("names", [PYTHON, "tools/check_names.py"]),
    ("texts", [PYTHON, "tools/check_text.py"]),
    ("imports", [PYTHON, "-c", "from importlinter.cli import lint_imports_command as c; c()"]),
)
TESTS = ("fast tests", [PYTHON, "-m", "pytest", "-q", "-x", "-n", "2", "--dist", "worksteal", "-m", FAST])


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev check", description=__doc__)
    parser.add_argument("--static", action="store_true", help="without the fast tests, which `./dev test` runs as well")
    checks = STATIC if parser.parse_args().static else (*STATIC, TESTS)
    failed = []
    for name, command in checks:
        began = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        print(
            f"{'ok    ' if done.returncode == 0 else 'FAILED'} {name:<11} {time.monotonic() - began:6.1f} s", flush=True
        )
        if done.returncode:
            print(done.stdout[-6000:] + done.stderr[-3000:])
            failed.append(name)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
