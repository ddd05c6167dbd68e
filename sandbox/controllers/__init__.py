"""The control loops of the cluster, one file each: they bring what is towards what was asked for."""
