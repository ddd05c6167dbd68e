"""Station 3: carrying out what was decided, through one door, and looking afterwards whether it helped."""
