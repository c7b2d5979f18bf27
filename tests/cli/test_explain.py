"""`memcgfs explain`: a scripted life, move by move; what is said where there is nothing to tell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from memcgfs.cli import explain, main
from memcgfs.cli import explain_words as words
from memcgfs.mm import TRACE_WORDS
from memcgfs.tree import Tree

TRACE = ".machine/trace"


def scripted_life() -> Tree:
    """Page 0 of task 101 in a container of 40 pages, on a disk that answers at once.

    It is written (frame 2, behind page table 1). Task 102 needs 60 pages: mapped pages are spared until priority 1, where page 0 is still
    young; at 0 it is cold, and goes to the inactive list; at 2 of the next reclaim it is written to slot 1 and taken. Task 101 reads page
    1, slot 2: page 0 is read ahead. It is read, which is minor; shared with a child; the child writes, and gets a copy; the parent writes,
    and has the page for itself; the parent ends.
    """
    tree = Tree(ram="8M", swap="8M", disk="0,0,128")
    tree.root[".machine/sys/vm/swappiness"] = 100
    web = tree.mkdir("web")
    web["memory.limit"] = 40
    tree.root[f"{TRACE}/events/enable"] = 1
    parent = tree.spawn(101, web)
    parent.touch(0, 8)
    tree.spawn(102, web).touch(0, 60)
    parent.touch(1, 1, write=False)
    parent.touch(0, 1, write=False)
    parent.fork(103).touch(0, 1)
    parent.touch(0, 1)
    parent.reap()
    tree.machine.check()
    return tree


STORY = [
    ("task 101", "frame 2 is allocated, zone 0"),
    ("task 101", "charged to /web, as mapped memory, on its active list: usage 1"),
    ("task 101", "written for the first time: frame 2 is mapped"),
    ("task 102", "on the active list of zone 0"),
    ("task 102", "reclaim for /web, priority 1, finds it on the active list: stays active: it was referenced"),
    ("task 102", "put back on the active list of zone 0"),
    ("task 102", "to the head of /web's active list"),
    ("task 102", "reclaim for /web, priority 0, finds it on the active list: to be deactivated: it was not referenced"),
    ("task 102", "deactivated: to the inactive list of zone 0, at priority 0"),
    ("task 102", "to the head of /web's inactive list"),
    ("task 102", "references found: 0"),
    ("task 102", "charged to /web, a second time, as cache: usage 40"),
    ("task 102", "in the swap cache, at slot 1, to be written"),
    ("task 102", "unmapped by reclaim: the page table names swap slot 1 now"),
    ("task 102", "one charge less (as mapped memory): /web still pays"),
    ("task 102", "reclaim writes it out, to swap, at priority 2"),
    ("task 102", "swapped out to slot 1"),
    ("task 102", "its write is done"),
    ("task 102", "out of the swap cache, slot 1: reclaim takes it"),
    ("task 102", "uncharged: /web pays no more (as cache), usage 39"),
    ("task 102", "reclaim for /web, priority 2, finds it on the inactive list: taken: clean, and used by nobody"),
    ("task 102", "frame 2 is free"),
    ("task 101", "frame 17 is allocated, zone 0"),
    ("task 101", "charged to /web, as cache, on its active list: usage 31"),
    ("task 101", "in the swap cache, at slot 1, to be read"),
    ("task 101", "read ahead from swap slot 1, near slot 2, into frame 17"),
    ("task 101", "on the active list of zone 0"),
    ("task 101", "charged to /web, a second time, as mapped memory: usage 33"),
    ("task 101", "minor fault: read while in swap slot 1; frame 17 is mapped"),
    ("task 101", "task 103 shares it from now on: fork"),
    ("task 103", "page 0 of task 103: unmapped from frame 17, which others keep: a copy takes its place"),
    ("task 101", "written: nobody shares frame 17 any more, which is writable from now on"),
    ("task 101", "its task ends"),
    ("task 101", "unmapped: its task gave it up"),
    ("task 101", "one charge less (as mapped memory): /web still pays"),
    ("task 101", "out of the swap cache, slot 1: nobody else has the slot, which is free"),
    ("task 101", "uncharged: /web pays no more (as cache), usage 33"),
    ("task 101", "frame 17 is free"),
]


def told(tree: Tree, pid: int, page: int) -> list[tuple[str, str]]:
    records = explain.parse(tree.root.read(f"{TRACE}/trace").decode())
    return [(each.record.who, each.text) for each in explain.Life(pid, page).tell(records)]


def test_a_scripted_life() -> None:
    assert told(scripted_life(), 101, 0) == STORY


def test_the_childs_copy() -> None:
    story = [text for _, text in told(scripted_life(), 103, 0)]
    fork = story.index("inherited at fork: shares frame 17")
    assert story[:fork][0] == "frame 17 is allocated, zone 0"
    assert story[fork + 1 :] == [
        "frame 21 is allocated, zone 0",
        "charged to /web, as mapped memory, on its active list: usage 34",
        "unmapped from frame 17, which others keep: a copy takes its place",
        "written while shared: copied to frame 21, which is mapped instead",
        "on the active list of zone 0",
    ]


def test_a_page_that_was_read_before_it_was_written() -> None:
    tree = Tree(ram="8M", swap=0)
    tree.root[f"{TRACE}/events/enable"] = 1
    task = tree.spawn(101)
    task.touch(0, 1, write=False)
    task.touch(0, 1)
    assert [text for _, text in told(tree, 101, 0)] == [
        "read for the first time: the zero page is mapped, and charged to nobody",
        "frame 2 is allocated, zone 0",
        "charged to /, as mapped memory, on its active list: usage 1",
        "unmapped from the zero page: a page of its own takes its place",
        "written while shared: copied to frame 2, which is mapped instead",
    ]


def test_a_page_of_a_file() -> None:
    """Made by nobody, so that the top pays; mapped by two; on the disk, and dirtied again, by a fault that tells of it; cut off."""
    tree = Tree(ram="8M", swap=0, disk="0,0,128")
    tree.root[f"{TRACE}/events/enable"] = 1
    tree.files["data"] = b"x" * 4096
    first, second = tree.spawn(101, tree.mkdir("web")), tree.spawn(102)
    for task in (first, second):
        task.mmap(0, 1, file="data", shared=True)
    first.touch(0, 1)
    second.touch(0, 1, write=False)
    first.ctl("fsync data")
    first.touch(0, 1)
    tree.files["data"] = b""
    assert told(tree, 101, 0) == [
        ("nobody", "frame 1 is allocated, zone 0"),
        ("nobody", "charged to /, as cache, on its active list: usage 1"),
        ("nobody", "in the page cache, to be written to: page 0 of /data"),
        ("nobody", "on the inactive list of zone 0"),
        ("task 101", "activated: used again"),
        ("task 101", "to the head of /'s active list"),
        ("task 101", "charged to /, a second time, as mapped memory: usage 1"),
        ("task 101", "minor fault on a file's page: write; frame 1 is mapped"),
        ("task 102", "charged to /, a second time, as mapped memory: usage 1"),
        ("task 102", "one charge less (unused): / still pays"),
        ("task 102", "page 0 of task 102: minor fault on a file's page: read; frame 1 is mapped"),
        ("task 101", "written to the disk because somebody wants it there: page 0 of /data"),
        ("task 101", "its write is done"),
        ("task 101", "written, of a shared mapping: frame 1 is writable from now on, and dirty"),
        ("nobody", "unmapped: its file was cut before it"),
        ("nobody", "page 0 of task 102: unmapped: its file was cut before it"),
        ("nobody", "one charge less (as mapped memory): / still pays"),
        ("nobody", "out of the page cache, page 0 of /data: its file is cut before it, or gone"),
        ("nobody", "uncharged: / pays no more (as cache), usage 0"),
        ("nobody", "frame 1 is free"),
    ]


def test_a_page_that_the_oom_killer_ends() -> None:
    tree = Tree(ram="8M", swap=0)
    web = tree.mkdir("web")
    web["memory.limit"] = 4
    tree.root[f"{TRACE}/events/enable"] = 1
    with pytest.raises(OSError, match="memory"):
        tree.spawn(101, web).touch(0, 20)
    texts = [text for _, text in told(tree, 101, 0)]
    assert any("there is no swap" in text for text in texts)
    assert "its task is chosen by the OOM killer" in texts
    assert texts[-1] == "frame 2 is free"


def test_files_are_called_by_their_names() -> None:
    """As they are called below .machine/files now; a new file that got the number of one that is gone is another."""
    tree = Tree(ram="8M", swap="8M")
    tree.root[f"{TRACE}/events/enable"] = 1
    tree.files["data"] = b"x" * 4096
    task = tree.spawn(101)
    task.mmap(0, 1, file="data", shared=True)
    task.mmap(1, 1, shared=True)
    task.touch(0, 2)

    def cached(page: int) -> str:
        return next(text for _, text in told(tree, 101, page) if "in the page cache" in text)

    assert cached(0) == "in the page cache, to be written to: page 0 of /data"
    assert cached(1) == "in the page cache: page 0 of shared memory, which is new"
    directory = tree.fs.find(b".machine/files")
    tree.fs.rename(directory.ino, b"data", directory.ino, b"other name")
    assert cached(0) == "in the page cache, to be written to: page 0 of /other\\040name"
    del tree.files["other name"]
    assert cached(0) == "in the page cache, to be written to: page 0 of /other\\040name, which has no name any more"
    task.ctl("munmap 0 2")
    tree.files["data"] = b"y"
    assert cached(0) == "in the page cache, to be written to: page 0 of a file that is gone"
    assert cached(1) == "in the page cache: page 0 of a file that is gone, which is new"


def test_there_are_words_for_every_reason() -> None:
    tables = {
        "charge": words.USES, "fault": words.FAULTS, "unmap": words.UNMAPS, "backing": words.BACKINGS, "move": words.MOVES,
        "writer": words.WRITERS, "enter": words.ENTERS, "leave": words.LEAVES, "victim": words.VICTIMS,
        "answer": words.ANSWERS | words.ACTIVATED, "met": words.MET | {"taken": ""},
    }  # fmt: skip
    for kind, table in tables.items():
        assert set(table) == set(TRACE_WORDS[kind]), kind


def saved(tree: Tree, path: Path) -> Path:
    """The files that the command reads, and a container's directory beside them."""
    (path / TRACE).mkdir(parents=True)
    for name in ("trace", "tracing_on", "set_event"):
        (path / TRACE / name).write_bytes(tree.root.read(f"{TRACE}/{name}"))
    (path / "web").mkdir()
    return path


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    top = saved(scripted_life(), tmp_path)
    assert main(["explain", str(top / "web"), "101", "0x0"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[14:] for line in lines] == [f"{who:<11} {text}" for who, text in STORY]
    assert lines[0] == "    0.000000  task 101    frame 2 is allocated, zone 0"
    assert main(["explain", str(top), "101", "0", "--since", "100000000", "--json"]) == 0
    story = json.loads(capsys.readouterr().out)["story"]
    assert [each["text"] for each in story] == [text for _, text in STORY][-len(story) :]
    assert all(each["us"] >= 100_000 for each in story)
    assert main(["explain", str(top), "101", "77"]) == 0
    assert capsys.readouterr().out == "nothing was recorded of page 77 of task 101\n"


@pytest.mark.parametrize("words", [("x", "0"), ("101", "-1"), ("101", "0", "--since", "soon")])
def test_what_is_no_number(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert main(["explain", str(tmp_path), *words]) == 1


def test_nothing_is_traced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(saved(Tree(ram="8M"), tmp_path)), "101", "0"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("memcgfs: nothing is traced: echo 1 > ")
    assert error.count("\n") == 1
    tree = Tree(ram="8M")
    tree.root[f"{TRACE}/events/enable"] = 1
    tree.root[f"{TRACE}/tracing_on"] = 0
    (tmp_path / "off").mkdir()
    assert main(["explain", str(saved(tree, tmp_path / "off")), "101", "0"]) == 1
    assert capsys.readouterr().err.endswith("/tracing_on\n")
    assert main(["explain", "/usr", "101", "0"]) == 1


def test_lost_records_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    explain.print_story(1, 2, [], lost=3)
    assert capsys.readouterr().out.startswith("3 older records were overwritten")
