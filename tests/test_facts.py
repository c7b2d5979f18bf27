"""docs/2007.md, docs/2008.md and docs/v1.md say what the machine does as the kernels did it, in numbered facts; each is shown by a test
that names its number.

The tests are read, not run, so that it does not matter which of them were chosen this time.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = {name: (ROOT / "docs" / name).read_text() for name in ("2007.md", "2008.md", "v1.md")}
PAGE = PAGES["2007.md"]
EXAMPLES = ROOT / "examples"


def facts() -> list[str]:
    """The numbers, in the order of the pages."""
    return re.findall(r"^- \*\*([A-Z]\d+)\*\* ", "".join(PAGES.values()), re.MULTILINE)


def is_fact(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.fact"


def citations(source: str) -> Iterator[tuple[str, str]]:
    """(number, name of the test that cites it)."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            for decorator in filter(is_fact, node.decorator_list):
                assert isinstance(decorator, ast.Call)
                yield from ((ast.literal_eval(number), node.name) for number in decorator.args)


def cited() -> dict[str, list[str]]:
    """The tests that cite each number."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for number, name in citations(path.read_text()):
            found.setdefault(number, []).append(f"{path.relative_to(ROOT)}::{name}")
    return found


def test_every_fact_is_cited_by_a_test() -> None:
    assert sorted(set(facts()) - set(cited())) == []


def test_every_citation_names_a_fact() -> None:
    assert {number: tests for number, tests in cited().items() if number not in facts()} == {}


def test_numbers_run_from_1_in_each_group() -> None:
    """So each stands there once, and one that is taken away is missed."""
    groups: dict[str, list[int]] = {}
    for number in facts():
        groups.setdefault(number[0], []).append(int(number[1:]))
    assert groups
    assert groups == {letter: list(range(1, len(numbers) + 1)) for letter, numbers in groups.items()}


def test_the_text_refers_to_facts() -> None:
    _, _, troubles = PAGE.partition("\n## The troubles of 2007\n")
    named = set(re.findall(r"\b[A-Z]\d+\b", troubles))
    assert len(named) > 20
    assert named <= set(facts())


def test_what_is_a_citation() -> None:
    source = "@pytest.mark.fact('X1', 'X2')\n@pytest.mark.slow\ndef test_a(): ...\n\n@pytest.mark.fact('X3')\ndef helper(): ...\n"
    assert list(citations(source)) == [("X1", "test_a"), ("X2", "test_a")]


def test_each_trouble_has_its_script() -> None:
    scripts = {path.name for path in EXAMPLES.glob("trouble-*.sh") if os.access(path, os.X_OK)}
    assert set(re.findall(r"trouble-[a-z-]+\.sh", PAGE)) == scripts


@pytest.mark.parametrize("script", sorted(EXAMPLES.glob("trouble-*.sh")), ids=lambda path: path.stem)
def test_each_trouble_ends_under_the_first_release(script: Path) -> None:
    assert "dialect=2008" in script.read_text()


LINKS = sorted({(name, link) for name, page in PAGES.items() for link in re.findall(r"\]\(([^)]*)\)", page)})


@pytest.mark.parametrize(("name", "link"), LINKS)
def test_links_lead_somewhere(name: str, link: str) -> None:
    """To a heading of the page, or to a file."""
    if link.startswith("#"):
        headings = re.findall(r"^#+ (.*)", PAGES[name], re.MULTILINE)
        assert link[1:] in {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    else:
        assert (ROOT / "docs" / link).exists()
