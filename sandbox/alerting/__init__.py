"""Alerts of the sandbox cluster: rules, their evaluation, and the notifications that come of them."""
