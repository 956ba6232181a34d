"""The words of the house. Standard library only; imports nothing else of `proxy`."""
