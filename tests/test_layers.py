"""Who may import whom: ARCHITECTURE.md's table, held against every import statement, lazy ones too."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "memcgfs"

MAY_IMPORT: dict[str, set[str]] = {
    "mm": set(),
    "kernfs": set(),
    "units": set(),
    "options": {"units"},
    "cgroup": {"mm", "kernfs"},
    "machinefs": {"mm", "kernfs", "cgroup", "units"},
    "handles": {"mm", "kernfs", "machinefs", "tree"},
    "data_dir": {"kernfs", "tree"},
    "tree": {"mm", "kernfs", "cgroup", "machinefs", "options", "handles", "data_dir", "units"},
    "workload": {"mm", "tree", "options", "units"},
    "fuse": {"kernfs", "tree", "options"},
    "fidelity": {"mm", "kernfs", "cgroup", "machinefs", "options", "units", "tree", "handles", "fuse"},
    "cli": {"fidelity", "mm", "kernfs", "cgroup", "machinefs", "options", "units", "tree", "workload", "fuse"},
    "": {"tree", "options"},
    "__main__": {"cli"},
}
"""By package, or module at the top: handles, data_dir, options and units are parts of what tree.py is in the table."""

ONLY_FUSE = {"pyfuse3", "trio"}
MM_MAY_IMPORT = {
    "__future__", "array", "bisect", "collections", "contextlib", "dataclasses", "math", "mmap", "operator", "os", "sortedcontainers",
    "types", "typing",
}  # fmt: skip
"""Nothing of async, I/O, wall time, randomness or logging. os: one environment variable; mmap: where the arrays live."""


def modules() -> dict[str, Path]:
    """By dotted name, "" for the package itself."""
    found = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT / PACKAGE).with_suffix("").parts)
        found[name.removesuffix("__init__").removesuffix(".")] = path
    return found


def imports(module: str, path: Path) -> Iterator[str]:
    """Absolute names of what is imported, anywhere in the file."""
    package = [PACKAGE, *module.split(".")] if module else [PACKAGE]
    if path.name != "__init__.py":
        package.pop()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - (node.level - 1)] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            if node.level and len(base) == 1 and node.module is None:
                yield from (f"{origin}.{alias.name}" for alias in node.names)
            else:
                yield origin


def part(name: str) -> str:
    return name.split(".")[0]


MODULES = modules()


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_what_its_place_allows(module: str) -> None:
    for name in imports(module, MODULES[module]):
        if part(name) == PACKAGE:
            target = part(name.removeprefix(PACKAGE).removeprefix("."))
            assert target == part(module) or target in MAY_IMPORT[part(module)], f"{module or PACKAGE} imports {name}"


@pytest.mark.parametrize("module", MODULES)
def test_only_fuse_imports_pyfuse3_and_trio(module: str) -> None:
    found = ONLY_FUSE & {part(name) for name in imports(module, MODULES[module])}
    assert not found or part(module) == "fuse"


def test_the_machine_imports_little_of_the_library() -> None:
    for module, path in MODULES.items():
        if part(module) == "mm":
            outside = {part(name) for name in imports(module, path)} - {PACKAGE}
            assert outside <= MM_MAY_IMPORT, module


CHOSEN_AT_IMPORT = {("mm.engine", "engine"), ("mm.engine", "compiled")}


def test_the_machine_has_no_module_state() -> None:
    """What modules of mm name is functions, classes and constants; nothing assigns to a module's names later."""
    for module, path in MODULES.items():
        if part(module) == "mm":
            tree = ast.parse(path.read_text())
            assert not any(isinstance(node, ast.Global) for node in ast.walk(tree)), module
            names = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
            names += [node.target for node in tree.body if isinstance(node, (ast.AnnAssign, ast.AugAssign))]
            for name in map(ast.unparse, names):
                assert name.isupper() or (module, name) in CHOSEN_AT_IMPORT, (module, name)


def test_the_table_names_what_there_is() -> None:
    """Nothing new stands beside the table, and nothing in it is gone."""
    assert {part(module) for module in MODULES} == MAY_IMPORT.keys()


def test_architecture_names_every_module_of_the_machine() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    named = [word.removeprefix("mm/").removesuffix(".py") for word in re.findall(r"`([\w/.*]+)`", text)]
    modules = [module.removeprefix("mm.").replace(".", "/") for module, path in MODULES.items() if path.name != "__init__.py"]
    of_machine = [name for name in modules if (ROOT / PACKAGE / "mm" / name).with_suffix(".py").exists()]
    assert [name for name in of_machine if not any(fnmatch(name, pattern) for pattern in named)] == []


def test_the_table_has_no_cycle_but_that_of_tree_and_its_handles() -> None:
    def below(name: str, seen: frozenset[str]) -> set[str]:
        return {name} | {low for step in MAY_IMPORT[name] - seen for low in below(step, seen | {name})}

    cycles = {name for name, targets in MAY_IMPORT.items() for step in targets if name in below(step, frozenset())}
    assert cycles <= {"tree", "handles", "data_dir"}


def test_importing_the_package_loads_nothing_else() -> None:
    """And mm can be had without the rest."""
    script = (
        "import sys, memcgfs; first = {name for name in sys.modules if name.startswith('memcgfs')};"
        "import memcgfs.mm; print(sorted(first), any(name in sys.modules for name in ('trio', 'pyfuse3', 'memcgfs.tree')))"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout == "['memcgfs'] False\n"
