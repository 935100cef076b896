"""Installs the pinned packages into the virtual environment, with a progress bar from the standard library only."""

import pathlib
import re
import subprocess
import sys

WIDTH = 32


def draw(done: int, total: int, name: str) -> None:
    """Draw the bar on a terminal; elsewhere nothing."""
    if sys.stderr.isatty():
        filled = WIDTH * done // total
        sys.stderr.write(f"\r  [{'#' * filled}{'.' * (WIDTH - filled)}] {done:>3}/{total}  {name[:36]:<36}")
        sys.stderr.flush()


def run_pip(pip: list[str], verb: str, arguments: list[str], total: int) -> int:
    """Runs pip and counts the packages it collects; shows pip's output only if it fails. Returns its exit code."""
    process = subprocess.Popen([*pip, verb, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    output: list[str] = []
    collected = 0
    for line in process.stdout:
        output.append(line)
        if line.startswith("Collecting"):
            collected += 1
            draw(min(collected, total), total + 1, line.split()[1].split("==")[0])
        elif line.startswith("Installing collected"):
            draw(total, total + 1, "unpacking")
    code = process.wait()
    if code:
        sys.stderr.write("\n" + "".join(output[-30:]))
    return code


def main() -> int:
    root = pathlib.Path(__file__).resolve().parent.parent
    lock = root / "requirements.lock"
    total = len(re.findall(r"^[a-z0-9].*==", lock.read_text(), re.MULTILINE))
    pip = [str(pathlib.Path(sys.argv[1]) / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input"]
    sys.stderr.write(f"installing {total} pinned packages (once) ...\n")
    code = run_pip(pip, "install", ["--require-hashes", "--only-binary", ":all:", "-r", str(lock)], total)
    code = code or run_pip(pip, "install", ["--no-deps", "--no-build-isolation", "-e", str(root)], total)
    draw(total + 1, total + 1, "done" if not code else "failed")
    sys.stderr.write("\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
