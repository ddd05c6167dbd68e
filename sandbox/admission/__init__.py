"""What stands before the store: defaults, admission, validation, quota. Everybody who writes passes it."""
