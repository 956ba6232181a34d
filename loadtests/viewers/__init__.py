"""What viewers of the dashboard do to calls: `make bench ARGS="--viewers"`.

`docs/benchmarks.md` explains the method.
"""
