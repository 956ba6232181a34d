"""Which route a call takes, and which candidate may be tried next."""
