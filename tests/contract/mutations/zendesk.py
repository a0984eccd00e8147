"""Mistakes in the Zendesk connector."""

from __future__ import annotations

from typing import Final

from tests.contract.mutations.breaking import Mutation

MUTATIONS: Final[list[Mutation]] = [
    Mutation(
        wrong="says what the customer says in our own name",
        file="mapping.py",
        old="if author_id is not None:",
        new="if author_id == -1:",
        caught_by="appending.customers_words_stand_in_their_name",
    ),
    Mutation(
        wrong="lets Zendesk decide what is public",
        file="mapping.py",
        old='{"html_body": _no_placeholders(markup), "public": public}',
        new='{"html_body": _no_placeholders(markup), "public": True}',
        caught_by="appending.notes_stay_inside",
    ),
    Mutation(
        wrong="sends another key with each attempt",
        file="opening.py",
        old="self._api.create_ticket(written.body.encode(), written.key)",
        new='self._api.create_ticket(written.body.encode(), f"{written.key}:{time.time()}")',
        caught_by="opening.makes_one_ticket_however_often_it_is_asked",
    ),
]
