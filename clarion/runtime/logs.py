"""Loggers whose library is read with the first line logged: a command that logs nothing starts without it."""

from importlib import import_module
from typing import Any


class Logger:
    """structlog's logger of a module: `log.info("event", id=...)`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, level: str) -> Any:
        return getattr(import_module("structlog").get_logger(self._name), level)
