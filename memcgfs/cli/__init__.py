"""The `memcgfs` command: finds the subcommand, and nothing else.

Contract.  A command is a line of `COMMANDS`, and a module of this package with

- `add_arguments(parser: argparse.ArgumentParser) -> None`;
- `run(arguments: argparse.Namespace) -> int`, which gives the exit status and refuses by raising `Refusal`.

Only the module of the command that is wanted gets imported, and it imports what is heavy in `run`: the time until a
mount is ready is mostly time spent importing.

`memcgfs SOURCE DIR [-o OPTIONS]` is what mount(8) and fstab call.  It is `mount` with a source in front; the name of a
command always wins over a source of that name.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

VERSION: Final = "0.1.0"
COMMANDS: Final = {
    "mount": "mount a new tree at DIR",
    "umount": "unmount the tree at DIR, and wait until its daemon has ended",
    "explain": "tell the life of a page in words, from the trace of a mounted tree",
    "replay": "drive a trace of page accesses through one container, without a mount",
}


class Refusal(Exception):
    """Why a command does not do what was asked: one line, for people."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv`; the exit status: 0 done, 1 refused, 2 not understood, 130 interrupted."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(words)
    except Refusal as refusal:
        print(f"memcgfs: {refusal}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has left (`memcgfs ... | head`).  The interpreter must not try to flush it again.
        sys.stdout = None
        return 1


def _run(words: list[str]) -> int:
    if words and words[0] in COMMANDS:
        name = words[0]
    elif len(words) == 1 and not words[0].startswith("-"):
        print(f"memcgfs: {words[0]}: no such command; memcgfs --help lists them", file=sys.stderr)
        return 2
    elif words and not words[0].startswith("-"):
        name, words = "mount", ["mount", "--source", *words]
    else:
        return _run_bare(words)
    from argparse import ArgumentParser

    command = import_module(f".{name}", __name__)
    parser = ArgumentParser(prog=f"memcgfs {name}", description=COMMANDS[name], allow_abbrev=False)
    command.add_arguments(parser)
    status: int = command.run(parser.parse_args(words[1:]))
    return status


def _run_bare(words: list[str]) -> int:
    """No command: --help and --version."""
    from argparse import ArgumentParser, RawDescriptionHelpFormatter

    summaries = "\n".join(f"  {name:8} {summary}" for name, summary in COMMANDS.items())
    parser = ArgumentParser(
        prog="memcgfs",
        usage="memcgfs COMMAND ... | memcgfs SOURCE DIR [-o OPTIONS]",
        description="The Linux memory controller of July 2007, as a directory tree that you can mount.",
        epilog=f"commands (memcgfs COMMAND --help tells more):\n{summaries}",
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"memcgfs {VERSION}")
    parser.parse_args(words)
    parser.print_help(sys.stderr)
    return 2
