"""Mistakes of the Intercom connector with answers, limits, webhooks and secrets."""

from __future__ import annotations

from typing import Final

from tests.contract.mutations.breaking import Mutation

MUTATIONS: Final[list[Mutation]] = [
    Mutation(
        wrong="marks a conversation as done before it is",
        file="furnishing.py",
        old="key=lambda tag: tag == FURNISHED",
        new="key=lambda tag: tag != FURNISHED",
        caught_by="refusals.an_interrupted_opening_is_made_once",
    ),
    Mutation(
        wrong="takes an unreadable answer to a reply for none sent",
        file="replying.py",
        old='raise OutcomeUnknown(f"Intercom took a reply in words we do not know: {error}") from None',
        new="raise",
        caught_by="refusals.values_of_other_types_are_no_answer",
    ),
    Mutation(
        wrong="believes webhooks with any signature",
        file="webhook.py",
        old='raise WebhookRefused("signature does not match")',
        new="return",
        caught_by="webhooks.a_changed_body_is_refused",
    ),
    Mutation(
        wrong="looks at what happened in other workspaces",
        file="webhook.py",
        old="if workspace is not None and app != workspace:",
        new='if app == "":',
        caught_by="webhooks.every_fixture_names_what_is_expected",
    ),
    Mutation(
        wrong="takes trouble for a certain no",
        file="faults.py",
        old='        case _:\n            return asked.lost(f"status {status}")',
        new='        case _:\n            return VendorDown(f"status {status}")',
        caught_by="refusals.a_helpdesk_in_trouble_is_asked_again",
    ),
    Mutation(
        wrong="tells what customers say in an error",
        file="faults.py",
        old='return VendorRejected(f"Intercom refused the request ({what}).")',
        new='return VendorRejected(f"Intercom refused the request ({what}): {message_of(body)}")',
        caught_by="discretion.errors_and_logs_tell_nothing",
    ),
    Mutation(
        wrong="looks customers up by an address that they claim",
        file="people.py",
        old="if customer.email and customer.email_verified:",
        new="if customer.email:",
        caught_by="discretion.a_claimed_address_leads_to_nobody_else",
    ),
]
