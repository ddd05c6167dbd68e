"""Helper clients to the outside, one file each; libraries' errors become ours here."""
