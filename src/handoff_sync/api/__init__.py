"""HTTP in: what the platform, the helpdesks and the operator call. Thin: authenticate, validate, commit, answer."""
