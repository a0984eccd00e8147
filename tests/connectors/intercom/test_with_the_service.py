"""A handoff by way of the whole delivery: what a helpdesk without idempotency keys must not cost anybody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from handoff_connectors.intercom.simulator import IntercomSimulator, Limits
from handoff_sync.bootstrap import build
from handoff_sync.contract import registry
from handoff_sync.core.model import LinkState, Phase
from handoff_sync.core.policy import Mode, Policy
from handoff_sync.secret_keys import new_key
from handoff_sync.settings import load_settings
from handoff_sync.store.migrate import migrate
from tests.delivery.rig import Rig

pytestmark = pytest.mark.skipif("intercom" not in registry.kinds(), reason="the connector is not registered")


@pytest.fixture(scope="module")
def running() -> Iterator[IntercomSimulator]:
    with IntercomSimulator(limits=Limits.off()) as simulator:
        yield simulator


@pytest.fixture
def desk(running: IntercomSimulator) -> IntercomSimulator:
    running.reset()
    return running


@pytest.fixture(params=[{}, {"ticket_type_id": "53"}], ids=["conversations", "tickets"])
def rig(request: pytest.FixtureRequest, tmp_path: Path, desk: IntercomSimulator) -> Iterator[Rig]:
    """The delivery in one thread on the helpdesk's time, which is why a lost conversation is made again at once."""
    app = build(load_settings(data_dir=tmp_path, secret_keys=new_key(), disk_floor_mb=0), clock=desk.clock.now)
    migrate(app.db)
    app.start(workers=False, sweeper=False)
    policy = Policy(handover_mode=Mode.AUTOMATIC, solved_grace_seconds=0)
    workspace = app.admin.create_workspace("Acme", policy=policy).id
    known = desk.credentials
    settings = {"base_url": desk.base_url, "recreate_after_s": 0, **request.param}
    secrets = {"access_token": known.access_token, "client_secret": known.client_secret}
    connection = app.admin.create_connection(workspace, "intercom", "acme", settings, secrets)
    yield Rig(app, desk, workspace, connection.id)  # type: ignore[arg-type]
    app.stop()


def pass_time(rig: Rig, seconds: int = 400) -> None:
    """Long enough for a sweep; nothing here comes by webhook."""
    for _ in range(seconds // 50):
        rig.advance(50)
        rig.work()


def test_a_talk_from_handoff_to_the_last_word(rig: Rig, desk: IntercomSimulator) -> None:
    rig.say("I want <b>my money</b> back")
    rig.hand_over()
    rig.work()
    talk = str(rig.ticket())
    transcript, *_ = desk.state.texts(talk, public=False)
    assert "I want <b>my money</b> back" in transcript
    rig.say("Hello?")
    desk.assign(talk, "Dana")
    desk.reply(talk, "I look into it")
    desk.note(talk, "a difficult one")
    pass_time(rig)
    assert rig.session().phase is Phase.HUMAN
    assert rig.session().assignee is not None
    assert rig.session().assignee.name == "Dana Miller"
    desk.close(talk, text="Done, bye")
    pass_time(rig)
    assert (rig.session().phase, rig.session().links[-1].state) == (Phase.RESOLVED, LinkState.SOLVED)
    rig.say("Not done!")
    rig.work()
    assert desk.state.conversation(talk).state == "open"
    messages = rig.app.reads.messages(rig.session().id)
    heard = [stored.message.text for stored in messages if stored.message.author_class == "human"]
    assert [text for text in heard if text in ("I look into it", "Done, bye")] == ["I look into it", "Done, bye"]
    assert not any("difficult" in text for text in desk.state.texts(talk, public=True))
    assert [row.kind for row in rig.parked() if row.kind.startswith("ticket.")] == []


@pytest.mark.parametrize("fault", ["lose_answer", "cut"])
@pytest.mark.parametrize("path", ["/conversations$", "/reply$", "/tags$", "/convert$"])
def test_whatever_answer_is_lost_there_is_one_conversation_with_one_transcript(
    path: str, fault: str, rig: Rig, desk: IntercomSimulator
) -> None:
    getattr(desk.faults, fault)(method="POST", path=path)
    rig.say("Hello")
    rig.hand_over()
    rig.work()
    pass_time(rig)
    (talk,) = desk.state.conversations
    assert str(rig.ticket()) == talk.id
    assert len([text for text in desk.state.texts(talk.id, public=False) if "Why" in text]) == 1
    rig.say("first")
    rig.work()
    getattr(desk.faults, fault)(method="POST", path="/reply$")
    rig.say("second")
    rig.work()
    pass_time(rig)
    assert [text for text in desk.state.texts(talk.id, public=True) if text in ("first", "second")] == [
        "first",
        "second",
    ]
    assert [row.kind for row in rig.parked() if row.kind.startswith("ticket.")] == []
