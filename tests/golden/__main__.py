"""Prints the golden counts as they are now; what is printed can be pasted into golden.json, after its diff was understood."""

from __future__ import annotations

from memcgfs.mm.engine import engine

from .traces import TRACES, as_text, summary

print(as_text({name: summary(trace(engine)) for name, trace in TRACES.items()}), end="")
