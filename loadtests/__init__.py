"""Measurements against real processes: `incidents` replays outages, `bench` compares with peers."""
