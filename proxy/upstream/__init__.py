"""One attempt at one upstream: rewriting, transport, and what its ending proves."""
