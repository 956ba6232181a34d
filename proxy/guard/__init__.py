"""What stands between a call and a partner in trouble."""
