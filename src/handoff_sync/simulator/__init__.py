"""What the simulated helpdesks share: faults on demand, a clock, a webhook sender, an agent page, a server.

A connector brings its own simulated helpdesk and builds it from these parts.
"""
