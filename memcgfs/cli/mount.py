"""`memcgfs mount [-f] [-o OPTIONS] DIR`: looks whether it can be done, then leaves it to a daemon."""

from __future__ import annotations

import argparse
import logging
from typing import TYPE_CHECKING

from ..fuse.mountpoint import MountError, require_free, require_fuse
from . import NotUnderstood, Refusal, path_of
from .detach import run_detached

if TYPE_CHECKING:
    from collections.abc import Callable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dir", metavar="DIR", help="the directory to mount at; it need not be empty")
    parser.add_argument("-o", metavar="OPTIONS", dest="options", action="append", default=[],
                        help="options, separated by commas; may be given several times")  # fmt: skip
    parser.add_argument("-f", dest="foreground", action="store_true",
                        help="stay in front: log to stderr, unmount at Ctrl-C")  # fmt: skip
    parser.add_argument("--source", default="memcgfs", help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    from ..options import OptionError, parse_options

    path = path_of(arguments.dir)
    try:
        options = parse_options(",".join(arguments.options))
        require_free(path)
        require_fuse()
    except OptionError as refusal:
        raise NotUnderstood(refusal) from None
    except MountError as refusal:
        raise Refusal(refusal) from None

    def serve(ready: Callable[[], None]) -> None:
        # These imports take most of the time until the mount is ready.
        from ..fuse.daemon import serve

        try:
            serve(options, path, arguments.source, ready)
        except OptionError as refusal:
            raise NotUnderstood(refusal) from None
        except MountError as refusal:
            raise Refusal(refusal) from None

    if arguments.foreground:
        logging.basicConfig(format="memcgfs: %(message)s")
        serve(lambda: None)
    else:
        run_detached(serve, log_name=str(path).strip("/").replace("/", "-"))
    return 0
