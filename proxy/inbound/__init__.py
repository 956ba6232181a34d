"""What stands between the application's socket and the stack."""
