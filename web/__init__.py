"""What people and monitoring see over HTTP: health, metrics, incidents, approvals."""
