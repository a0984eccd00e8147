"""Mistakes in the Gorgias connector."""

from __future__ import annotations

from typing import Final

from tests.contract.mutations import gorgias_answers
from tests.contract.mutations.breaking import Mutation

MUTATIONS: Final[list[Mutation]] = [
    Mutation(
        wrong="leaves a ticket at rest when the customer speaks",
        file="appending.py",
        old="if status is not TicketStatus.OPEN:",
        new="if status is TicketStatus.CLOSED:",
        caught_by="appending.customers_words_wake_a_ticket",
    ),
    Mutation(
        wrong="opens a ticket again without looking for it",
        file="opening.py",
        old="if written is not None:",
        new="if written is None:",
        caught_by="opening.makes_one_ticket_when_the_answer_is_lost",
    ),
    # --- what customers must never hear ---------------------------------------------------------------
    Mutation(
        wrong="relays notes that say they are public",
        file="mapping.py",
        old='return _flag(message, "public") is True and NOTE not in notes',
        new='return _flag(message, "public") is True',
        caught_by="whispering.internal_words_are_never_relayed",
    ),
    Mutation(
        wrong="relays what is no note, though it is not public",
        file="mapping.py",
        old='return _flag(message, "public") is True and NOTE not in notes',
        new="return NOTE not in notes",
        caught_by="whispering.internal_words_are_never_relayed",
    ),
    Mutation(
        wrong="relays what an agent sends to somebody else",
        file="mapping.py",
        old="return receiver is not None and customer is not None and",
        new="return receiver is None and customer is not None and",
        caught_by="whispering.internal_words_are_never_relayed",
    ),
    Mutation(
        wrong="relays what was deleted",
        file="mapping.py",
        old='message.get("deleted_datetime") is not None or ',
        new="",
        caught_by="whispering.internal_words_are_never_relayed",
    ),
    Mutation(
        wrong="takes words that came in an unknown way for an agent's",
        file="mapping.py",
        old="by_hand = via in _BY_HAND or (via == NOTE and not is_public(message))",
        new="by_hand = True",
        caught_by="whispering.kinds_that_nobody_knows_are_closed",
    ),
    Mutation(
        wrong="takes anybody whom the account knows for staff",
        file="mapping.py",
        old="return user is not None and role_of(user) in _STAFF",
        new="return user is not None",
        caught_by="whispering.kinds_that_nobody_knows_are_closed",
    ),
    Mutation(
        wrong="takes a rule with an agent's name for the agent",
        file="mapping.py",
        old='message.get("rule_id") is not None or ',
        new="",
        caught_by="whispering.machines_are_no_people",
    ),
    Mutation(
        wrong="takes bots for people",
        file="mapping.py",
        old='role_of_known(author) == "bot" or ',
        new="",
        caught_by="whispering.machines_are_no_people",
    ),
    Mutation(
        wrong="does not know its own words again",
        file="mapping.py",
        old="    if marker_of(message) is not None:\n        return CommentAuthor.OURS\n",
        new="",
        caught_by="whispering.our_own_words_are_known_as_ours",
    ),
    Mutation(
        wrong="says notes as an agent's public words",
        file="appending.py",
        old="elif comment.public:",
        new="elif comment.author is None:",
        caught_by="appending.notes_stay_inside",
    ),
    # --- reading --------------------------------------------------------------------------------------
    Mutation(
        wrong="forgets what it has told",
        file="reading.py",
        old=' and message["id"].integer() not in self.said',
        new="",
        caught_by="reading.what_is_new_is_told_once",
    ),
    # --- status, assignee, tags and who did it -----------------------------------------------------------
    Mutation(
        wrong="ignores a snooze",
        file="mapping.py",
        old="if snooze is not None and snooze > now:",
        new="if snooze is not None and snooze < now:",
        caught_by="statuses.an_agents_status_is_read",
    ),
    Mutation(
        wrong="leaves a snooze beside the status that it sets",
        file="connector.py",
        old=', "snooze_datetime": None}',
        new="}",
        caught_by="statuses.each_status_follows_each",
    ),
    Mutation(
        wrong="replaces all tags by its own",
        file="api.py",
        old='Asked("POST", f"/api/tickets/{_number(ticket)}/tags", repeatable=True)',
        new='Asked("PUT", f"/api/tickets/{_number(ticket)}/tags", repeatable=True)',
        caught_by="statuses.tags_of_agents_stay",
    ),
    Mutation(
        wrong="names whoever is listed last as the one who opened it again",
        file="reading.py",
        old="if change is not None and self._is_newest(change, ticket):",
        new="if change is not None:",
        caught_by="statuses.a_late_history_names_nobody_wrong",
    ),
    # --- tickets that leave -----------------------------------------------------------------------------
    Mutation(
        wrong="takes a merged ticket for a deleted one",
        file="reading.py",
        old='"merged", at=at, into=merged.into)',
        new='"merged", at=at, into=None)',
        caught_by="leaving.a_merged_ticket_names_its_target",
    ),
    Mutation(
        wrong="goes on with a ticket in the trash",
        file="reading.py",
        old="deleted=bool(gone),",
        new="deleted=False,",
        caught_by="leaving.a_ticket_that_was_taken_away_says_so",
    ),
    # --- sweeps -----------------------------------------------------------------------------------------
    Mutation(
        wrong="sweeps without looking back",
        file="changes.py",
        old="place.began - OVERLAP), began=place.began)",
        new="place.began), began=place.began)",
        caught_by="sweeping.what_is_listed_late_is_not_missed",
    ),
    Mutation(
        wrong="ends a sweep after the first page",
        file="changes.py",
        old='more = following is not None and following.text() not in ("", place.page)',
        new="more = False",
        caught_by="sweeping.a_crowd_is_swept_to_the_end",
    ),
    *gorgias_answers.MUTATIONS,
]
