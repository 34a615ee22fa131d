"""Power cuts at random moments of a daemon's life, replayed from its own system calls.

No entry that was vouched for may be missing, whatever part of the unsynced writes survived. Without
the daemon's syncs entries must be missing, or this would prove nothing. On a drive that lies about
flushing the tail is lost; what is in front of it stays readable and true.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from cache.errors import CacheError
from tests.power_cuts.disk import cuts
from tests.power_cuts.found import Reopening, Said
from tests.power_cuts.recording import Recording, recorded
from tests.power_cuts.trace import Synced, is_journal

pytestmark = pytest.mark.slow
CUTS = int(os.environ.get("CHOT_CUTS", "10000"))
PARTS = 4


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return recorded(tmp_path_factory.mktemp("recorded"))


@pytest.fixture
def reopening(recording: Recording, tmp_path: Path) -> Iterator[Reopening]:
    shared = Path("/dev/shm")
    place = shared if os.access(shared, os.W_OK) else tmp_path
    with tempfile.TemporaryDirectory(prefix="chot-cuts-", dir=place) as folder:
        yield Reopening(Path(folder) / "state", recording.state)


def test_the_recording_holds_what_can_go_wrong(recording: Recording) -> None:
    """Rotations, the anchor's renames, the local database: else the cuts would say little."""
    files = {one.path for one in recording.trace if isinstance(one, Synced)}
    assert sum(is_journal(path) and path.endswith(".journal") for path in files) > 5
    assert any(path.endswith(".sqlite-wal") for path in files)
    assert len(recording.vouched) > 500


@pytest.mark.parametrize("part", range(PARTS))
def test_no_entry_that_was_vouched_for_is_lost(
    recording: Recording, reopening: Reopening, part: int
) -> None:
    for images, vouched in cuts(recording.trace, CUTS // PARTS, Random(part)):
        reopened = reopening.reopened(images)
        assert not reopened.retired, "an honest disk gives no reason to end a journal"
        assert missing(vouched, reopened.passages) == []


def test_positive_control_without_syncs_entries_are_lost(
    recording: Recording, reopening: Reopening
) -> None:
    """The files' syncs alone are taken out: names are as durable as ever."""
    unsynced = [
        one for one in recording.trace if not (isinstance(one, Synced) and is_journal(one.path))
    ]
    found = cuts(unsynced, 100, Random(1))
    lost = [_loses(reopening, images, vouched) for images, vouched in found]
    assert lost.count(True) > len(lost) // 2


def test_on_a_drive_that_lies_about_flushing_the_prefix_is_readable_and_true(
    recording: Recording, reopening: Reopening
) -> None:
    kept = 0
    for images, vouched in cuts(recording.trace, 500, Random(2), honest=False):
        said = dict(map(spoken, vouched))
        passages = _opened(reopening, images)
        assert all(passages[one] == said[one] for one in passages.keys() & said.keys())
        lost = missing(vouched, passages)
        # 64 writes may be under way, each of a handful of entries, and a new file hangs on two.
        assert all(one > max(said) - 1_200 for one in lost)
        kept += len(passages)
    assert kept


def missing(vouched: list[bytes], passages: dict[int, Said]) -> list[int]:
    """Return the sequences that were vouched for, and are not there as they were written."""
    return [one for one, said in map(spoken, vouched) if passages.get(one) != said]


def spoken(line: bytes) -> tuple[int, Said]:
    sequence, lane, monotonic_ms = line.decode().split(" ")
    return int(sequence), (lane, int(monotonic_ms))


def _loses(reopening: Reopening, images: dict[str, bytes], vouched: list[bytes]) -> bool:
    try:
        return bool(missing(vouched, _opened(reopening, images)))
    except CacheError:
        return True


def _opened(reopening: Reopening, images: dict[str, bytes]) -> dict[int, Said]:
    return reopening.reopened(images).passages
