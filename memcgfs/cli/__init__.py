"""The `memcgfs` command: finds the subcommand, and nothing else.

Contract.  A command is a line of `COMMANDS`, and a module of this package with

- `add_arguments(parser: argparse.ArgumentParser) -> None`;
- `run(arguments: argparse.Namespace) -> int`, which gives the exit status and refuses by raising `Refusal`.

Only the module of the command that is wanted gets imported, and it imports what is heavy in `run`: the time until a
mount is ready is mostly time spent importing.

`memcgfs SOURCE DIR [-o OPTIONS]` is what mount(8) and fstab call.  It is `mount` with a source in front; the name of a
command always wins over a source of that name, and a word that is nearly one is taken for a slip, not for a source.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

VERSION: Final = "0.1.0"
COMMANDS: Final = {
    "mount": "mount a new tree at DIR",
    "umount": "unmount the tree at DIR, and wait until its daemon has ended",
    "explain": "tell the life of a page in words, from the trace of a mounted tree",
    "fidelity": "drive recorded cases of a real kernel, and say what differs",
    "replay": "drive a trace of page accesses through one container, without a mount",
    "stubs": "list the files that take a write from which nothing follows",
}


LIKENESS: Final = 0.8
"""From here on one word is a slip of another: unmount, mout and repaly are; memory, none and mnt are names of sources."""


class Refusal(Exception):
    """Why a command does not do what was asked: one line, for people."""

    status = 1


class NotUnderstood(Refusal):
    """What was asked makes no sense: a wrong option, a trace or a file of cases that is none."""

    status = 2


def path_of(word: str) -> Path:
    """The place that a DIR of the command line names, without links. An empty one (a variable that is not set) is not the directory we
    are in."""
    if not word:
        raise Refusal("'': No such file or directory")
    return Path(os.path.realpath(word))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv`; the exit status: 0 done, 1 refused, 2 not understood, 130 interrupted."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(words)
    except Refusal as refusal:
        print(f"memcgfs: {refusal}", file=sys.stderr)
        return refusal.status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has left (`memcgfs ... | head`).  The interpreter must not try to flush it again.
        sys.stdout = None
        return 1


def _run(words: list[str]) -> int:
    if words and words[0] in COMMANDS:
        name = words[0]
    elif not words or words[0].startswith("-"):
        return _run_bare(words)
    elif (meant := _nearest_command(words[0])) or len(words) == 1:
        advice = f"did you mean {meant}?" if meant else "memcgfs --help lists them"
        print(f"memcgfs: {words[0]}: no such command; {advice}", file=sys.stderr)
        return 2
    else:
        name, words = "mount", ["mount", "--source", *words]
    from argparse import ArgumentParser

    command = import_module(f".{name}", __name__)
    parser = ArgumentParser(prog=f"memcgfs {name}", description=COMMANDS[name], allow_abbrev=False)
    command.add_arguments(parser)
    status: int = command.run(parser.parse_args(words[1:]))
    return status


def _nearest_command(word: str) -> str:
    """The command that `word` is a slip of, or nothing."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word.lower(), COMMANDS, n=1, cutoff=LIKENESS)), "")


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
