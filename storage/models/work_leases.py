"""Which process does a kind of work that only one does at a time."""

from django.db import models


class WorkLease(models.Model):
    """The right to a kind of work, until a moment of the database's clock (`storage/postgres/work_leases.py`)."""

    work = models.TextField(primary_key=True)
    holder = models.UUIDField()
    ends_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.work} by {self.holder} until {self.ends_at}"
