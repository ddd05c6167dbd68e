"""Finds a node for each pod, or says why there is none."""
