"""What both Kubernetes tool servers are made of: access, reading of objects, guarded changes."""
