"""More attempts at the same upstream."""
