"""handoff-sync: hands customers from an AI chat to people in their helpdesk, and keeps both sides in step."""
