"""From names to addresses."""
