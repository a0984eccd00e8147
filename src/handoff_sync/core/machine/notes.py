"""Private notes and labels (rules T56, T67). Neither ever reaches the customer."""

from __future__ import annotations

from handoff_sync.core.commands import TAGS, is_command
from handoff_sync.core.effects import Outcome
from handoff_sync.core.events import LabelChanged, NoteAdded, TicketNote, TicketTagged
from handoff_sync.core.machine import links
from handoff_sync.core.machine.orders import Written, carry_out
from handoff_sync.core.machine.sides import own_words
from handoff_sync.core.machine.step import Step
from handoff_sync.core.machine.tickets import unknown_link
from handoff_sync.core.model import AuthorClass, Message


def on_note(step: Step, event: NoteAdded) -> Outcome:
    stored = step.store(own_words(step, event.text), public=False, kind="note")
    links.note(step, f"note:{stored.seq}", event.text)
    step.line("note", "T67", "A private note was added.", {"seq": str(stored.seq), "kind": event.kind})
    return step.done("T67", "A private note was added.")


def on_ticket_note(step: Step, event: TicketNote) -> Outcome:
    link = links.find(step.session, event.link)
    if link is None:
        return unknown_link(step, "T56")
    if step.actor.is_person and is_command(event.text):
        return carry_out(step, Written(link=link, name=event.comment_id, text=event.text))
    message = Message(
        id=f"{event.link}:{event.comment_id}",
        author_class=AuthorClass.HUMAN if step.actor.is_person else AuthorClass.AUTOMATION,
        text=event.text,
        at=event.at,
        author=step.person,
    )
    stored = step.store(message, public=False, kind="note")
    step.line("note", "T56", "A private note was added in the helpdesk.", {"seq": str(stored.seq), "kind": "note"})
    return step.done("T56", "A private note was added in the helpdesk.")


def on_label(step: Step, event: LabelChanged) -> Outcome:
    _change_labels(step, event.add, event.remove, None)
    return _labelled(step)


def on_tag(step: Step, event: TicketTagged) -> Outcome:
    """Tags of the ticket are labels of the session, except those that say something else."""
    link = links.find(step.session, event.link)
    if link is None:
        return unknown_link(step, "T67")
    own = {tag for rule in step.aftermath.connections if rule.connection == link.connection for tag in rule.tags}
    foreign = own | set(links.STATE_TAGS) | set(TAGS)
    added = tuple(tag for tag in event.added if tag not in foreign)
    removed = tuple(tag for tag in event.removed if tag not in foreign)
    ordered = [tag for tag in TAGS if tag in event.added]

    def prepare(working: Step) -> None:
        _change_labels(working, added, removed, event.link)
        if ordered and link.is_live:
            working.tag(event.link, remove=tuple(ordered))

    if ordered:
        name = f"tag:{step.version}"
        return carry_out(step, Written(link=link, name=name, text=TAGS[ordered[0]], prepare=prepare))
    prepare(step)
    return _labelled(step)


def _labelled(step: Step) -> Outcome:
    if step.session.labels == step.before.labels:
        return step.unchanged("T67", "same_labels", "The labels are as wanted already.")
    return step.done("T67", "The labels changed.")


def _change_labels(step: Step, add: tuple[str, ...], remove: tuple[str, ...], origin: str | None) -> None:
    """Changes what really changes, and mirrors it to the other tickets."""
    labels = step.session.labels
    added = tuple(label for label in dict.fromkeys(add) if label and label not in labels and label not in remove)
    removed = tuple(label for label in dict.fromkeys(remove) if label in labels)
    if not added and not removed:
        return
    step.change(labels=(*(label for label in labels if label not in removed), *added))
    links.tags(step, added, removed, leave_out=origin)
    words = [*(f"+{label}" for label in added), *(f"-{label}" for label in removed)]
    step.line("label", "T67", "Labels changed: " + ", ".join(words))
