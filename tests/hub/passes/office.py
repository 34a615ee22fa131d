"""An office that issues passes, for the tests of `chot pass`."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from admission.errors import ChotError
from hub.passes.cli import passes

HASH_KEY = bytes(range(32))


class Office:
    """A folder with a key, a list of issuers and a hash key, and the command in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = folder / "permits.key"
        self.issuers = folder / "permits.key.issuers"
        self.hash_key = folder / "hash.key"

    def found(self) -> None:
        self.folder.mkdir()
        self.hash_key.touch(mode=0o600)
        self.hash_key.write_text(HASH_KEY.hex())
        self.succeed("key", "--out", self.key, "--name", "Sở Y tế")

    def run(self, *arguments: object, stdin: str | None = None) -> Result:
        return CliRunner().invoke(passes, [str(argument) for argument in arguments], input=stdin)

    def succeed(self, *arguments: object, stdin: str | None = None) -> Result:
        result = self.run(*arguments, stdin=stdin)
        assert result.exit_code == 0, (result.output, result.exception)
        return result

    def refuse(self, *arguments: object, stdin: str | None = None) -> ChotError:
        result = self.run(*arguments, stdin=stdin)
        assert isinstance(result.exception, ChotError), result.output
        return result.exception

    def issue(self, *arguments: object) -> str:
        result = self.succeed("issue", "--key", self.key, "--kind", "permit", *arguments)
        return result.stdout.strip()

    def verify(self, text: str) -> Result:
        return self.run("verify", "-", "--issuers", self.issuers, stdin=text + "\n")

    def card(self, *arguments: object, stdin: str | None = None) -> Result:
        return self.run("card", *arguments, stdin=stdin)

    def table(self, *lines: str) -> Path:
        path = self.folder / "people.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path
