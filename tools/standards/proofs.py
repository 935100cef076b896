"""Is what a page names as proof there? FILE, or FILE::NAME: a definition of a Python file, a text of any other file.

So a test that is renamed or taken away makes `./dev check` fail until the page says what shows the requirement now.
"""

import ast
import functools
import pathlib


def proof_fault(proof: str, root: pathlib.Path) -> str:
    """One clause that says what is wrong with this proof; "" if it is there. `root`: where its path begins."""
    file, _, name = proof.partition("::")
    path = root / file
    if not path.is_file() or not path.resolve().is_relative_to(root.resolve()):
        return f"there is no file {file}"
    if not name:
        return f"{file} holds many tests: name one of them, FILE::TEST" if file.startswith("tests/") else ""
    if path.suffix == ".py":
        return "" if name in _defined(path) else f"{file} defines no {name}"
    return "" if name in path.read_text() else f"{file} does not hold {name!r}"


@functools.cache
def _defined(path: pathlib.Path) -> frozenset[str]:
    """The names of all functions, classes and constants in a file, those in a class also as CLASS::NAME."""
    return frozenset(_names_in(ast.parse(path.read_text()), ""))


def _names_in(node: ast.AST, prefix: str) -> list[str]:
    names: list[str] = []
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names += [prefix + name]
            case ast.ClassDef(name=name):
                names += [prefix + name, *_names_in(child, f"{prefix}{name}::")]
            case ast.Assign(targets=targets):
                names += [prefix + target.id for target in targets if isinstance(target, ast.Name)]
            case ast.AnnAssign(target=ast.Name(id=name)):
                names += [prefix + name]
            case ast.If() | ast.Try():
                names += _names_in(child, prefix)
    return names
