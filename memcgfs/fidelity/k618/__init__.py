"""What drives cases recorded on Linux 6.18, a module for each kind (`run.py` finds it by that name)."""
