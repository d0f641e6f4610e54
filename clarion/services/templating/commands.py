"""CLI in: `clarion templates`."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from clarion.runtime.clock import system_clock
from clarion.runtime.output import fail, print_fields, print_rows
from clarion.runtime.settings import load_settings
from clarion.runtime.staff.audit import command_actor
from clarion.schemas.commands import TemplateLine, TemplatePreview, TemplateSaved, TemplateShown, TemplateTried
from clarion.services.notifications.wordings.faults import Faulty, Unusable
from clarion.services.notifications.wordings.operations import START_SUBJECT, NoSuchWording, Outdated
from clarion.services.notifications.wordings.wording import Draft
from clarion.services.templating.cases import NoCase, Source
from clarion.services.templating.desk import Desk, NoAccount, Standing, in_words

templates = typer.Typer(help="The wordings of mail.", no_args_is_help=True, rich_markup_mode=None)

Json = Annotated[bool, typer.Option("--json", help="print JSON for machines")]
Template = Annotated[str, typer.Argument(help="call, over, registration or notice")]
Version = Annotated[int | None, typer.Option(min=0, help="this version; 0 is the project's own (default: the newest)")]
Words = Annotated[Path | None, typer.Option("--file", allow_dash=True, help="a body that is not saved; - for stdin")]
Subject = Annotated[str | None, typer.Option(help="the subject, with placeholders (default: as in the newest version)")]
Campaign = Annotated[str, typer.Option(help="with what this campaign's people are told (default: a sample)")]
Division = Annotated[str | None, typer.Option(help="of this division's wave")]
Over = Annotated[int | None, typer.Option(min=0, help="only if this is still the newest version")]
T = TypeVar("T")


def run(act: Callable[[Desk], Awaitable[T]]) -> T:
    """Do it; what a user can mend is said in lines, with code 1, what was asked wrongly with code 2."""

    async def done() -> T:
        return await act(Desk(load_settings(), system_clock))

    try:
        return asyncio.run(done())
    except Faulty as error:
        for fault in error.faults:
            typer.echo(str(fault), err=True)
        fail("Nothing was changed.")
    except (Unusable, Outdated, NoAccount, NoCase) as error:
        fail(str(error))
    except NoSuchWording as error:
        fail(str(error), 2)


@templates.command("list", epilog="Example: clarion templates list")
def list_command(as_json: Json = False) -> None:
    """The templates whose wording staff may write, and what is in force."""
    rows = [line_of(one) for one in run(Desk.standings)]
    print_rows([one.model_dump() for one in rows], as_json=as_json, empty="No templates.")


def line_of(one: Standing) -> TemplateLine:
    """A template in a list."""
    newest: Mapping[str, Any] = one.versions[0] if one.versions else {}
    return TemplateLine(
        template=one.template,
        use=one.use,
        version=one.version,
        own=not one.projects,
        made_by=newest.get("made_by"),
        made_at=newest.get("made_at"),
        fallbacks=newest.get("fallbacks", 0),
    )


@templates.command("show", epilog="Example: clarion templates show call --json")
def show(template: Template, version: Version = None, as_json: Json = False) -> None:
    """A wording's source, its placeholders and its versions; of the project's own what one may begin with."""
    shown = run(lambda desk: _shown(desk, template, version))
    fields = shown.model_dump()
    if not as_json:
        fields["versions"] = "\n".join(
            f"{one['version']} {one['made_at']:%Y-%m-%d %H:%M} by {one['made_by']}: {one['note']}"
            for one in fields["versions"]
        )
    print_fields(fields, as_json=as_json)


async def _shown(desk: Desk, template: str, version: int | None) -> TemplateShown:
    found = await desk.standing(template)
    draft = await desk.draft(template, version)
    wanted = found.version if version is None else version
    return TemplateShown(
        **line_of(found).model_dump(exclude={"version", "own"}),
        version=wanted,
        own=draft is not None,
        subject=(draft or found.draft).subject,
        body=(draft or found.draft).body,
        placeholders=found.placeholders,
        demanded=list(found.demanded),
        versions=[
            {**{name: row[name] for name in ("version", "made_by", "made_at", "fallbacks")}, "note": in_words(row)}
            for row in found.versions
        ],
    )


@templates.command("save", epilog="Example: clarion templates save call call.md --note 'shorter'")
def save(
    template: Template,
    file: Annotated[Path, typer.Argument(allow_dash=True, help="the body, in Markdown with placeholders; - for stdin")],
    *,
    subject: Subject = None,
    note: Annotated[str, typer.Option(help="what is new, for who looks at the versions")] = "",
    over: Over = None,
    as_json: Json = False,
) -> None:
    """Put a wording in force as a new version. Mail that was asked for before keeps the wording that it had.

    It is refused, and nothing is changed, if it names what there is not or makes no mail of one of the samples.
    """

    async def act(desk: Desk) -> TemplateSaved:
        saved = await desk.save(command_actor(), await _draft(desk, template, file, subject), note=note, base=over)
        return TemplateSaved(template=template, version=saved.version, new=saved.new)

    print_fields(run(act).model_dump(), as_json=as_json)


@templates.command("restore", epilog="Example: clarion templates restore call 2")
def restore(
    template: Template,
    version: Annotated[int, typer.Argument(min=0, help="the version to go back to; 0 is the project's own wording")],
    over: Over = None,
    as_json: Json = False,
) -> None:
    """Put an older version in force again, as a new one."""

    async def act(desk: Desk) -> TemplateSaved:
        saved = await desk.restore(command_actor(), template, version, base=over)
        return TemplateSaved(template=template, version=saved.version, new=saved.new)

    print_fields(run(act).model_dump(), as_json=as_json)


@templates.command("preview", epilog="Example: clarion templates preview call --campaign ID --file call.md")
def preview(
    template: Template,
    *,
    version: Version = None,
    file: Words = None,
    subject: Subject = None,
    campaign: Campaign = "",
    division: Division = None,
    as_json: Json = False,
) -> None:
    """The mail that a wording makes: its subject and text, with --json its HTML too. Nothing is sent or changed."""

    async def act(desk: Desk) -> TemplatePreview:
        draft = await _chosen(desk, template, version, file, subject)
        mail = await desk.preview(template, draft, Source(campaign, division))
        return TemplatePreview(subject=mail.subject, text=mail.text, html=mail.html, bytes=mail.bytes_)

    found = run(act)
    if as_json:
        print_fields(found.model_dump(), as_json=True)
    else:
        typer.echo(f"Subject: {found.subject}\n\n{found.text}")


@templates.command("test-send", epilog="Example: clarion templates test-send call --to ada@cities.example")
def send_trial(
    template: Template,
    *,
    to: Annotated[str, typer.Option(metavar="ADDRESS", help="the address of a staff account")],
    version: Version = None,
    file: Words = None,
    subject: Subject = None,
    campaign: Campaign = "",
    division: Division = None,
    as_json: Json = False,
) -> None:
    """Send the mail that a wording makes to one of staff, as all mail goes; its subject begins with "Test:"."""

    async def act(desk: Desk) -> TemplateTried:
        draft = await _chosen(desk, template, version, file, subject)
        reader = await desk.reader(to)
        source = Source(campaign, division)
        return TemplateTried(id=await desk.send_trial(command_actor(), template, draft, reader, source))

    found = run(act)
    print_fields(found.model_dump(), as_json=as_json)
    if not as_json:
        typer.echo(f"What became of it: clarion deliveries show {found.id}")


async def _chosen(
    desk: Desk, template: str, version: int | None, file: Path | None, subject: str | None
) -> Draft | None:
    """The words that were asked for: a file's, or a version's."""
    if file is not None and version is not None:
        fail("either --file or --version", 2)
    return await desk.draft(template, version) if file is None else await _draft(desk, template, file, subject)


async def _draft(desk: Desk, template: str, file: Path, subject: str | None) -> Draft:
    newest = await desk.draft(template, None)
    return Draft(template, subject or (newest.subject if newest else START_SUBJECT), read_body(file))


def read_body(file: Path) -> str:
    """A body from a file or from stdin; ends with code 2 if it cannot be read."""
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file}: {getattr(error, 'strerror', None) or 'not UTF-8'}", 2)
