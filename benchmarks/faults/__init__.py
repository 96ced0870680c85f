"""Journeys while something breaks, and the invariants that must hold afterwards: `python -m benchmarks.faults`."""
