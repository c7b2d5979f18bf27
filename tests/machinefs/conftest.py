"""A tree and one task for each test; the machine is checked when the test is over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from memcgfs.handles import TaskHandle
from memcgfs.tree import Tree


@pytest.fixture
def tree() -> Iterator[Tree]:
    tree = Tree(ram="8M", swap="8M")
    yield tree
    tree.machine.check()


@pytest.fixture
def task(tree: Tree) -> TaskHandle:
    return tree.spawn(100)
