"""Journeys while something breaks, and what must hold after it: `python -m benchmarks.faults`."""
