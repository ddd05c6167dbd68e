"""What the Prometheus tool server is made of: access, the API, known metric names, tools."""
