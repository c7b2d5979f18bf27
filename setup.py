"""Builds the engine: the modules that memcgfs/mm/pure.py names, joined into one unit and compiled as memcgfs.mm._engine.

Cython never inlines across modules, and a call into another one goes through a table; joined, the small modules run like one C file
(an amalgamation, as SQLite's). The .py files stay the only source: the join drops imports between them, turns `NAME: Final = number`
into C constants, and puts their .pxd twins together. Everything else about the project stands in setup.cfg.

MEMCGFS_PURE=1 builds nothing; without a C compiler the installation goes on without the extension.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from setuptools import setup
from setuptools.extension import Extension

MM = Path("memcgfs/mm")
BUILD = Path("build/engine")
LARGEST_CONSTANT = 2**31 - 1

SIBLING_IMPORT = re.compile(r"^\s*from \.[\w.]* import .*\n", re.MULTILINE)
FINAL = re.compile(r"^(\w+): Final = (\w+)(?:  #.*)?\n", re.MULTILINE)
TRACE_PROTOTYPE = re.compile(r"^static (?=\w+ __pyx_f_\w+_engine_trace_\w+\(.*/\*proto\*/$)", re.MULTILINE)
FAULT_PROTOTYPE = re.compile(r"^static (?=\w+ __pyx_f_\w+_engine_fault_in\(.*/\*proto\*/$)", re.MULTILINE)
COLD = "static __attribute__((cold, noinline)) "
APART = "static __attribute__((noinline)) "
INLINING = {"inline-unit-growth": 200, "max-inline-insns-auto": 45, "inline-min-speedup": 5}
"""gcc stops inlining when a unit has grown by 40 %, and thinks small of a function's gain: the joined unit has some thousand functions of a
few lines each, which are worth more than that. Other compilers pay no attention."""
FLAGS = ["-g0", *(word for name, value in INLINING.items() for word in ("--param", f"{name}={value}"))]
"""-g0: half of the time would go into debug information, of lines that nobody wrote."""
FUTURE = "from __future__ import annotations\n"
DIRECTIVES = {
    "language_level": 3,
    "boundscheck": False,
    "wraparound": False,
    "initializedcheck": False,
    "cdivision": True,
    "infer_types": True,
    "annotation_typing": False,
    "auto_pickle": False,
}


def modules() -> list[str]:
    """The module names, in the order of pure.py's imports, each once."""
    names = re.findall(r"^from \.([\w.]+) import", (MM / "pure.py").read_text(), re.MULTILINE)
    return list(dict.fromkeys(names))


def constant(name: str, literal: str) -> str:
    value = 0 if name == "LOCKDEP" else int(literal, 0)
    assert 0 <= value <= LARGEST_CONSTANT, f"{name}: a C enum cannot hold {literal}"
    return f"    {name} = {value}\n"


def join() -> None:
    """Writes build/engine/memcgfs/mm/_engine.py and its .pxd."""
    source, declarations, constants, seen = [FUTURE], ["cimport cython\n"], [], set()
    for name in modules():
        path = MM / (name.replace(".", "/") + ".py")
        text = path.read_text()
        for constant_name, literal in FINAL.findall(text):
            constants.append(constant(constant_name, literal))
        text = SIBLING_IMPORT.sub("", FINAL.sub("", text)).replace(FUTURE, "")
        text = re.sub(r"^if TYPE_CHECKING:\n(?:    .*\n|\n(?=    ))*", "", text, flags=re.MULTILINE)
        for top_level in re.findall(r"^(?:def|class) (\w+)", text, re.MULTILINE):
            assert top_level not in seen, f"{path}: {top_level} is defined in two joined modules"
            seen.add(top_level)
        source.append(f"\n# {path}\n{text}")
        twin = path.with_suffix(".pxd")
        if twin.exists():
            declarations.append(f"\n# {twin}\n{twin.read_text()}")
    package = BUILD / "memcgfs" / "mm"
    package.mkdir(parents=True, exist_ok=True)
    (BUILD / "memcgfs" / "__init__.py").write_text("")
    (package / "__init__.py").write_text("")
    write_if_changed(package / "_engine.py", "".join(source))
    declarations.insert(1, "\ncpdef enum:\n" + "".join(constants))
    write_if_changed(package / "_engine.pxd", "".join(declarations))


def write_if_changed(path: Path, text: str) -> None:
    """Keeps the time of an unchanged file, so that nothing is compiled again."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def set_rare_functions_aside() -> None:
    """Tells the C compiler that trace points are mostly off, and that most accesses are hits; inlined, a trace point would cost registers
    in every function that has one, and the fault in the loop of accesses."""
    path = BUILD / "memcgfs/mm/_engine.c"
    write_if_changed(path, FAULT_PROTOTYPE.sub(APART, TRACE_PROTOTYPE.sub(COLD, path.read_text())))


def extensions() -> list[Extension]:
    if os.environ.get("MEMCGFS_PURE"):
        return []
    from Cython.Build import cythonize

    join()
    found = cythonize(
        [Extension("memcgfs.mm._engine", [str(BUILD / "memcgfs/mm/_engine.py")], extra_compile_args=FLAGS)],
        compiler_directives=DIRECTIVES,
        include_path=[str(BUILD)],
    )
    set_rare_functions_aside()
    for extension in found:
        extension.optional = True
    return list(found)


setup(ext_modules=extensions())
