"""The decision page: what a decision link leads to."""
