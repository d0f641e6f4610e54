"""`clarion`: the command line over all services; a command's code is read when it is called."""

import sys
from importlib import import_module

import typer

from clarion.services.lazy import Lazily, lazy_group

COMMANDS = {
    "demo": Lazily("clarion.services.processes:demo", "the main job once: a hearing notice becomes mail"),
    "up": Lazily("clarion.services.processes:up", "everything on this machine until Ctrl-C"),
    "serve": Lazily("clarion.services.processes:serve", "services in one process, against real infrastructure"),
    "health": Lazily("clarion.services.probe:health", "ask a process that serves here how it is doing"),
    "migrate": Lazily("clarion.services.processes:migrate", "bring the database's schemas to this version"),
    "topics": Lazily("clarion.services.processes:topics", "make the topics that are missing"),
    "directory": Lazily("clarion.services.directory.commands:directory", "import cities, officials, committees, ..."),
    "staff": Lazily(
        "clarion.services.directory.staff.commands:staff", "who acts for the association, and their rights"
    ),
    "positions": Lazily(
        "clarion.services.campaigns.positions.commands:positions", "our stances on bills, regulations and measures"
    ),
    "agenda": Lazily(
        "clarion.services.campaigns.positions.agenda_commands:agenda", "the Action Agenda's priorities, by date"
    ),
    "publish": Lazily("clarion.services.legislation.commands:publish", "validate and publish legislative updates"),
    "campaigns": Lazily(
        "clarion.services.waves:campaigns", "calls: whom they ask, who lets them go, what came of them"
    ),
    "committees": Lazily("clarion.services.campaigns.rules.commands:committees", "until when committees take letters"),
    "deliveries": Lazily("clarion.services.deliveries:deliveries", "what became of mail"),
    "suppressions": Lazily("clarion.services.suppressions:suppressions", "mailboxes that get nothing more"),
    "bounces": Lazily(
        "clarion.services.notifications.bounces.commands:bounces", "what came back: bounces and complaints"
    ),
    "templates": Lazily("clarion.services.templating.commands:templates", "the wordings of mail, and trying them out"),
    "people": Lazily("clarion.services.people.commands:people", "everything kept about a person: export, erase"),
    "relays": Lazily("clarion.services.notifications.relay_commands:relays", "where mail goes, and what blocks it"),
    "webinars": Lazily("clarion.services.registrations.commands:webinars", "webinars: make, move, cancel them"),
    "registrations": Lazily("clarion.services.registrations.commands:registrations", "who has a seat, and who waits"),
    "bench": Lazily("clarion.services.benchmarks.commands:bench", "how fast it is, against its own ceilings"),
    "dead-letters": Lazily("clarion.services.dead_letters:dead_letters", "what could not be handled, and retrying it"),
    "replay": Lazily("clarion.services.replay:replay_command", "publish again what the broker lost"),
    "doctor": Lazily("clarion.services.doctor.commands:doctor", "look at everything, and say what to do"),
    "contracts": Lazily("clarion.services.contracts.commands:contracts", "topics, schemas, AsyncAPI and OpenAPI"),
    "restored": Lazily("clarion.services.restoring.commands:restored", "take up a database restored from a dump"),
    "audit": Lazily("clarion.services.audit.commands:audit", "who did what, when and from where"),
    "keys": Lazily("clarion.services.keys.commands:keys", "API keys for integrations"),
}

app = typer.Typer(cls=lazy_group(COMMANDS), no_args_is_help=True, rich_markup_mode=None, add_completion=False)


@app.callback(epilog="Example: clarion up --sample-data")
def clarion() -> None:
    """Clarion: a hearing notice becomes a call in the mailbox of each official whose voice counts."""


def main() -> None:
    """The entry point: errors that a user can mend are said in a line, on standard error."""
    try:
        app()
    except Exception as error:
        message = import_module("clarion.services.failures").explained(error)
        if message is None:
            raise
        print(message, file=sys.stderr)
        sys.exit(1)
