"""Mistakes in the Intercom connector."""

from __future__ import annotations

from typing import Final

from tests.contract.mutations import intercom_answers
from tests.contract.mutations.breaking import Mutation

MUTATIONS: Final[list[Mutation]] = [
    Mutation(
        wrong="opens the conversation again after a lost answer",
        file="opening.py",
        old="found = self._arrived(word) or self._searched(written, word)",
        new="found = None",
        caught_by="opening.makes_one_ticket_when_the_answer_is_lost",
    ),
    # --- what customers must never hear ---------------------------------------------------------------
    Mutation(
        wrong="relays notes",
        file="mapping.py",
        old='frozenset({"comment", "close", "open"})',
        new='frozenset({"comment", "close", "open", "note"})',
        caught_by="whispering.internal_words_are_never_relayed",
    ),
    Mutation(
        wrong="relays what is said with an assignment",
        file="mapping.py",
        old='frozenset({"comment", "close", "open"})',
        new='frozenset({"comment", "close", "open", "assignment"})',
        caught_by="whispering.internal_words_are_never_relayed",
    ),
    Mutation(
        wrong="takes words of unknown kinds for an agent's",
        file="mapping.py",
        old="return CommentAuthor.UNKNOWN if staff and not known else who",
        new="return who",
        caught_by="whispering.kinds_that_nobody_knows_are_closed",
    ),
    Mutation(
        wrong="takes whoever is no customer for an agent",
        file="mapping.py",
        old='if kind != "admin" or author is None:',
        new="if author is None:",
        caught_by="whispering.kinds_that_nobody_knows_are_closed",
    ),
    Mutation(
        wrong="takes an AI with an agent's name for the agent",
        file="mapping.py",
        old=' or _flag(part, "author", "from_ai_agent") or _flag(part, "author", "is_ai_answer")',
        new="",
        caught_by="whispering.machines_are_no_people",
    ),
    Mutation(
        wrong="relays what was redacted",
        file="mapping.py",
        old='if _flag(part, "redacted"):',
        new="if False:",
        caught_by="whispering.internal_words_are_never_relayed",
    ),
    Mutation(
        wrong="takes our own notes for an agent's",
        file="mapping.py",
        old="return CommentAuthor.OURS if author == us else CommentAuthor.AGENT",
        new="return CommentAuthor.AGENT",
        caught_by="whispering.our_own_words_are_known_as_ours",
    ),
    Mutation(
        wrong="sends notes as comments",
        file="api.py",
        old='"message_type": "note"',
        new='"message_type": "comment"',
        caught_by="appending.notes_stay_inside",
    ),
    Mutation(
        wrong="keeps back the last word that comes with closing",
        file="mapping.py",
        old='frozenset({"comment", "close", "open"})',
        new='frozenset({"comment", "open"})',
        caught_by="reading.every_answer_reaches_the_customer",
    ),
    Mutation(
        wrong="keeps back the word that opens a conversation again",
        file="mapping.py",
        old='frozenset({"comment", "close", "open"})',
        new='frozenset({"comment", "close"})',
        caught_by="reading.every_answer_reaches_the_customer",
    ),
    # --- reading --------------------------------------------------------------------------------------
    Mutation(
        wrong="forgets what it has told",
        file="reading.py",
        old="said=frozenset(map(part_number, late)),",
        new="said=frozenset(),",
        caught_by="reading.what_is_new_is_told_once",
    ),
    Mutation(
        wrong="tells only what is younger than the last reading",
        file="reading.py",
        old='if part["created_at"].time() < self.newest - OVERLAP',
        new='if part["created_at"].time() <= self.newest',
        caught_by="reading.equal_times_hide_nothing",
    ),
    Mutation(
        wrong="loses line breaks",
        file="text.py",
        old='self._add("\\n")\n        elif tag in _BLOCKS:',
        new='self._add(" ")\n        elif tag in _BLOCKS:',
        caught_by="reading.agents_words_come_as_they_were_typed",
    ),
    Mutation(
        wrong="decodes entities twice",
        file="text.py",
        old="return _parsed(markup).text()",
        new="return html.unescape(_parsed(markup).text())",
        caught_by="reading.agents_words_come_as_they_were_typed",
    ),
    # --- status, assignee and who did it ----------------------------------------------------------------
    Mutation(
        wrong="ignores a snooze",
        file="mapping.py",
        old='"snoozed": TicketStatus.ON_HOLD,',
        new='"snoozed": TicketStatus.OPEN,',
        caught_by="statuses.an_agents_status_is_read",
    ),
    Mutation(
        wrong="trusts `open` instead of `state`",
        file="mapping.py",
        old='return thing["state"].text()',
        new='return "open" if thing["open"].boolean() else "closed"',
        caught_by="statuses.each_status_follows_each",
    ),
    Mutation(
        wrong="holds a ticket itself",
        file="reading.py",
        old=" if admin is not None and admin != self._people.us else None",
        new=" if admin is not None else None",
        caught_by="statuses.neither_we_nor_a_team_hold_a_ticket",
    ),
    Mutation(
        wrong="names us as the agent who solved it",
        file="mapping.py",
        old="person_of(newest[0], us) is CommentAuthor.AGENT",
        new='person_of(newest[0], "") is CommentAuthor.AGENT',
        caught_by="statuses.what_we_changed_was_nobody",
    ),
    # --- tickets that leave -----------------------------------------------------------------------------
    Mutation(
        wrong="takes a merged conversation for solved",
        file="mapping.py",
        old='MERGED: Final = "merged_secondary_conversation"',
        new='MERGED: Final = "merged"',
        caught_by="leaving.a_merged_ticket_names_its_target",
    ),
    Mutation(
        wrong="guesses where a merged conversation went",
        file="merging.py",
        old="return found[0] if len(found) == 1 else None",
        new="return found[0] if found else None",
        caught_by="leaving.two_merges_at_once_are_not_mixed_up",
    ),
    Mutation(
        wrong="takes a 404 for an open conversation",
        file="reading.py",
        old="deleted=True,",
        new="deleted=False,",
        caught_by="leaving.a_ticket_that_was_taken_away_says_so",
    ),
    Mutation(
        wrong="puts any id into an address",
        file="mapping.py",
        old="if not (value.isascii() and value.isdigit() and len(value) <= _LONGEST_NUMBER):",
        new="if not value:",
        caught_by="leaving.what_is_no_id_never_becomes_a_path",
    ),
    # --- sweeps -----------------------------------------------------------------------------------------
    Mutation(
        wrong="sweeps without looking back",
        file="sweeping.py",
        old="OVERLAP_S: Final = 900",
        new="OVERLAP_S: Final = 0",
        caught_by="sweeping.what_is_listed_late_is_not_missed",
    ),
    Mutation(
        wrong="never looks for deleted conversations",
        file="sweeping.py",
        old="gone.append(conversation)",
        new="continue",
        caught_by="sweeping.every_removal_is_found",
    ),
    Mutation(
        wrong="tells the last deletion for ever",
        file="sweeping.py",
        old="newest = max(place.deleted, place.since)",
        new="newest = place.deleted",
        caught_by="sweeping.an_idle_account_tells_nothing_for_ever",
    ),
    Mutation(
        wrong="ends a sweep after the first page",
        file="sweeping.py",
        old='following = at(page, "pages", "next", "starting_after")',
        new='following = at(page, "nowhere")',
        caught_by="sweeping.a_crowd_is_swept_to_the_end",
    ),
    *intercom_answers.MUTATIONS,
]
