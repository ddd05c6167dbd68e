"""Station 1: takes alerts in, keeps them, and files them under incidents."""
