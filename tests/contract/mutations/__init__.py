"""Connectors broken on purpose, in one place each: a suite that lets one of them pass has a hole.

One module per helpdesk holds a list `MUTATIONS`. `python -m tests.contract.mutations KIND` shows which clauses catch
which of them.
"""
