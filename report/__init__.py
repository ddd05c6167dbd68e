"""Station 4: the account for people. It tells what is in the incident; it never looks or acts."""
