"""Protects the key of the tokens: in memory where the site wants it so, ours alone, and whole."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.journal_table import Remember
from appliance.pseudonym_key import KEY_FILE, KeyPlace, key_place, new_record, on_memory

KEY = bytes(range(32))


class TestTheFile:
    def test_it_is_ours_alone(self, tmp_path: Path) -> None:
        place = self.place(tmp_path)
        place.write(new_record(KEY, 9, bytes(16), 4))
        folder = place.folder
        assert folder is not None
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / KEY_FILE).stat().st_mode & 0o777 == 0o600
        assert place.read() == new_record(KEY, 9, bytes(16), 4)
        assert KEY.hex() not in repr(place.read())

    @pytest.mark.parametrize("spoil", [
        lambda path: path.chmod(0o640),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(path.read_bytes() + b"\x00"),
        lambda path: path.write_bytes(bytes(100_000)),
        lambda path: path.write_bytes(b""),
        lambda path: (path.rename(path.with_name("k")), path.symlink_to("k")),
        lambda path: (path.unlink(), path.mkdir()),
        lambda path: (path.unlink(), os.mkfifo(path, 0o600)),
    ])  # fmt: skip
    def test_a_file_that_is_not_ours_or_not_whole_is_none(
        self, tmp_path: Path, spoil: Callable[[Path], object]
    ) -> None:
        place = self.place(tmp_path)
        place.write(new_record(KEY, 9, bytes(16), 4))
        assert place.folder is not None
        spoil(place.folder / KEY_FILE)
        assert place.read() is None
        place.write(new_record(KEY, None, bytes(16), 1))
        assert place.read() == new_record(KEY, None, bytes(16), 1)

    def test_systemd_then_the_session_then_shared_memory(self, tmp_path: Path) -> None:
        found = []
        for environment in (
            {"RUNTIME_DIRECTORY": f"{tmp_path / 'run'}:/other", "XDG_RUNTIME_DIR": str(tmp_path)},
            {"XDG_RUNTIME_DIR": str(tmp_path)},
        ):
            (tmp_path / "run").mkdir(exist_ok=True)
            place = self.place(tmp_path, environment)
            assert place.folder is not None
            found.append(place.folder.parent)
        assert found == [tmp_path / "run", tmp_path]

    def test_a_medium_is_no_memory(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        place = key_place(
            Remember.UNTIL_POWER_OFF,
            tmp_path,
            environment={"XDG_RUNTIME_DIR": str(tmp_path)},
            is_memory=lambda _: False,
        )
        assert place.folder is None
        assert "no folder of ours in memory" in caplog.text
        place.write(new_record(KEY, 9, bytes(16), 4))
        assert place.read() is None

    @pytest.mark.parametrize("squat", [
        lambda path: path.mkdir(mode=0o755),
        lambda path: path.write_bytes(b""),
        lambda path: path.symlink_to("/"),
    ])  # fmt: skip
    def test_a_folder_that_somebody_else_has_made_is_not_used(
        self, tmp_path: Path, squat: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("appliance.pseudonym_key.SHARED_MEMORY", tmp_path / "absent")
        name = self.place(tmp_path / "state").folder
        assert name is not None
        name.rmdir()
        squat(name)
        assert self.place(tmp_path / "state").folder is None

    def test_gates_of_one_machine_have_a_folder_each(self, tmp_path: Path) -> None:
        one = key_place(
            Remember.UNTIL_POWER_OFF, tmp_path / "a", environment=self.run(tmp_path), is_memory=yes
        )
        other = key_place(
            Remember.UNTIL_POWER_OFF, tmp_path / "b", environment=self.run(tmp_path), is_memory=yes
        )
        assert one.folder != other.folder

    def test_who_changes_to_memory_leaves_no_key_on_the_disk(self, tmp_path: Path) -> None:
        state = tmp_path / "state"
        state.mkdir()
        kept = key_place(Remember.UNTIL_RESET, state)
        assert kept.folder == state
        kept.write(new_record(KEY, 9, bytes(16), 4))
        self.place(state)
        assert list(state.iterdir()) == []

    def run(self, folder: Path) -> dict[str, str]:
        folder.mkdir(exist_ok=True)
        return {"XDG_RUNTIME_DIR": str(folder)}

    def place(self, state: Path, environment: dict[str, str] | None = None) -> KeyPlace:
        return key_place(
            Remember.UNTIL_POWER_OFF,
            state,
            environment=environment or self.run(state.parent),
            is_memory=yes,
        )


def yes(_: Path) -> bool:
    return True


@pytest.mark.parametrize(("kind", "memory"), [("tmpfs", True), ("ramfs", True), ("ext4", False)])
def test_the_mounts_tell_what_is_memory(tmp_path: Path, kind: str, memory: bool) -> None:
    device = tmp_path.stat().st_dev
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "22 1 0:999999 / / rw - ext4 /dev/root rw\n"
        f"23 22 {os.major(device)}:{os.minor(device)} / /run rw,nosuid shared:5 - {kind} none rw\n"
    )
    assert on_memory(tmp_path, mounts) is memory
    mounts.write_text("")
    assert on_memory(tmp_path, mounts) is False
