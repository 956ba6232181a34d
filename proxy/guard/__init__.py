"""Whether a partner may be called: what happened lately, what it proves, and who is let through."""
