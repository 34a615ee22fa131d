"""`chot rulebook`: for the people who write the rules, and those who answer for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.progress import track

from admission import rulebook_format
from admission.errors import RulebookError
from admission.rulebook import Rulebook
from admission.rulebook_examples import Result, run_example
from admission.rulebook_format import MAX_RULEBOOK_BYTES, RulebookForm
from admission.rulebook_loading import load_rulebook
from admission.rulebook_reach import Reach, combinations, reach
from admission.rulebooks import uncovered
from appliance.cli.rulebook_difference import differences
from appliance.cli.rulebook_table import explain_to
from appliance.errors import ConfigError

_FILE = click.Path(path_type=Path)
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group()
def rulebook() -> None:
    """Check, explain, test and compare rulebooks. Changes no file."""


@rulebook.command()
@click.argument("files", type=_FILE, nargs=-1, required=True)
@_AS_JSON
def check(files: tuple[Path, ...], as_json: bool) -> None:
    """Find what is wrong, what nothing can reach, and what a rule fails on.

    Every combination of facts that the rules could tell apart is asked. Of several files it is
    also said when none of them is in force. Exits with 1 if anything was found; notes, such as
    places that are closed for everybody, are no mistakes.
    """
    console = Console(stderr=True)
    found: dict[str, Any] = {}
    books: list[Rulebook] = []
    sound = True
    for path in files:
        try:
            form, book = _load(path)
            broken = [r for r in _results(form, book) if not r.holds]
        except (RulebookError, ConfigError) as error:
            sound = False
            found[str(path)] = {"error": str(error), "hint": error.hint}
            continue
        books.append(book)
        people = combinations(form)
        chunks = [people[i : i + 2_000] for i in range(0, len(people), 2_000)]
        seen: list[Any] = []
        for chunk in track(chunks, f"{path.name}", console=console, transient=True):
            seen += chunk
        report = reach(form, book, seen)
        sound = sound and not (report.unreachable or report.gaps or broken)
        found[str(path)] = _report(report, broken)
    times = [{"district": d, "from": start, "until": end} for d, start, end in uncovered(books)]
    if as_json:
        click.echo(json.dumps({"files": found, "uncovered": times}, ensure_ascii=False))
    else:
        _print(found, times)
    if not sound or times:
        raise SystemExit(1)


@rulebook.command()
@click.argument("file", type=_FILE)
@click.option(
    "--language",
    type=click.Choice(["vi", "en"]),
    default="en",
    show_default=True,
    help="Of the explanation.",
)
@click.option("--directive", type=int, help="Only this directive.")
def explain(file: Path, language: Any, directive: int | None) -> None:
    """Print the rulebook as a person reads it: what each card is, and what it opens where."""
    form, book = _load(file)
    if directive is not None and directive not in book.directives:
        known = ", ".join(str(d) for d in sorted(book.directives))
        msg = f"the rulebook has {known}"
        raise click.BadParameter(msg, param_hint="--directive")
    explain_to(Console(), form, book, language, directive)


@rulebook.command()
@click.argument("file", type=_FILE)
@_AS_JSON
def test(file: Path, as_json: bool) -> None:
    """Ask the law for each of the rulebook's own examples. Exits with 1 if one does not hold."""
    form, book = _load(file)
    results = _results(form, book)
    if as_json:
        click.echo(json.dumps([_result(r) for r in results], ensure_ascii=False))
    else:
        for result in results:
            click.secho(_line(result), fg="green" if result.holds else "red")
        failed = sum(not r.holds for r in results)
        click.echo(f"{file}: {len(results)} examples, {failed} do not hold")
        if not results:
            click.echo("  → add cases under 'examples' (docs/rulebooks.md)", err=True)
    if not results or not all(r.holds for r in results):
        raise SystemExit(1)


@rulebook.command()
@click.argument("old", type=_FILE)
@click.argument("new", type=_FILE)
@click.option("--language", type=click.Choice(["vi", "en"]), default="en", show_default=True)
def diff(old: Path, new: Path, language: Any) -> None:
    """Say what a new rulebook changes: in its rows, and for whom. Exits with 1 if it differs."""
    console = Console()
    lines = list(differences(_load(old), _load(new), language))
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    if not lines:
        click.echo("no difference")
        return
    raise SystemExit(1)


def _load(path: Path) -> tuple[RulebookForm, Rulebook]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_RULEBOOK_BYTES + 1)
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise ConfigError(msg, hint="name a rulebook, e.g. one from configs/rulebooks/") from error
    return rulebook_format.read(data), load_rulebook(data)


def _results(form: RulebookForm, book: Rulebook) -> list[Result]:
    return [run_example(book, example) for example in form.examples]


def _report(report: Reach, broken: list[Result]) -> dict[str, Any]:
    return {
        "combinations": report.combinations,
        "unreachable": [{"at": at, "what": what} for at, what in report.unreachable],
        "gaps": [{"at": at, "what": what} for at, what in report.gaps],
        "broken_examples": [_result(r) for r in broken],
        "notes": [{"at": at, "what": what} for at, what in report.notes],
    }


def _result(result: Result) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(result.example)
    return {
        "name": result.example.name,
        "holds": result.holds,
        "expected": {k: plain[k] for k in ("expect", "reason", "card") if plain.get(k)},
        "got": {
            "outcome": result.verdict.outcome,
            "reasons": list(result.verdict.reasons),
            "card": result.verdict.card,
        },
    }


def _line(result: Result) -> str:
    got = f"{result.verdict.outcome}, {result.verdict.reason}, card {result.verdict.card}"
    wanted = result.example
    if result.holds:
        return f"holds  {wanted.name}: {got}"
    parts = [wanted.expect, wanted.reason, wanted.card and f"card {wanted.card}"]
    return f"FAILS  {wanted.name}: expected {', '.join(p for p in parts if p)}; got {got}"


def _print(found: dict[str, Any], times: list[dict[str, Any]]) -> None:
    for name, report in found.items():
        if "error" in report:
            click.secho(f"{name}: {report['error']}", fg="red")
            if report["hint"]:
                click.echo(f"  → {report['hint']}")
            continue
        for kind, word in (("gaps", "no answer"), ("unreachable", "never reached")):
            for one in report[kind]:
                click.secho(f"{name}: {one['at']}: {word}: {one['what']}", fg="red")
        for one in report["notes"]:
            click.secho(f"{name}: {one['at']}: note: {one['what']}", fg="yellow")
        for one in report["broken_examples"]:
            click.secho(f"{name}: example '{one['name']}' does not hold", fg="red")
        count = sum(len(report[kind]) for kind in ("gaps", "unreachable", "broken_examples"))
        asked = f"{report['combinations']:,} combinations of facts asked"
        click.secho(f"{name}: {asked}, {count or 'nothing'} found", fg="red" if count else "green")
    for one in times:
        where = f"district {one['district']}" if one["district"] else "districts without a name"
        click.secho(
            f"no rulebook is in force in {where} from {one['from']} until {one['until']}", fg="red"
        )
