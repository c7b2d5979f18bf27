"""Who needs which block of metadata first."""

from __future__ import annotations

from memcgfs.fidelity.ext2 import BLOCK_BITMAP, BLOCKS_OF_FILE, INODE_BITMAP, METADATA_PAGES, NR_READ_BEFORE, Metadata


def test_a_new_file() -> None:
    metadata, read = Metadata([]), list[int]()
    metadata.create("/mnt/new", read.append)
    assert read == [INODE_BITMAP]
    metadata.use("/mnt/new", range(1), read.append)
    assert read == [INODE_BITMAP, BLOCK_BITMAP]
    metadata.use("/mnt/new", range(12), read.append)
    assert read == [INODE_BITMAP, BLOCK_BITMAP]
    metadata.use("/mnt/new", range(12, 13), read.append)
    assert read == [INODE_BITMAP, BLOCK_BITMAP, 2]
    metadata.create("/mnt/second", read.append)
    metadata.use("/mnt/second", range(13), read.append)
    assert read == [INODE_BITMAP, BLOCK_BITMAP, 2, 2 + BLOCKS_OF_FILE]


def test_a_file_that_was_there() -> None:
    """Of 9 blocks that lead to 8,192 pages the first 4 have been read."""
    metadata, read = Metadata(["/mnt/f"]), list[int]()
    metadata.use("/mnt/f", range(1036), read.append)
    assert read == []
    metadata.use("/mnt/f", range(8192), read.append)
    assert read == [2 + number for number in range(NR_READ_BEFORE, 9)]
    metadata.use("/mnt/f", range(8192), read.append)
    assert len(read) == 5
    assert max(read) < METADATA_PAGES


def test_files_in_memory_have_none() -> None:
    read = list[int]()
    Metadata([]).use("/shm/x", range(8192), read.append)
    assert read == []
