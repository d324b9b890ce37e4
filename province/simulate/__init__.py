"""Simulated histories for demos, training and benchmarks: plausible, the same for the same seed, and always marked."""
