"""What helpdesks differ in: one name for each thing that one of them may be unable to do.

A connector that cannot do one of them says why in `Capabilities.cannot`. The reason stands in the feature table of
connectors/README.md, and exempts the connector from the clause of the contract suite that demands the thing.
"""

from __future__ import annotations

from enum import StrEnum


class Feature(StrEnum):
    """The value is the row's name in the feature table."""

    IDEMPOTENT_CREATION = "a repeated creation is known by its key"
    FOLLOW_UP = "a final ticket gets a linked follow-up"
    FINAL_STATUS = "tickets become final"
    WAITING_CUSTOMER = "status: waiting for the customer"
    SOLVED_MEANS_DONE = "a solved ticket means that the work is done"
    SET_ON_HOLD = "we can put a ticket on hold"
    PRIORITY = "priority"
    GROUP = "group or team"
    CUSTOM_FIELDS = "custom fields"
    PUBLIC_WORDS = "public words of ours"
    FILES_TO_TICKET = "files of the chat are attached to the ticket"
    FILES_TO_CHAT = "files of agents reach the chat"
    CHANGED_BY = "who changed a ticket is always named"
    RESTORE = "a deleted ticket can come back"
    LONG_HISTORY = "a reading is complete however long it was not read"
    INSTALL_WEBHOOK = "the webhook installs itself"
    SIGNED_BODY = "webhooks are signed over their body"
    SIGNED_TIME = "old webhooks are refused"
    SIGN_ROTATION = "two webhook secrets are good during a rotation"
