"""`chot hub import`: people, permits, rosters, officers, watch list and withdrawals from CSV."""

from __future__ import annotations

import csv
import io
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import click

from admission.identity import identity_digester
from hub.clock import HubClock
from hub.desks import PeopleDesk, RegisterDesk
from hub.errors import TableError
from hub.folder import DataFolder
from hub.forms import (
    OFFICERS_FORM,
    PERMIT_VALID_H,
    ROSTER_FORM,
    WATCH_FORM,
    Form,
    permits,
)
from hub.imports import Desk, Import, Taken, rows_in_words
from hub.keys import load_keys
from hub.options import AT_ONCE, data_option, run
from hub.people_form import people_form
from hub.progress import progress_bar
from hub.store.registers import CREDENTIALS, OFFICERS, PERMITS, WATCH, roster
from hub.store.sqlite import open_store
from hub.table import Table
from hub.withdrawals import WITHDRAWALS_FORM

STATUS_PUT_ASIDE = 3
"""Exit status where rows were put aside."""


class Options:
    """What every kind of import is asked for."""

    def __init__(
        self, folder: DataFolder, file: str, *, replace: bool, strict: bool, rejects: Path | None
    ) -> None:
        self.folder = folder
        self.file = file
        self.replace = replace
        self.strict = strict
        self._rejects = rejects

    def rejects(self, kind: str) -> Path:
        """Return where rejected rows go.

        :raises UsageError: if that is the file that is read.
        """
        path = self._rejects
        if path is None:
            path = Path(f"{kind}.rejects.csv")
            if self.file != "-":
                path = Path(self.file).with_suffix(".rejects.csv")
        if self.file != "-" and path.resolve() == Path(self.file).resolve():
            raise click.UsageError("--rejects names the file that is read")
        return path


@click.group("import")
def import_() -> None:
    """Take records from CSV files: good rows at once, each bad one put aside with its reason.

    UTF-8 with or without byte order mark; comma, semicolon or tab; dates 2021-09-16 or 16/09/2021;
    moments with their time zone. Ctrl-C leaves the records as they were. The exit status is 3
    where rows were put aside.
    """


def _kind(form: Form[Any]) -> Callable[[Any], Any]:
    """Make a command of a function that takes `Options`: the options of every kind of import."""

    def show_template(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
        if wanted:
            click.echo(template(form), nl=False)
            ctx.exit()

    def decorate(function: Any) -> Any:
        def callback(
            folder: DataFolder,
            file: str,
            replace: bool,
            strict: bool,
            rejects: Path | None,
            **more: Any,
        ) -> None:
            folder.require()
            options = Options(folder, file, replace=replace, strict=strict, rejects=rejects)
            function(options, **more)

        callback.__doc__ = f"{function.__doc__}\n\n    \b\n    Columns:\n{described(form)}"
        for add in reversed(_shared(show_template)):
            callback = add(callback)
        callback.__click_params__ += getattr(function, "__click_params__", [])  # type: ignore[attr-defined]
        return import_.command(form.name)(callback)

    return decorate


def _shared(show_template: Any) -> list[Callable[[Any], Any]]:
    return [
        data_option,
        click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True)),
        click.option(
            "--replace", is_flag=True, help="FILE is the whole: what it does not name goes."
        ),
        click.option("--strict", is_flag=True, help="Take nothing if one row is bad."),
        click.option(
            "--rejects",
            type=click.Path(dir_okay=False, path_type=Path),
            help="Where bad rows go, mode 0600 (people.csv: people.rejects.csv).",
        ),
        click.option(
            "--template",
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=show_template,
            help="Print a header and a row of invented data, and end.",
        ),
    ]


