"""What lets the `deta` command in as a person: access tokens, and the sign-ins of terminals that are under way."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from storage import limits


class AccessToken(models.Model):
    """Lets the `deta` command in as its person. Only its SHA-256 is stored."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="access_tokens")
    name = models.CharField(max_length=limits.ACCESS_TOKEN_NAME_MAX_CHARACTERS)  # of the device it is on
    digest = models.BinaryField(max_length=32, unique=True)
    prefix = models.CharField(max_length=8)  # of its text, for people to recognise it
    # The mark of the password that it was made under, as sessions have one: with another password it is over.
    session_hash = models.CharField(max_length=128)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(db_index=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}...)"


class TerminalSignIn(models.Model):
    """A terminal that waits until somebody allows it in a browser to act for them."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        ALLOWED = "allowed", "Allowed"
        REFUSED = "refused", "Refused"
        SPENT = "spent", "Spent"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    challenge = models.BinaryField(max_length=32)  # the SHA-256 of what the terminal alone knows
    code = models.CharField(max_length=9)  # shown on both sides, to be compared
    device = models.CharField(max_length=limits.ACCESS_TOKEN_NAME_MAX_CHARACTERS)
    address = models.TextField()  # that the terminal asked from
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+")
    session_hash = models.CharField(max_length=128, blank=True)  # the person's, when it was allowed
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.device} ({self.state})"
