"""`memcgfs fidelity FILE [ID...]`: drives recorded cases of a real kernel, and says what the machine does differently.

Exit status: 0 every case that applies holds, 1 one does not, 2 the file, a case of it or an ID was not understood.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from . import NotUnderstood

if TYPE_CHECKING:
    from ..fidelity.cases import Case
    from ..fidelity.row import Row

PROGRESS_AFTER_S = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path, help="recorded cases, one JSON object a line")
    parser.add_argument("ids", metavar="ID", nargs="*", default=[], help="drive these cases only")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")


def run(arguments: argparse.Namespace) -> int:
    from tqdm import tqdm

    from ..fidelity.cases import CaseError, read_cases
    from ..fidelity.run import check_strings, run_cases
    from ..fidelity.table import lines

    rows: list[Row] = []
    try:
        cases = list(read_cases(arguments.file))
        chosen = choose(cases, arguments.ids, arguments.file)
        check_strings(chosen)
        with tqdm(total=len(chosen), unit="case", disable=None, delay=PROGRESS_AFTER_S, leave=False, file=sys.stderr) as progress:
            for row in run_cases(chosen, cases):
                rows.append(row)
                progress.update()
                if arguments.json:
                    print_json(row)
    except CaseError as refusal:
        raise NotUnderstood(refusal) from None
    if not arguments.json:
        print("\n".join(lines(rows)))
    return 0 if all(row.holds for row in rows if row.applies) else 1


def choose(cases: list[Case], ids: list[str], file: Path) -> list[Case]:
    from ..fidelity.cases import CaseError

    if not cases:
        raise CaseError(f"{file}: no case in it")
    known = {case.id for case in cases}
    for wanted in ids:
        if wanted not in known:
            raise CaseError(f"{file}: there is no case {wanted}")
    return [case for case in cases if case.id in ids] if ids else cases


def print_json(row: Row) -> None:
    import json

    figures = {
        figure.name: {"recorded": figure.recorded, "ours": figure.ours, "holds": figure.holds, "cause": figure.cause}
        for figure in row.figures
    }
    fields = {"id": row.id, "kind": row.kind, "applies": row.applies, "holds": row.holds, "first_difference": row.first_difference}
    print(json.dumps({**fields, "cause": row.cause, "figures": figures}, default=str), flush=True)
