"""Work that is due later, claimed from PostgreSQL: of any number of replicas one does each job."""

from clarion.runtime.timers.jobs import Job, Timers, purging
from clarion.runtime.timers.upkeep import upkeep

__all__ = ["Job", "Timers", "purging", "upkeep"]
