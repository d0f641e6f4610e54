"""Command groups that are read when they are called: a command starts without the other services' code."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from clarion.runtime.garbage import uncollected


@dataclass(frozen=True, slots=True)
class Lazily:
    """Where a command or a group of commands is, as `module:name`, and the line of help that a list shows."""

    place: str
    help: str

    def load(self, name: str) -> Any:
        """The command, under the name by which it is called."""
        module, _, attribute = self.place.partition(":")
        with uncollected():
            found: typer.Typer | Callable[..., None] = getattr(import_module(module), attribute)
        holder = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)
        holder.callback()(leave_to_the_command)
        if isinstance(found, typer.Typer):
            holder.add_typer(found, name=name)
        else:
            holder.command(name)(found)
        return get_group(holder).commands[name]


def leave_to_the_command() -> None:
    """Nothing is to be done before a command: this only makes its holder a group."""


def lazy_group(commands: Mapping[str, Lazily]) -> type[TyperGroup]:
    """A group with these commands beside those declared on it."""

    class LazyGroup(TyperGroup):
        def list_commands(self, ctx: Any) -> list[str]:
            return [*super().list_commands(ctx), *commands]

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            if cmd_name not in commands:
                return super().get_command(ctx, cmd_name)
            return commands[cmd_name].load(cmd_name)

        def format_commands(self, ctx: Any, formatter: Any) -> None:
            own = [(name, self.commands[name].get_short_help_str(100)) for name in super().list_commands(ctx)]
            with formatter.section("Commands"):
                formatter.write_dl([*own, *((name, lazily.help) for name, lazily in commands.items())])

    return LazyGroup
