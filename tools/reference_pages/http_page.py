"""docs/reference/http.md: every address that a machine's web server answers, from the routes in its source."""

import ast
import importlib
import pathlib
from collections.abc import Iterator

from tools.reference_pages.markdown import first_paragraph, table

ROOT = pathlib.Path(__file__).resolve().parents[2]
HTTP = (
    (
        "Station",
        ("station/web",),
        "Port 8080 by default. Commands need a role: a session, or a token (`raceday station token`) as a bearer.",
    ),
    ("Car's console", ("vehicle/web",), "A phone claims the car with the code that the car shows at its first boot."),
    ("Leaderboard", ("leaderboard/api", "leaderboard/pages"), "The whole contract: `raceday leaderboard openapi`."),
)


def http_page() -> str:
    """The whole page: every address that a machine's web server answers, from the routes in its source."""
    parts = ["# HTTP addresses"]
    for title, folders, note in HTTP:
        rows: list[tuple[object, ...]] = []
        for folder in folders:
            for path in sorted((ROOT / folder).rglob("*.py")):
                rows += routes_of(path)
        rows.sort(key=lambda row: (str(row[1]), str(row[0])))
        parts += [f"\n## {title}", f"{note}\n", table(("method", "address", "what"), rows)]
    return "\n".join(parts) + "\n"


def routes_of(path: pathlib.Path) -> Iterator[tuple[object, ...]]:
    """(method, address, what) of each decorated route in a file."""
    tree = ast.parse(path.read_text())
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    prefix = next(
        (
            str(word.value.value)
            for call in ast.walk(tree)
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id.endswith("Router")
            for word in call.keywords
            if word.arg == "prefix" and isinstance(word.value, ast.Constant)
        ),
        "",
    )
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                if route := route_in(decorator, module):
                    method, address, summary = route
                    yield f"`{method}`", f"`{prefix}{address}`", first_paragraph(ast.get_docstring(node)) or summary


def route_in(decorator: ast.expr, module: str) -> tuple[str, str, str] | None:
    """Method, address and summary of `@router.get("/path", summary="...")`; the address may be a constant's name."""
    if not (isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Attribute) and decorator.args):
        return None
    method, first = decorator.func.attr, decorator.args[0]
    address: object = first.value if isinstance(first, ast.Constant) else None
    if isinstance(first, ast.Name):
        address = getattr(importlib.import_module(module), first.id, None)
    if method not in ("get", "post", "put", "delete", "patch") or not isinstance(address, str):
        return None
    words = {k.arg: k.value.value for k in decorator.keywords if isinstance(k.value, ast.Constant)}
    return method.upper(), address or "/", str(words.get("summary", ""))
