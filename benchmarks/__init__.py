"""Side-by-side measurements of poolkit against the calls that each framework documents: python -m benchmarks --help."""
