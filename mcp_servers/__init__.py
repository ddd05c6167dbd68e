"""Tool servers: programs of their own that speak MCP. Imported by `app.py` alone."""
