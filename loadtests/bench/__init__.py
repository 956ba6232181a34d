"""Side-by-side bench: the sidecar beside other proxies on one core, in one run.

`python -m loadtests.bench` runs it; `docs/benchmarks.md` explains the method.
"""
