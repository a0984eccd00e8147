"""Mistakes of the Gorgias connector with answers, limits, webhooks and secrets."""

from __future__ import annotations

from typing import Final

from tests.contract.mutations.breaking import Mutation

MUTATIONS: Final[list[Mutation]] = [
    Mutation(
        wrong="takes a redirect for a yes",
        file="faults.py",
        old="case _ if 200 <= status < 300:",
        new="case _ if 200 <= status < 400:",
        caught_by="refusals.a_redirect_is_not_followed",
    ),
    Mutation(
        wrong="takes a page of HTML for a yes",
        file="api.py",
        old='if "html" in answer.headers.get("content-type", ""):',
        new="if answer.status == 599:",
        caught_by="refusals.a_page_of_html_is_no_answer",
    ),
    Mutation(
        wrong="takes a repeated message for harmless",
        file="api.py",
        old='Asked("POST", f"/api/tickets/{_number(ticket)}/messages")',
        new='Asked("POST", f"/api/tickets/{_number(ticket)}/messages", repeatable=True)',
        caught_by="refusals.a_dropped_connection_leaves_writes_uncertain",
    ),
    Mutation(
        wrong="takes a repeated ticket for harmless",
        file="api.py",
        old='Asked("POST", "/api/tickets")',
        new='Asked("POST", "/api/tickets", repeatable=True)',
        caught_by="refusals.half_an_answer_is_no_answer",
    ),
    Mutation(
        wrong="ignores Retry-After",
        file="faults.py",
        old="wait_s = _DEFAULT_WAIT_S if wait_s is None else max(wait_s, _LEAST_WAIT_S)",
        new="wait_s = _DEFAULT_WAIT_S",
        caught_by="refusals.a_limit_ends_the_call_with_the_wait",
    ),
    Mutation(
        wrong="spends more than the plan has",
        file="connector.py",
        old='Budget(name="*", limit=',
        new='Budget(name="*", limit=10 * ',
        caught_by="limits.a_burst_stays_below_the_plan",
    ),
    Mutation(
        wrong="makes calls that nobody paid for",
        file="api.py",
        old="        must_fit(asked, READ_TIMEOUT_S)\n        self._limiter.spend(budget)",
        new="        must_fit(asked, READ_TIMEOUT_S)\n        self._limiter.spend(budget) if body is None else None",
        caught_by="limits.every_call_is_paid_for_before_it_is_made",
    ),
    Mutation(
        wrong="believes webhooks with any secret",
        file="webhook.py",
        old='if not same_as_any(request.headers.get(HEADER.lower(), ""), known):',
        new="if HEADER.lower() not in request.headers:",
        caught_by="webhooks.a_changed_proof_is_refused",
    ),
    Mutation(
        wrong="believes webhooks while no secret is stored",
        file="webhook.py",
        old='raise WebhookRefused("no webhook secret is stored for this connection; install the webhook again")',
        new='known = [request.headers.get(HEADER.lower(), "")]',
        caught_by="webhooks.another_secret_is_refused",
    ),
    Mutation(
        wrong="makes another secret with each installation",
        file="doctor.py",
        old='secret = next(iter(self._known()), "") or secrets',
        new="secret = secrets",
        caught_by="webhooks.installing_again_changes_nothing",
    ),
    Mutation(
        wrong="does not see that its webhook was switched off",
        file="doctor.py",
        old='    if ours.get("deactivated_datetime") is not None:\n        return False\n',
        new="",
        caught_by="webhooks.installing_again_mends_what_people_broke",
    ),
    Mutation(
        wrong="writes nothing down before it sends",
        file="opening.py",
        old="        journal.put(_ENTRY, written)\n",
        new="",
        caught_by="opening.notes_what_it_sends_before_it_sends",
    ),
    Mutation(
        wrong="gives away an address that nobody vouches for",
        file="people.py",
        old="allowed = self._settings.attach_customer_email and customer.email_verified",
        new="allowed = customer.email is not None",
        caught_by="discretion.a_claimed_address_leads_to_nobody_else",
    ),
    Mutation(
        wrong="tells its key in an error",
        file="api.py",
        old="{error} Gorgias could not be heard.",
        new="{error} {header} could not be heard.",
        caught_by="discretion.errors_and_logs_tell_nothing",
    ),
    Mutation(
        wrong="raises out of a check",
        file="doctor.py",
        old="            return look()\n        except HandoffError as error:",
        new="            return look()\n        except VendorAuthError as error:",
        caught_by="refusals.a_check_tells_instead_of_raising",
    ),
]
