"""The API: Kubernetes over HTTP on one store. It keeps no object and runs no controller."""
