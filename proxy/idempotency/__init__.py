"""The journal: what was sent, what came of it, and who may send it again."""
