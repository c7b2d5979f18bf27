"""What every test has: the engine in both builds, and machines that are checked when the test is over."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from memcgfs import mm
from memcgfs.mm import pure

MakeMachine = Callable[..., mm.Machine]
BUILDS = ("uncompiled", "compiled")


def engine_of(build: str) -> ModuleType:
    """The compiled engine may be missing only where MEMCGFS_PURE says that it is not wanted."""
    if build == "uncompiled":
        return pure
    if os.environ.get("MEMCGFS_PURE"):
        pytest.skip("MEMCGFS_PURE is set")
    from memcgfs.mm import _engine

    return _engine


@pytest.fixture(params=BUILDS)
def engine(request: pytest.FixtureRequest) -> ModuleType:
    return engine_of(request.param)


@pytest.fixture
def make_machine(engine: ModuleType) -> Iterator[MakeMachine]:
    """make_machine(**fields of MachineConfig): every machine so made is sound at the end of the test."""
    made: list[mm.Machine] = []

    def make(**fields: Any) -> mm.Machine:
        machine = mm.Machine(mm.MachineConfig(**fields), engine)
        made.append(machine)
        return machine

    yield make
    for machine in made:
        machine.check()


@pytest.fixture
def make_small(make_machine: MakeMachine) -> MakeMachine:
    """A machine of a few dozen frames in one zone whose batches are small and whose disk answers at once."""

    def make(frames: int = 64, swap_pages: int = 64, **fields: Any) -> mm.Machine:
        fields = {
            "zone_pages": (frames, 0, 0, 0),
            "swap_bytes": swap_pages * 4096,
            "disk": mm.DiskConfig(0, 0, 8),
            "min_free_kbytes": 0,
            "swap_cluster_max": 4,
            "pagevec_size": 3,
            "max_containers": 64,
        } | fields
        return make_machine(**fields)

    return make


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How many tests of the engine ran on each build."""
    counts = Counter(
        build
        for report in terminalreporter.getreports("passed")
        if report.when == "call"
        for build in BUILDS
        if f"[{build}" in report.nodeid or f"-{build}" in report.nodeid
    )
    for build in BUILDS:
        terminalreporter.write_line(f"engine tests passed on the {build} build: {counts[build]}")
