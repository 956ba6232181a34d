"""Fuzzes the inbound edge of the real process: `python -m loadtests.fuzz`.

generator.py makes streams of requests from (seed, index); reference.py reads
each stream by its own strict rules; driver.py sends it to the sidecar and
judge.py compares what came back, and what the origin got, with that reading.
"""
