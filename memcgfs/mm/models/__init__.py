"""Reclaim models: one file each, joined with the engine."""
