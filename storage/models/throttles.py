"""How often something that is limited was tried lately."""

from django.db import models


class Throttle(models.Model):
    """The tries of one counter since its window began. Who is counted is only here as a keyed hash."""

    who = models.BinaryField(primary_key=True, max_length=32)
    tries = models.IntegerField()
    ends_at = models.DateTimeField(db_index=True)
    most = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.tries} of {self.most} until {self.ends_at}"
