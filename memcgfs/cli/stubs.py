"""`memcgfs stubs [-o OPTIONS]`: the files that take a write from which nothing follows, and why.

The list is made from the rows of the files themselves: a tree is set up with each dialect, or with the options given, and whatever
is in it says so of itself (`ControlFile.stub`).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from . import NotUnderstood

if TYPE_CHECKING:
    from ..tree import Tree

SMALL = "ram=16M,swap=0"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", metavar="OPTIONS", dest="options", help="of a mount: list those of this tree, instead of each dialect's")


def run(arguments: argparse.Namespace) -> int:
    from ..options import DIALECT_DEFAULTS, OptionError

    chosen = [f"dialect={name}" for name in DIALECT_DEFAULTS] if arguments.options is None else [arguments.options]
    try:
        for options in chosen:
            print_stubs(options)
    except OptionError as refusal:
        raise NotUnderstood(refusal) from None
    return 0


def print_stubs(options: str) -> None:
    stubs = stubs_of(options)
    print(f"{options}:" + ("" if stubs else " none"))
    width = max(map(len, stubs), default=0)
    for name, why in stubs.items():
        print(f"  {name:{width}}  {why}")


def stubs_of(options: str) -> dict[str, str]:
    """Why, by file: a name that stands in every container, or a path of the top's own."""
    from ..options import parse_options
    from ..tree import Tree

    tree = Tree.from_options(parse_options(",".join(filter(None, (SMALL, options)))))
    tree.spawn(101, tree.mkdir("group"))
    return dict(sorted(walk(tree)))


def walk(tree: Tree) -> Iterator[tuple[str, str]]:
    from ..kernfs import ControlFile, Directory, File

    pending: list[Directory] = [tree.fs.root]
    while pending:
        for node in pending.pop().children.values():
            if isinstance(node, Directory):
                pending.append(node)
            elif isinstance(node, File) and isinstance(node.type, ControlFile) and (why := node.type.stub(node.subject)):
                yield node.path.decode().removeprefix("/group").removeprefix("/"), why
