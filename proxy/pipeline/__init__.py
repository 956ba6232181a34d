"""The stack's own parts: how layers compose, and the layers that belong to no concern."""
