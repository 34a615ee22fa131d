"""What one file of a journal holds, as far as keeping it is concerned. Sans-IO, in small steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from admission.journal_record import Followup, Record
from admission.sealing import SealSession
from cache.journal.frame import VERSION, Frame, Header, pack_frame, pack_header, pack_pruned_run
from cache.journal.retention import Nature, nature_of, record_of, wall_ms_of
from cache.journal.scan import Damage, PrunedRun, scan


class Contents(msgspec.Struct):
    """What a file holds. `others` are its entries that are not scans.

    :ivar newest_ms: the newest wall time in it that can be true, None if there is none.
    :ivar sound: whether all of it could be read. A damaged file is evidence: it is never rewritten.
    """

    newest_ms: int | None = None
    natures: set[Nature] = msgspec.field(default_factory=set)
    others: dict[int, Nature] = msgspec.field(default_factory=dict)
    entries: int = 0
    sound: bool = True


def survey(
    data: bytes, first_sequence: int, following: int, ceiling_ms: int, before: Mapping[int, Nature]
) -> Iterator[Contents]:
    """Yield after every entry what was found so far: the last one is the whole.

    :param following: the next file's first sequence: what stands here from there on never counted.
    :param ceiling_ms: when the hub held all of it. An entry that claims to be younger errs.
    :param before: natures of earlier files' entries that are not scans.
    """
    contents = Contents()
    for finding in scan(data, first_sequence):
        match finding:
            case Frame() if finding.sequence < following:
                _take(contents, finding, ceiling_ms, before)
            case Damage() if finding.sequence < following:
                contents.sound = False
                contents.natures.add(Nature.UNKNOWN)
        yield contents
    yield contents


def _take(contents: Contents, frame: Frame, ceiling_ms: int, before: Mapping[int, Nature]) -> None:
    record = record_of(frame.packed)
    nature = nature_of(record, before)
    if isinstance(record, Followup):
        nature = contents.others.get(record.about, nature)
    contents.entries += 1
    if nature is not None:
        contents.natures.add(nature)
        if nature is not Nature.SCAN:
            contents.others[frame.sequence] = nature
    wall_ms = wall_ms_of(record)
    if wall_ms is not None and wall_ms <= ceiling_ms:
        contents.newest_ms = max(wall_ms, contents.newest_ms or 0)


def rewritten(
    data: bytes, first_sequence: int, following: int, stays: Callable[[int, Record | None], bool]
) -> Iterator[bytes]:
    """Yield the parts of a sound file's new bytes: what stays, and runs in place of what does not.

    A session stays while an entry behind it does. The chain goes on over a run with the hash of its
    last entry, so that everything that stays is still proved by what stands behind it.

    :param stays: whether an entry stays, by its sequence and record.
    """
    gap: tuple[int, bytes] | None = None
    frame: Frame | None = None
    session: Frame | None = None
    behind: tuple[int, bytes] | None = None
    for finding in scan(data, first_sequence):
        match finding:
            case Header():
                yield pack_header(msgspec.structs.replace(finding, version=VERSION))
                continue
            case Frame() if finding.sequence < following:
                frame, record = finding, record_of(finding.packed)
                end = (finding.sequence, finding.chain_hash)
            case PrunedRun():
                frame, record, end = None, None, (finding.last, finding.chain_hash)
            case _:
                continue
        if isinstance(record, SealSession):
            gap, session, behind = behind or _end(session) or gap, frame, None
        elif frame is not None and stays(frame.sequence, record):
            parts = (_run(gap), _frame(session), _run(behind), _frame(frame))
            gap, session, behind = None, None, None
            yield b"".join(parts)
        elif session is None:
            gap = end
        else:
            behind = end
        yield b""
    yield _run(behind or _end(session) or gap)


def _end(frame: Frame | None) -> tuple[int, bytes] | None:
    return None if frame is None else (frame.sequence, frame.chain_hash)


def _run(end: tuple[int, bytes] | None) -> bytes:
    return b"" if end is None else pack_pruned_run(*end)


def _frame(frame: Frame | None) -> bytes:
    return b"" if frame is None else pack_frame(frame.sequence, frame.chain_hash, frame.packed)