def template(form: Form[Any]) -> str:
    """Return a header line and an example row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.name for column in form.columns])
    writer.writerow([column.example for column in form.columns])
    return text.getvalue()


def described(form: Form[Any]) -> str:
    """Return the columns of a form, one a line, for `--help`."""
    width = max(len(column.name) for column in form.columns)
    return "\n".join(
        f"      {column.name:{width}}  {column.meaning}{' (required)' if column.required else ''}"
        for column in form.columns
    )


@_kind(people_form(()))
def persons(options: Options) -> None:
    """Take people from FILE (- is standard input), found again by any of their numbers.

    What FILE has no column for stays as it was; an empty cell clears what its column says. Doses,
    recoveries, tests and declarations more than a day ahead of this clock are put aside.
    """
    digest = identity_digester(load_keys(options.folder.keys).hash_key)
    now = HubClock().now()
    _take(options, lambda table: people_form(table.columns, now), PeopleDesk(digest))


@_kind(permits())
@click.option(
    "--valid-h",
    default=PERMIT_VALID_H,
    show_default=True,
    type=click.IntRange(1, 24 * 366),
    help="Hours from issue for which a permit counts whose row says no more.",
)
def permits_(options: Options, *, valid_h: int) -> None:
    """Take movement permits from FILE (- is standard input), by their number."""
    _take(options, lambda _: permits(valid_h), RegisterDesk(PERMITS))


@_kind(ROSTER_FORM)
@click.option("--site", required=True, help="The site's id, as in its gates' configuration.")
def roster_(options: Options, *, site: str) -> None:
    """Take one site's approved list from FILE (- is standard input).

    A site that has a list lets nobody in to work who is not on it.
    """
    _take(options, lambda _: ROSTER_FORM, RegisterDesk(roster(site)))


@_kind(OFFICERS_FORM)
def officers(options: Options) -> None:
    """Take officers' accounts from FILE (- is standard input), by their number."""
    _take(options, lambda _: OFFICERS_FORM, RegisterDesk(OFFICERS))


@_kind(WATCH_FORM)
def watch(options: Options) -> None:
    """Take those whom an authority looks for from FILE (- is standard input)."""
    _take(options, lambda _: WATCH_FORM, RegisterDesk(WATCH))


@_kind(WITHDRAWALS_FORM)
def withdrawals(options: Options) -> None:
    """Take withdrawn passes and certificates from FILE (- is standard input)."""
    _take(options, lambda _: WITHDRAWALS_FORM, RegisterDesk(CREDENTIALS))


def _take(options: Options, form_of: Callable[[Table], Form[Any]], desk: Desk[Any]) -> None:
    with _opened(options) as file:
        table = Table(file)
        form = form_of(table)
        rejects = options.rejects(form.name)
        taken = run(_import(options, Import(table, form, desk, rejects), form.name, _size(file)))
    click.echo(f"{form.name}: {rows_in_words(taken.rows)} taken. {AT_ONCE}", err=True)
    if taken.rejected:
        for reject in taken.shown:
            click.echo(f"  {reject}", err=True)
        click.echo(f"{rows_in_words(taken.rejected)} put aside in {rejects}.", err=True)
        sys.exit(STATUS_PUT_ASIDE)


async def _import(options: Options, work: Import[Any], name: str, size: int) -> Taken:
    async with open_store(options.folder.database) as store:
        with progress_bar(f"Taking {name}", size, in_bytes=True) as bar:
            return await work.run(
                store, replace=options.replace, strict=options.strict, progress=bar.reached
            )


@contextmanager
def _opened(options: Options) -> Iterator[BinaryIO]:
    """Open the file. A pipe is kept until it ends: the store is not held up by it."""
    try:
        with ExitStack() as held:
            file: BinaryIO = sys.stdin.buffer
            if options.file != "-":
                file = held.enter_context(Path(options.file).open("rb"))
            if options.file == "-" or not file.seekable():
                kept = held.enter_context(tempfile.TemporaryFile(dir=options.folder.root))
                shutil.copyfileobj(file, kept)
                file = kept
            yield file
    except OSError as error:
        msg = f"cannot read {options.file}: {error.strerror}"
        raise TableError(msg, hint="check the file and its permissions") from error


def _size(file: BinaryIO) -> int:
    return file.seek(0, io.SEEK_END)
