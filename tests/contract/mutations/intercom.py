"""Mistakes in the Intercom connector."""

from __future__ import annotations

from typing import Final

from tests.contract.mutations.breaking import Mutation

MUTATIONS: Final[list[Mutation]] = [
    Mutation(
        wrong="opens the conversation again after a lost answer",
        file="opening.py",
        old="found = self._arrived(word) or self._searched(written, word)",
        new="found = None",
        caught_by="opening.makes_one_ticket_when_the_answer_is_lost",
    ),
]
