"""Mistakes in the Zendesk connector."""

from __future__ import annotations

from typing import Final

from tests.contract.mutations import zendesk_answers
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
    # --- what customers must never hear ---------------------------------------------------------------
    Mutation(
        wrong="relays private comments",
        file="mapping.py",
        old="return public is not None and public.raw() is True",
        new="return public is not None",
        caught_by="whispering.internal_words_are_never_relayed",
    ),
    Mutation(
        wrong="relays comments of any type",
        file="mapping.py",
        old='_text(comment, "type") != "Comment" or ',
        new="",
        caught_by="whispering.kinds_that_nobody_knows_are_closed",
    ),
    Mutation(
        wrong="relays what a merge says",
        file="mapping.py",
        old="if is_merge(comment) or author <= 0:",
        new="if author <= 0:",
        caught_by="whispering.machines_are_no_people",
    ),
    Mutation(
        wrong="does not know its own words again",
        file="mapping.py",
        old="if marker_of(comment) is not None or marker_of(audit) is not None:",
        new="if marker_of(comment) is not None:",
        caught_by="whispering.our_own_words_are_known_as_ours",
    ),
    Mutation(
        wrong="takes another program that uses our user for an agent",
        file="mapping.py",
        old="return CommentAuthor.AUTOMATION  # another program that uses our user",
        new="return CommentAuthor.AGENT",
        caught_by="whispering.machines_are_no_people",
    ),
    # --- reading, status, assignee, tags ----------------------------------------------------------------
    Mutation(
        wrong="forgets what it has told",
        file="reading.py",
        old=' and comment["id"].integer() not in self.said',
        new="",
        caught_by="reading.what_is_new_is_told_once",
    ),
    Mutation(
        wrong="reads the first page of comments only",
        file="reading.py",
        old="if read and read[-1]",
        new="if True or read[-1]",
        caught_by="reading.many_at_once_are_all_told",
    ),
    Mutation(
        wrong="takes a ticket on hold for an open one",
        file="mapping.py",
        old='"hold": TicketStatus.ON_HOLD,',
        new='"hold": TicketStatus.OPEN,',
        caught_by="statuses.an_agents_status_is_read",
    ),
    Mutation(
        wrong="holds a ticket itself",
        file="reading.py",
        old="if assignee is None or assignee.integer() == us:",
        new="if assignee is None:",
        caught_by="statuses.neither_we_nor_a_team_hold_a_ticket",
    ),
    Mutation(
        wrong="names us as the agent who solved it",
        file="mapping.py",
        old='return author if author != us or channel == "web" else None',
        new="return author",
        caught_by="statuses.what_we_changed_was_nobody",
    ),
    Mutation(
        wrong="replaces all tags by its own",
        file="api.py",
        old="z.tickets.add_tags(",
        new="z.tickets.set_tags(",
        caught_by="statuses.tags_of_agents_stay",
    ),
    # --- tickets that leave, sweeps -----------------------------------------------------------------------
    Mutation(
        wrong="forgets a merge that it has told",
        file="reading.py",
        old="merged_into=merged_into(ticket, comments),",
        new="merged_into=merged_into(ticket, fresh),",
        caught_by="leaving.a_merged_ticket_names_its_target",
    ),
    Mutation(
        wrong="takes a 404 for an open ticket",
        file="reading.py",
        old="deleted=True,",
        new="deleted=False,",
        caught_by="leaving.a_ticket_that_was_taken_away_says_so",
    ),
    Mutation(
        wrong="exports without deleted tickets",
        file="api.py",
        old='self._export_page({**place, "per_page": str(size)})',
        new='self._export_page({**place, "per_page": str(size), "exclude_deleted": "true"})',
        caught_by="sweeping.every_removal_is_found",
    ),
    Mutation(
        wrong="sweeps from now on each time",
        file="connector.py",
        old='following = f"after:{after.text()}" if after is not None else f"from:{start}"',
        new='following = ""',
        caught_by="sweeping.sweeps_far_apart_miss_nothing",
    ),
    *zendesk_answers.MUTATIONS,
]
