"""Mistakes in the Gorgias connector."""

from __future__ import annotations

from typing import Final

from tests.contract.mutations.breaking import Mutation

MUTATIONS: Final[list[Mutation]] = [
    Mutation(
        wrong="leaves a ticket at rest when the customer speaks",
        file="appending.py",
        old="if status is not TicketStatus.OPEN:",
        new="if status is TicketStatus.CLOSED:",
        caught_by="appending.customers_words_wake_a_ticket",
    ),
]
