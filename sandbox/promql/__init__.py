"""PromQL over series in memory: compiled once, evaluated at a moment or along a range."""
