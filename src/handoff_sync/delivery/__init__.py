"""Performing effects: one lane at a time, outside any transaction, and settling what came of it."""
