"""A Kubernetes cluster in one process: API server, controllers and kubelets on a simulated clock."""
