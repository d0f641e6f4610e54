"""A wording: its source by version, and what it makes of one mail's content."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from jinja2 import Template, TemplateError, nodes
from jinja2.sandbox import SandboxedEnvironment

from clarion.services.notifications.rendering.mime import one_line
from clarion.services.notifications.wordings.faults import Fault, Faulty, Unusable
from clarion.services.notifications.wordings.language import PAPER, Paper, PlaceHere, Reading, read_source, sandbox
from clarion.services.notifications.wordings.limits import (
    MOST_SOURCE,
    MOST_SUBJECT,
    MOST_SUBJECT_SOURCE,
    Allowance,
)
from clarion.services.notifications.wordings.markup import read_blocks
from clarion.services.notifications.wordings.vocabulary import (
    DEMANDED,
    DEMANDED_IN_SUBJECT,
    PLACES,
    VOCABULARY,
)
from clarion.services.notifications.wordings.written import MARKED, Written

TROUBLE = (TemplateError, ValueError, TypeError, ArithmeticError, AttributeError, LookupError, RecursionError)
"""What a wording may come to with values that nobody thought of."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wrote for one template."""

    template: str
    subject: str
    body: str


class Worded(NamedTuple):
    """What a wording makes: the subject, and the body for the frame of each kind, with a recipient's own left open."""

    subject: str
    html: str
    text: str


class Compiled:
    """A wording that can be used."""

    def __init__(self, draft: Draft) -> None:
        """Raises Faulty: it must not be used."""
        environment = sandbox()
        subject, body = readings(environment, draft)
        faults = [*subject.faults, *body.faults]
        if faults or subject.tree is None or body.tree is None:
            raise Faulty(faults)
        self.template = draft.template
        self.subject_says_what_changed = "subject" in subject.named
        self._subject = compiled(environment, subject.tree, draft)
        self._body = compiled(environment, body.tree, draft)

    def write(self, context: Mapping[str, Any], allowance: Allowance | None = None) -> Worded:
        """One mail's words.

        Raises:
            Unusable: with this content it makes no mail.
        """
        allowance = allowance or Allowance()
        places = {name: PlaceHere(name) for name in VOCABULARY[self.template].parts if name in PLACES}
        try:
            subject = printed(self._subject, {**context, **places}, Paper(allowance))
            paper = Paper(allowance)
            source = filled(self._body, {**context, **places}, paper)
            blocks = read_blocks(source)
            allowance.check_time()
            written = Written(paper.values, allowance.check_time)
            if written.places(blocks) != list(places):
                raise Unusable(f"not each of its places is there once: {', '.join(places)}")
            return Worded(subject, written.html(blocks), written.text(blocks))
        except TROUBLE as error:
            raise Unusable(f"{type(error).__name__}: {error}") from error


def compiled(environment: SandboxedEnvironment, tree: nodes.Template, draft: Draft) -> Template:
    """A tree that was looked through, ready to run."""
    try:
        code = environment.compile(tree)
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise Faulty([Fault(draft.template, "body", None, "nested too deep:")]) from error
    return Template.from_code(environment, code, {})


def filled(template: Template, context: Mapping[str, Any], paper: Paper) -> str:
    """The template with marks for its values; stopped as soon as it is too much."""
    pieces = []
    for piece in template.generate({**context, PAPER: paper}):
        paper.allowance.spend(len(piece))
        pieces.append(piece)
    return "".join(pieces)


def printed(template: Template, context: Mapping[str, Any], paper: Paper) -> str:
    """A subject, in one line."""
    marked = filled(template, context, paper)
    text = MARKED.sub(lambda found: str(paper.values[int(found[1])]), marked)
    line = " ".join(one_line(text).split())
    if not line:
        raise Unusable("its subject would be empty")
    return line if len(line) <= MOST_SUBJECT else f"{line[: MOST_SUBJECT - 1].rstrip()}\u2026"


def readings(environment: SandboxedEnvironment, draft: Draft) -> tuple[Reading, Reading]:
    """Both parts, read, with all that is wrong with them."""
    subject, body = Reading(draft.template, "subject"), Reading(draft.template, "body")
    scope = VOCABULARY.get(draft.template)
    if scope is None:
        body.say(None, f"there is no template of this name; there are {', '.join(VOCABULARY)}:")
        return subject, body
    for part, source, most in ((subject, draft.subject, MOST_SUBJECT_SOURCE), (body, draft.body, MOST_SOURCE)):
        if not source.strip():
            part.say(None, "nothing stands")
        elif len(source) > most:
            part.say(None, f"{len(source):,} characters stand, where at most {most:,} may,")
    if subject.faults or body.faults:
        return subject, body
    subject = read_source(environment, draft.template, "subject", draft.subject, scope)
    body = read_source(environment, draft.template, "body", draft.body, scope)
    demand(subject, DEMANDED_IN_SUBJECT.get(draft.template, ()))
    demand(body, DEMANDED[draft.template])
    return subject, body


def demand(found: Reading, names: tuple[str, ...]) -> None:
    """Note what has to be named and is not."""
    missing = [name for name in names if name not in found.named]
    if missing and not found.faults:
        found.say(None, f"{', '.join(f'{{{{ {name} }}}}' for name in missing)} has to stand")


def examine(draft: Draft) -> list[Fault]:
    """All that is wrong with a draft, as far as its source tells."""
    subject, body = readings(sandbox(), draft)
    return [*subject.faults, *body.faults]
