"""The engine's .pxd twins: what the compiler accepts silently, or would only notice as speed (cython-pattern: twin drift)."""

from __future__ import annotations

import ast
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import engine_of

MM = Path(__file__).parents[2] / "memcgfs" / "mm"
LARGEST_CONSTANT = 2**31 - 1

DECLARATION = re.compile(r"^( *)(cdef|cpdef) (?:(?:inline|unsigned|long|void|bint|int|tuple|object) ?)*\b(\w+)\(([^)]*)\)(.*)$")
CLASS = re.compile(r"^cdef class (\w+)(?:\(\w+\))?:")


def joined() -> list[str]:
    names = re.findall(r"^from \.([\w.]+) import", (MM / "pure.py").read_text(), re.MULTILINE)
    return list(dict.fromkeys(names))


def path_of(module: str, suffix: str) -> Path:
    return MM / (module.replace(".", "/") + suffix)


@dataclass(frozen=True)
class Declared:
    arguments: tuple[str, ...]
    is_cpdef: bool
    ending: str


def declared(module: str) -> dict[str, Declared]:
    """By name, "Class.method" or "function"."""
    twin = path_of(module, ".pxd")
    found: dict[str, Declared] = {}
    owner = ""
    for line in twin.read_text().splitlines() if twin.exists() else []:
        heading = CLASS.match(line)
        if heading:
            owner = heading[1] + "."
            continue
        match = DECLARATION.match(line)
        if match:
            indent, kind, name, arguments, ending = match.groups()
            names = tuple(part.split()[-1].removesuffix("=*") for part in arguments.split(",") if part.strip())
            found[(owner if indent else "") + name] = Declared(names, kind == "cpdef", ending.strip())
    return found


def defined(module: str) -> dict[str, tuple[str, ...]]:
    found = {}
    for node in ast.parse(path_of(module, ".py").read_text()).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = tuple(argument.arg for argument in node.args.args)
        elif isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, ast.FunctionDef):
                    found[f"{node.name}.{method.name}"] = tuple(argument.arg for argument in method.args.args)
    return found


# What stays a Python function: constructors, inspection, what asks the Python side, a model in Python.
PYTHON_ONLY = {
    "arrays": {"Arrays.of", "host_zeros", "pages_of"},
    "lists": {"Links.order"},
    "containers": {"Containers.take_released", "Containers.take_gone"},
    "core": {"Core.bind", "Core.keep_error", "Core.take_error"},
    "model": {"Model.list_heads", "Model.stats_read", "Model.unevictable"},
    "models.lruvec": {"Lruvecs.walk"},
    "models.folio_batch": {"FolioBatches.waiting"},
    "models.containers2007": {"Containers2007.list_heads"},
    "models.cgroups2008": {"Cgroups2008.list_heads"},
    "models.classic": {"Classic.list_heads", "Classic.stats_read", "Classic.unevictable"},
    "lru": {"ZoneLru.waiting", "nr_lru_heads"},
    "models.double_lru": {"double_lru_heads"},
    "trace_ring": {"TraceRing.resize"},
    "models.python": {"PythonModel.list_heads", "PythonModel.tell", "PythonModel.evict", "PythonModel.evict_unless_to_swap"},
}


@pytest.mark.parametrize("module", joined())
def test_twins_declare_the_functions_that_are_there(module: str) -> None:
    plain = {
        name
        for name in defined(module).keys() - declared(module).keys()
        if not name.endswith(".__init__") and not name.startswith("Policy.")
    }
    assert plain == PYTHON_ONLY.get(module, set())
    assert declared(module).keys() <= defined(module).keys()


@pytest.mark.parametrize("module", joined())
def test_arguments_have_the_same_names(module: str) -> None:
    """Swapped names compile."""
    functions = defined(module)
    for name, twin in declared(module).items():
        assert twin.arguments == functions[name], name


@pytest.mark.parametrize("module", joined())
def test_engine_functions_are_nogil(module: str) -> None:
    """So that the compiler finds any Python that creeps in. Who calls Python says so; views give tuples; the batches let it go."""
    for name, twin in declared(module).items():
        if twin.ending == "":
            assert name.split(".")[-1] in {"walk", "walk_zones", "count", "waiting", "counts", "lru_size"}, name
        elif twin.ending == "noexcept":
            assert name in {"access_pages", "file_read_bytes"}
        else:
            assert twin.ending in {"noexcept nogil", "noexcept with gil"}, name


ASKS_PYTHON = {
    "core": 11,
    "models.double_lru": len("zones kswapd".split()),
    "models.containers2007": 1,
    "models.cgroups2008": 1,
    "models.soft_limit": len(["reclaim_excess"]),
    "models.classic_reclaim": len("limit allocation folio kswapd".split()),
    "page_writeback": len("fdatawrite sync write_some".split()),
    "pdflush": len("background kupdate".split()),
    "models.python": len("added accessed freed written charged uncharged made zones container reclaim".split()),
}


@pytest.mark.parametrize("module", joined())
def test_only_what_asks_python_takes_the_gil(module: str) -> None:
    takers = [name for name, twin in declared(module).items() if twin.ending == "noexcept with gil"]
    assert len(takers) == ASKS_PYTHON.get(module, 0), takers


def test_joined_names_are_unique() -> None:
    """One namespace: of two functions the second would win."""
    names = Counter(name for module in joined() for name in defined(module) if "." not in name)
    classes = Counter(re.findall(r"^class (\w+)", "".join(path_of(m, ".py").read_text() for m in joined()), re.MULTILINE))
    assert [name for name, times in (names + classes).items() if times > 1] == []


def test_constants_fit_a_c_enum() -> None:
    for module in [*joined(), "params"]:
        for name, literal in re.findall(r"^(\w+): Final = (\S+)", path_of(module, ".py").read_text(), re.MULTILINE):
            assert 0 <= int(literal, 0) <= LARGEST_CONSTANT, name


def test_a_module_stands_below_all_that_it_imports() -> None:
    """pure.py's order is the join's: imports between the joined modules point backwards."""
    order = {module: place for place, module in enumerate(joined())}
    for module, place in order.items():
        for name in imported_siblings(module):
            assert order[name] < place, f"{module} imports {name}"


def imported_siblings(module: str) -> list[str]:
    package = module.split(".")[:-1]
    found = []
    for node in ast.parse(path_of(module, ".py").read_text()).body:
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - (node.level - 1)]
            found.append(".".join([*base, node.module or ""]))
    return found


def test_imports_of_siblings_fill_one_line() -> None:
    """The join drops them line by line."""
    for module in joined():
        assert not re.search(r"^from \.[\w.]* import \($", path_of(module, ".py").read_text(), re.MULTILINE), module


def test_the_compiled_engine_has_what_pure_has() -> None:
    """But for what only the engine calls, which pure.py names for its place in the order."""
    engine = engine_of("compiled")
    for module, name in re.findall(r"^from \.([\w.]+) import .*?\b(\w+)$", (MM / "pure.py").read_text(), re.MULTILINE):
        twin = declared(module).get(name)
        assert hasattr(engine, name) or (twin is not None and not twin.is_cpdef), name
