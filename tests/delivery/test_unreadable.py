"""A delivery that this version cannot read, as after a roll-back: it waits, is parked, and hurts only itself."""

from __future__ import annotations

from sqlalchemy import text

from tests.delivery.rig import Rig


def spoil(rig: Rig, kind: str) -> int:
    """Gives the newest delivery of this kind a payload of a version that does not exist yet."""
    with rig.app.db.write.begin() as connection:
        row = connection.execute(text("SELECT max(id) FROM outbox WHERE kind = :kind"), {"kind": kind}).scalar_one()
        connection.execute(
            text("""UPDATE outbox SET payload = '{"type": "ticket.dance"}' WHERE id = :id"""), {"id": row}
        )
    return int(row)


def test_it_is_parked_in_the_end_and_what_is_behind_it_goes_on(rig: Rig) -> None:
    rig.hand_over()
    rig.work()
    rig.say("<<strange>>")
    strange = spoil(rig, "ticket.append")
    rig.say("<<behind>>")
    for _ in range(40):
        rig.work()
        rig.advance(3600)
    assert [row.id for row in rig.parked()] == [strange]
    assert "<<behind>>" in "\n".join(rig.simulator.state.texts(rig.ticket()))


def test_other_talks_do_not_notice(rig: Rig) -> None:
    rig.hand_over()
    spoil(rig, "ticket.open")
    rig.hand_over("other")
    rig.work()
    assert rig.ticket("other") in [ticket.id for ticket in rig.simulator.state.tickets]


def test_it_can_be_listed(rig: Rig) -> None:
    rig.hand_over()
    strange = spoil(rig, "ticket.open")
    assert strange in [row.id for row in rig.app.reads.deliveries(rig.workspace).items]
