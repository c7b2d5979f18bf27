"""`memcgfs stubs`: under each dialect, with all rules and models, a file that takes a write acts, or stands in the list and does not.

An act is seen in a scene that is played twice, with the write and without it, and ends differently.  There is a scene for each file that
takes a write, and it is played in every combination: what stands in the list there has to end as without the write.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from itertools import product

import pytest

from memcgfs import Tree
from memcgfs.cli.stubs import stubs_of
from memcgfs.handles import Dir, TaskHandle
from memcgfs.kernfs import ByteFile, ControlFile, Directory, File
from memcgfs.options import DIALECT_DEFAULTS

from ..listener import Listener

Write = Callable[[Dir, int | str], None]
"""Writes the value to the file in question, in that container, or does nothing at all."""
Scene = Callable[[Tree, Write], object]

RULES = [str(defaults["rules"]) for defaults in DIALECT_DEFAULTS.values()]
MODELS = [str(defaults["model"]) for defaults in DIALECT_DEFAULTS.values()]


def box_of(tree: Tree, pages: int | None = None) -> Dir:
    """A container, with a limit of so many pages."""
    box = tree.mkdir("box")
    if pages is not None:
        name, value = ("memory.limit", pages) if "memory.limit" in box.files else ("memory.limit_in_bytes", pages * 4096)
        box[name] = value
    return box


def usage(directory: Dir) -> object:
    return directory["memory.usage" if "memory.usage" in directory.files else "memory.usage_in_bytes"]


def vmstat(tree: Tree) -> object:
    return tree.root[".machine/vmstat"]


def let_pass(tree: Tree, time: str) -> None:
    tree.root[".machine/clock"] = f"+{time}"


def without_swap(tree: Tree) -> None:
    tree.root[".machine/swapoff"] = "/dev/swap"


def filling(task: TaskHandle, pages: int) -> None:
    """As much as it gets."""
    with suppress(OSError):
        task.touch(0, pages)


# Of a container.


def attach(tree: Tree, write: Write) -> object:
    box = box_of(tree)
    tree.spawn(101)
    write(box, 101)
    return box["tasks"]


def limit(value: int | str) -> Scene:
    """200 pages are touched, of which the limit is less."""

    def play(tree: Tree, write: Write) -> object:
        box = box_of(tree)
        write(box, value)
        tree.spawn(101, box).touch(0, 200)
        return usage(box)

    return play


def memsw_limit(tree: Tree, write: Write) -> object:
    """200 pages are touched, of which swap may take nothing."""
    box = box_of(tree, 64)
    write(box, "256K")
    task = tree.spawn(101, box)
    filling(task, 200)
    return task.status["State"]


def control_type(tree: Tree, write: Write) -> object:
    box = box_of(tree)
    write(box, 1)
    tree.spawn(101, box).ctl("write data 0 10")
    return usage(box)


def force_empty(tree: Tree, write: Write) -> object:
    box = box_of(tree)
    task = tree.spawn(101, box)
    task.ctl("write data 0 10")
    task.reap()
    write(box, 0)
    return usage(box)


def released(tree: Tree, write: Write) -> object:
    """Of a group whose last task leaves."""
    tree.root["release_agent"] = "/bin/true"
    box = box_of(tree)
    write(box, 1)
    tree.spawn(101, box).reap()
    return tree.root[".machine/log"]


def release_agent(tree: Tree, write: Write) -> object:
    box = box_of(tree)
    box["notify_on_release"] = 1
    write(tree.root, "/bin/true")
    tree.spawn(101, box).reap()
    return tree.root[".machine/log"]


def swappiness(tree: Tree, write: Write) -> object:
    """Files and anonymous memory, of which too much."""
    box = box_of(tree, 300)
    write(box, 0)
    task = tree.spawn(101, box)
    task.touch(0, 200)
    task.ctl("write data 0 100")
    task.ctl("fsync data")
    task.ctl("read data 0 100")
    filling(task, 500)
    return vmstat(tree)


def reset(name: str) -> Scene:
    """What was counted, up to now."""

    def play(tree: Tree, write: Write) -> object:
        box = box_of(tree, 64)
        task = tree.spawn(101, box)
        task.touch(0, 200)
        task.reap()
        write(box, 0)
        return box[name]

    return play


def oom_control(tree: Tree, write: Write) -> object:
    """Who is out of memory waits, or dies."""
    without_swap(tree)
    box = box_of(tree, 64)
    write(box, 1)
    task = tree.spawn(101, box)
    filling(task, 100)
    return task.status["State"]


def soft_limit(tree: Tree, write: Write) -> object:
    """Somebody else needs more than the machine has left."""
    box = box_of(tree)
    write(box, 0)
    tree.spawn(101, box).touch(0, 1000)
    tree.spawn(102, tree.mkdir("other")).touch(0, 3000)
    return usage(box)


def event(file: str, argument: str) -> Scene:
    """Up to the limit, where nothing can be swapped out, and beyond it."""

    def play(tree: Tree, write: Write) -> object:
        without_swap(tree)
        box = box_of(tree, 600)
        listener = Listener(tree, f"box/{file}")
        write(box, f"3 4 {argument}".rstrip())
        filling(tree.spawn(101, box), 700)
        return listener.nr_told > 0

    return play


def life(name: str) -> Scene:
    """Of two groups, and what is to be read of it everywhere but in this file."""

    def play(tree: Tree, write: Write) -> object:
        box = box_of(tree, 200)
        write(box, box[name] if name.startswith(("memory.use", "memory.move")) else 1)
        child = box.mkdir("child")
        task, other = tree.spawn(101, box), tree.spawn(102, child)
        task.touch(0, 300)
        task.ctl("write data 0 50")
        filling(other, 150)
        task.dir["ctl"] = "fork 103"
        child["tasks"] = 103
        filling(other, 300)
        files = [f"{path}/{file}" for path in ("box", "box/child") for file in box.files if file != name]
        return vmstat(tree), [tree.root.read(file) for file in files if shown(tree, file)]

    return play


def shown(tree: Tree, path: str) -> bool:
    node = tree.fs.find(path.encode())
    return isinstance(node, File) and isinstance(node.type, ControlFile) and node.type.show is not None and "pressure" not in path


OF_CONTAINERS: dict[str, Scene] = {
    "tasks": attach,
    "cgroup.procs": attach,
    "cgroup.event_control": event("memory.usage_in_bytes", "1M"),
    "cgroup.clone_children": life("cgroup.clone_children"),
    "notify_on_release": released,
    "release_agent": release_agent,
    "memory.limit": limit(64),
    "memory.limit_in_bytes": limit("256K"),
    "memory.control_type": control_type,
    "memory.memsw.limit_in_bytes": memsw_limit,
    "memory.soft_limit_in_bytes": soft_limit,
    "memory.swappiness": swappiness,
    "memory.oom_control": oom_control,
    "memory.force_empty": force_empty,
    "memory.failcnt": reset("memory.failcnt"),
    "memory.max_usage_in_bytes": reset("memory.max_usage_in_bytes"),
    "memory.memsw.max_usage_in_bytes": reset("memory.memsw.max_usage_in_bytes"),
    "memory.memsw.failcnt": reset("memory.memsw.failcnt"),
    "memory.kmem.max_usage_in_bytes": reset("memory.kmem.max_usage_in_bytes"),
    "memory.kmem.failcnt": reset("memory.kmem.failcnt"),
    "memory.kmem.limit_in_bytes": life("memory.kmem.limit_in_bytes"),
    "memory.kmem.tcp.limit_in_bytes": life("memory.kmem.tcp.limit_in_bytes"),
    "memory.kmem.tcp.max_usage_in_bytes": life("memory.kmem.tcp.max_usage_in_bytes"),
    "memory.kmem.tcp.failcnt": life("memory.kmem.tcp.failcnt"),
    "memory.use_hierarchy": life("memory.use_hierarchy"),
    "memory.move_charge_at_immigrate": life("memory.move_charge_at_immigrate"),
}


# Of the machine: with the directory that has the file.


def machine_file(command: str, seen: str) -> Scene:
    """One that shows what it did at once, in another."""

    def play(tree: Tree, write: Write) -> object:
        tree.spawn(101).touch(0, 10)
        write(tree.root, command)
        return tree.root[seen]

    return play


def spared(least: int) -> Scene:
    """Who has most is killed, unless he must not be."""

    def play(tree: Tree, write: Write) -> object:
        without_swap(tree)
        box = box_of(tree, 200)
        large, small = (tree.spawn(pid, box) for pid in (101, 102))
        write(tree.root, least)
        filling(large, 150)
        filling(small, 100)
        return large.status["State"]

    return play


def machine_swappiness(tree: Tree, write: Write) -> object:
    write(tree.root, 100)
    task = tree.spawn(101)
    task.touch(0, 1000)
    task.ctl("write data 0 2500")
    task.ctl("fsync data")
    task.touch(5000, 2000)
    return vmstat(tree)


def memory(tree: Tree, write: Write) -> object:
    task = tree.spawn(101)
    write(tree.root, "hello")
    return task.status["VmRSS"]


def buffer_size(tree: Tree, write: Write) -> object:
    """More happens than a small ring holds."""
    trace = ".machine/trace/"
    tree.root[trace + "events/enable"] = 1
    write(tree.root, 4)
    tree.spawn(101).touch(0, 500)
    return tree.root[trace + "trace"]


def min_free(tree: Tree, write: Write) -> object:
    write(tree.root, 2048)
    tree.spawn(101).touch(0, 4000)
    return tree.root[".machine/meminfo"]


def page_cluster(tree: Tree, write: Write) -> object:
    write(tree.root, 0)
    task = tree.spawn(101)
    filling(task, 6000)
    filling(task, 6000)
    return vmstat(tree)


def laptop(tree: Tree, write: Write) -> object:
    """The disk runs anyway, so what is dirty may be written too."""
    task = tree.spawn(101)
    task.ctl("write old 0 10")
    task.ctl("sync")
    tree.root[".machine/sys/vm/drop_caches"] = 3
    task.ctl("write data 0 10")
    write(tree.root, 1)
    task.ctl("read old 0 10")
    let_pass(tree, "3s")
    return vmstat(tree)


def dirty(value: int, time: str) -> Scene:
    def play(tree: Tree, write: Write) -> object:
        write(tree.root, value)
        tree.spawn(101).ctl("write data 0 150")
        let_pass(tree, time)
        return vmstat(tree)

    return play


def vfs_cache_pressure(tree: Tree, write: Write) -> object:
    write(tree.root, 0)
    task = tree.spawn(101)
    task.ctl("lookup 3000")
    task.touch(0, 4000)
    return tree.root[".machine/slabinfo"]


def panic_on_oom(tree: Tree, write: Write) -> object:
    without_swap(tree)
    write(tree.root, 1)
    filling(tree.spawn(101), 5000)
    return tree.machine.panicked


def drop_caches(tree: Tree, write: Write) -> object:
    task = tree.spawn(101)
    task.ctl("write data 0 10")
    task.ctl("sync")
    write(tree.root, 3)
    return tree.root[".machine/meminfo"]


def traced(tree: Tree, write: Write) -> object:
    """What is recorded, with all events on but for this file."""
    trace = ".machine/trace/"
    tree.root[trace + "events/enable"] = 1
    tree.spawn(101).touch(0, 10)
    write(tree.root, 0)
    tree.spawn(102).touch(0, 2000)
    return tree.root[trace + "trace"]


def enabled(tree: Tree, write: Write) -> object:
    write(tree.root, 1)
    filling(tree.spawn(101, box_of(tree, 32)), 100)
    return tree.root[".machine/trace/set_event"]


def set_event(tree: Tree, write: Write) -> object:
    write(tree.root, "*:*\n")
    tree.spawn(101).touch(0, 10)
    return tree.root[".machine/trace/trace"]


VM = ".machine/sys/vm/"
TASK = ".machine/tasks/101/"
OF_THE_MACHINE: dict[str, Scene] = {
    ".machine/clock": machine_file("+1s", ".machine/uptime"),
    ".machine/swapon": machine_file("/dev/sdb1 1M", ".machine/swaps"),
    ".machine/swapoff": machine_file("/dev/swap", ".machine/swaps"),
    TASK + "ctl": machine_file("touch 100 10", TASK + "statm"),
    TASK + "mem": memory,
    TASK + "oom_adj": spared(-17),
    TASK + "oom_score_adj": spared(-1000),
    VM + "swappiness": machine_swappiness,
    VM + "min_free_kbytes": min_free,
    VM + "page-cluster": page_cluster,
    VM + "laptop_mode": laptop,
    VM + "dirty_ratio": dirty(0, "1ms"),
    VM + "dirty_background_ratio": dirty(0, "1ms"),
    VM + "dirty_writeback_centisecs": dirty(0, "60s"),
    VM + "dirty_expire_centisecs": dirty(100, "12s"),
    VM + "vfs_cache_pressure": vfs_cache_pressure,
    VM + "panic_on_oom": panic_on_oom,
    VM + "drop_caches": drop_caches,
    ".machine/trace/trace": traced,
    ".machine/trace/tracing_on": traced,
    ".machine/trace/buffer_size_kb": buffer_size,
    ".machine/trace/set_event": set_event,
    ".machine/trace/events/enable": enabled,
}


# What a write is.


def tree_of(dialect: str, rules: str, model: str) -> Tree:
    return Tree(dialect=dialect, rules=rules, model=model, ram="16M", swap="16M")


def writable(tree: Tree) -> set[str]:
    """The files that take a write: of containers by their name, of the machine by their path."""
    tree.spawn(101, tree.mkdir("box"))
    found, pending = set(), [tree.fs.root]
    while pending:
        for node in pending.pop().children.values():
            if isinstance(node, Directory):
                pending.append(node)
            elif isinstance(node, File) and takes_a_write(node):
                path = node.path.decode().removeprefix("/")
                found.add(path if path.startswith(".machine") else path.removeprefix("box/"))
    return {path for path in found if not path.startswith(".machine/trace/events/")} | {".machine/trace/events/enable"}


def takes_a_write(file: File) -> bool:
    row = file.type
    return row.write is not None if isinstance(row, ControlFile) else isinstance(row, ByteFile) and row.store is not None


def it_acts(tree_of_kind: Callable[[], Tree], path: str, play: Scene) -> bool:
    def write(directory: Dir, value: int | str) -> None:
        directory[path] = value

    with_it, without = tree_of_kind(), tree_of_kind()
    ends_differently = play(with_it, write) != play(without, lambda directory, value: None)
    with_it.machine.check()
    without.machine.check()
    return ends_differently


COMBINATIONS = [*product(DIALECT_DEFAULTS, RULES, MODELS)]


@pytest.mark.parametrize(("dialect", "rules", "model"), COMBINATIONS)
def test_each_file_of_a_container_acts_or_stands_in_the_list(dialect: str, rules: str, model: str) -> None:
    def tree() -> Tree:
        return tree_of(dialect, rules, model)

    files = {path for path in writable(tree()) if not path.startswith(".machine")}
    idle = {name for name in files if not it_acts(tree, name, OF_CONTAINERS[name])}
    assert idle == set(stubs_of(f"dialect={dialect},rules={rules},model={model}"))


@pytest.mark.parametrize(("rules", "model"), [*product(RULES, MODELS)])
def test_each_file_of_the_machine_acts(rules: str, model: str) -> None:
    def tree() -> Tree:
        return tree_of("2007", rules, model)

    assert {path for path in writable(tree()) if path.startswith(".machine")} == set(OF_THE_MACHINE)
    assert not [path for path, play in OF_THE_MACHINE.items() if not it_acts(tree, path, play)]


@pytest.mark.parametrize(("rules", "model"), [*product(RULES, MODELS)])
@pytest.mark.parametrize(
    ("file", "argument"), [("memory.usage_in_bytes", "1M"), ("memory.oom_control", ""), ("memory.pressure_level", "critical")]
)
def test_each_kind_of_event_is_told_by_all_rules_and_models(rules: str, model: str, file: str, argument: str) -> None:
    assert it_acts(lambda: tree_of("v1", rules, model), "cgroup.event_control", event(file, argument))


@pytest.mark.parametrize("model", MODELS)
def test_without_kernel_memory_its_highest_usage_is_not_reset_either(model: str) -> None:
    name = "memory.kmem.max_usage_in_bytes"
    assert name in stubs_of(f"dialect=v1,model={model},kmem=off")
    assert not it_acts(lambda: Tree(dialect="v1", model=model, kmem=False, ram="16M", swap="16M"), name, OF_CONTAINERS[name])


def test_the_command() -> None:
    """One block for each dialect, or that of the tree with these options."""
    run = [sys.executable, "-m", "memcgfs", "stubs"]
    all_of_them = subprocess.run(run, capture_output=True, text=True, check=True, timeout=60).stdout
    headings = [line.partition(":")[0] for line in all_of_them.splitlines() if not line.startswith(" ")]
    assert headings == [f"dialect={name}" for name in DIALECT_DEFAULTS]
    one = subprocess.run([*run, "-o", "dialect=2008,noprefix"], capture_output=True, text=True, check=True, timeout=60).stdout
    assert one == "dialect=2008,noprefix: none\n"
    refused = subprocess.run([*run, "-o", "dialect=1999"], capture_output=True, text=True, check=False, timeout=60)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("memcgfs: dialect=1999: ")
