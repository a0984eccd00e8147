"""A person at the agent page of a simulated helpdesk, whose tickets belong to sessions of a running service."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from handoff_connectors.gorgias.simulator import GorgiasSimulator
from handoff_connectors.intercom.simulator import IntercomSimulator
from handoff_connectors.zendesk.simulator import ZendeskSimulator
from handoff_sync.core.policy import Mode, Policy, Recipient
from handoff_sync.simulator.desk import Desk, simulated
from tests.chromium import Window
from tests.connectors.gorgias.simulated import Client as GorgiasClient
from tests.connectors.intercom.simulated import Client as IntercomClient
from tests.connectors.zendesk.simulated import Client as ZendeskClient
from tests.e2e.live import Service, live_at
from tests.e2e.stand import until

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

SOON_S: Final = 2.0
ADMIN: Final = Recipient(email="admin@example.com")
POLICY: Final = Policy(handover_mode=Mode.AUTOMATIC, solved_grace_seconds=0, recipients=(ADMIN,))


@dataclass(frozen=True, kw_only=True)
class Buttons:
    """What the page's buttons are called at one helpdesk. `restore`: None where deleted is deleted.

    `merged_s`: how soon a merge is seen. No webhook of Gorgias names the ticket that was merged away; the sweep finds
    it, which shares 30 calls in 16 seconds with everything else and comes every four seconds here.
    """

    hold: str
    wake: str
    solve: str
    reopen: str = "Reopen"
    delete: str = "Delete"
    restore: str | None = "Restore"
    gone: str = "This ticket is deleted."
    merged_s: float = SOON_S


BUTTONS: Final = {
    "zendesk": Buttons(hold="On hold", wake="Open", solve="Solve"),
    "gorgias": Buttons(
        hold="Snooze 1 day",
        wake="Reopen",
        solve="Close",
        delete="Move to the trash",
        restore="Take out of the trash",
        gone="This ticket is in the trash.",
        merged_s=10.0,
    ),
    "intercom": Buttons(
        hold="Snooze for an hour",
        wake="Reopen",
        solve="Close",
        restore=None,
        gone="This conversation is deleted for good.",
    ),
}


class Agent:
    """A person who looks at the ticket of a session. What they do must be seen in the session within two seconds."""

    def __init__(self, service: Service, desk: Desk, page: Page) -> None:
        self.service, self.desk, self.page = service, desk, page
        self.buttons = BUTTONS[desk.kind]
        self._acted_at = time.monotonic()
        self.ticket = self.handed_over("talk")
        self.look_at(self.ticket)

    def handed_over(self, talk: str) -> str:
        """The ticket of a talk in which the customer asked for a person; the service has finished with it."""
        self.service.say(1, talk, "ana")
        ticket = self.service.handed_over(talk)
        until("the ticket says how to steer", lambda: any("/ai" in c.text for c in self.desk.ticket(ticket).comments))
        return ticket

    def look_at(self, ticket: str) -> None:
        self.page.goto(f"{self.desk.agent_url}/tickets/{ticket}")

    # --- what they do ----------------------------------------------------------------------------

    def press(self, name: str, within: str = "body") -> None:
        self._acted_at = time.monotonic()
        self.page.locator(within).get_by_role("button", name=name, exact=True).click()

    def write(self, text: str, *, internal: bool = False, then: str = "") -> None:
        if internal:
            self.page.get_by_label("Internal note").check()
        self.page.get_by_label("Your message").fill(text)
        if then:
            self.page.get_by_label("Then").select_option(label=then)
        self.press("Send")

    def assign(self, name: str) -> None:
        self.page.get_by_label("Assign to", exact=True).select_option(label=name)
        self.press("Assign")

    def open_fold(self, name: str) -> Locator:
        """What stands behind `name` …; it asks before it does anything."""
        fold = self.page.locator("details", has=self.page.get_by_text(f"{name} …", exact=True))
        fold.locator("summary").click()
        return fold

    def merge_into(self, target: str) -> None:
        fold = self.open_fold("Merge")
        fold.get_by_label("Merge into").select_option(target)
        self._acted_at = time.monotonic()
        fold.get_by_role("button", name="Merge").click()

    def delete(self) -> None:
        fold = self.open_fold(self.buttons.delete)
        assert "Are you sure?" in fold.inner_text()
        self._acted_at = time.monotonic()
        fold.get_by_role("button").click()

    def text_of(self, kind: str) -> str:
        """The newest entry of a kind: reply, note, customer."""
        return self.page.locator(f".entry.{kind} .text").last.inner_text()

    # --- what became of it -------------------------------------------------------------------------

    def soon(
        self, what: str, seen: Callable[[dict[str, Any]], bool], talk: str = "talk", seconds: float = SOON_S
    ) -> dict[str, Any]:
        """The session once it looks like this, which must not take longer than two seconds after the click.

        They are seconds of a machine that has nothing else to do.
        """
        busy = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
        until(what, lambda: seen(self.session(talk)), self._acted_at + seconds * busy - time.monotonic())
        return self.session(talk)

    def session(self, talk: str = "talk") -> dict[str, Any]:
        return self.service.session(talk)

    def link(self) -> dict[str, Any]:
        (link,) = self.session()["tickets"]
        return dict(link)

    def lines(self, visibility: str) -> list[tuple[str, str]]:
        """Author class and text of the transcript's public or private lines."""
        told = [line for line in self.service.transcript("talk") if line["visibility"] == visibility]
        return [(line["author_class"], line["text"]) for line in told if line["author_class"] != "automation"]

    def timeline(self) -> list[tuple[str, str]]:
        """Rule and text of what happened."""
        path = f"/v1/sessions/{self.session()['id']}/timeline"
        return [(line["rule"], line["text"]) for line in self.service.http.get(path).json()["items"]]

    def mails(self) -> list[str]:
        """Keys of the mails and alerts on their way."""
        sent = self.service.http.get("/v1/deliveries").json()["items"]
        return [str(row["key"]) for row in sent if row["kind"] in ("mail.admin", "alert.ops")]

    def another_ticket(self) -> str:
        """A ticket of the same customer that no session knows."""
        match simulator := self.desk.simulator:
            case ZendeskSimulator():
                requester = simulator.state.ticket(int(self.ticket)).requester_id
                with ZendeskClient(simulator) as zendesk:
                    return str(zendesk.ticket(requester_id=requester)["id"])
            case GorgiasSimulator():
                customer = simulator.state.ticket(self.ticket).customer_id
                with GorgiasClient(simulator) as gorgias:
                    return str(gorgias.ticket(of=customer, subject="Another")["id"])
            case IntercomSimulator():
                contact = simulator.state.conversation(self.ticket).contact_ids[0]
                with IntercomClient(simulator) as intercom:
                    return intercom.begin({"role": "user", "id": contact})
            case _:
                raise AssertionError("Say how a ticket is made at this helpdesk.")


@contextmanager
def at_work(kind: str, browser: Window, folder: Path, **settings: Any) -> Iterator[Agent]:
    """Only webhooks tell the service what happens: the sweep comes much later. The browser must find no fault.

    The helpdesk's own searches and histories are taken to be up to date: how late they are is nowhere documented.
    Nobody else uses up its limits.
    """
    desk = simulated(kind)
    desk.start()
    desk.calm()
    browser.home = desk.agent_url
    try:
        with live_at(desk, folder, POLICY, **{"poll_interval_s": 300, **settings}) as service:
            yield Agent(service, desk, browser.page)
            browser.page.goto("about:blank")
    finally:
        desk.stop()
    assert browser.complaints == []
