"""What the Loki tool server is made of: the API, tools, their answers."""
