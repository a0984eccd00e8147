"""Use cases: everything that changes a session goes through here, one transaction a step."""
