"""Replays of the incidents this project exists for, against the real sidecar process.

Run them with `make incidents`; docs/replays.md says how to read and write one.
"""
