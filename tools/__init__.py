"""Checks that `make lint` runs on this repository, beyond what off-the-shelf linters know."""
