"""Everything durable. SQLAlchemy Core lives here and nowhere else.

Writing goes through `committer.Committer` (one transaction for many jobs), reading through `reads.Reads`.
"""
