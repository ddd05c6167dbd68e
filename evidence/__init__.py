"""Facts with source and time: what was looked at, never what to think of it."""
