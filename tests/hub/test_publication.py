"""Protects the process that publishes people: from what lies where the hub was started."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from admission.identity import Identifier, IdentifierKind
from admission.standing import PersonFacts
from hub.errors import PublishError
from hub.keys import create_keys
from hub.publication import Publication, publishing_in_another_process
from hub.publish import Publisher
from hub.release import Release
from hub.store.port import KnownIdentifier, Person
from tests.hub.memory_store import MemoryStore
from tests.worlds import ManualClock

QID = Identifier(IdentifierKind.QID, "1")


async def test_a_folder_named_hub_where_it_was_started_does_not_stand_in_for_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "__init__.py").touch()
    (tmp_path / "hub" / "__main__.py").write_text("raise SystemExit('error: the wrong program')")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PublishError) as failed:
        await publishing_in_another_process(tmp_path / "data")()
    assert "wrong program" not in str(failed.value)
    assert "data" in str(failed.value)


async def test_a_child_that_fails_without_our_words_is_told_of_by_its_last_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho Traceback >&2; echo 'No module named x' >&2; exit 7\n")
    program.chmod(0o700)
    monkeypatch.setattr("sys.executable", str(program))
    with pytest.raises(PublishError, match=r"published: No module named x \(ended with status 7\)"):
        await publishing_in_another_process(tmp_path)()
    program.write_text("#!/bin/sh\nkill -9 $$\n")
    with pytest.raises(PublishError, match=r"published: ended by signal 9$"):
        await publishing_in_another_process(tmp_path)()


async def test_what_was_touched_is_looked_at_only_when_the_store_has_changed(
    tmp_path: Path,
) -> None:
    store, clock = MemoryStore(), ManualClock()
    publisher = Publisher(tmp_path, create_keys(tmp_path / "keys"))
    release = Release(store, publisher)
    elsewhere = 0

    async def publish_elsewhere() -> None:
        nonlocal elsewhere
        elsewhere += 1
        await release.publish(clock.now())

    publication = Publication(release, clock, publish_elsewhere, interval_s=0.001)
    await publication.changes()
    assert not publication.problem, "a hub that is being set up"
    running = asyncio.create_task(publication.run())
    sequences: list[int] = []
    async with asyncio.timeout(20):
        for doses in range(4):
            facts = PersonFacts(doses=doses)
            await store.put_people([Person(1, (KnownIdentifier(QID),), facts)])
            while await release.stale():  # noqa: ASYNC110 files raise no events
                await asyncio.sleep(0.001)
            head = publisher.published()
            assert head is not None
            sequences.append(head.sequence)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert sequences == [1, 2, 3, 4], "one head for one change"
    assert elsewhere == 1, "only the first release takes everybody"
