"""The long run's verdict: a branch that was never taken is a failure of a full run alone."""

from __future__ import annotations

from collections import Counter

import pytest

from . import __main__ as long_run


@pytest.mark.slow
@pytest.mark.parametrize(("full_length", "expected"), [(1000, 0), (1, 1)])
def test_only_a_full_run_must_take_every_branch(
    full_length: int, expected: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(long_run, "FULL_LENGTH", full_length)
    monkeypatch.setattr(long_run, "taken", Counter())
    monkeypatch.setattr(long_run, "nr_steps", 0)
    assert long_run.main(1) == expected
    told = capsys.readouterr().out
    assert "\nnever taken: shrink_page_list keep:locked" in told
    assert ("\nwhich is no failure in fewer than 1,000 steps" in told) == (expected == 0)
