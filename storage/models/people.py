"""Who may do what: roles, memberships, invitations, and the browsers that are signed in."""

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models.functions import Now
from django.utils.module_loading import import_string

from storage import limits
from storage.models.collections import Collection


class Role(models.TextChoices):
    """What a person may do in one collection; each role may do what the next one may."""

    OWNER = "owner", "Owner"
    MEMBER = "member", "Member"
    READER = "reader", "Read-only"

    def reaches(self, other: "Role") -> bool:
        """Whether this role includes the other one."""
        ranked = list(Role)
        return ranked.index(self) <= ranked.index(other)


class Membership(models.Model):
    """A person in a collection. Owners of the server need none."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="memberships")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=6, choices=Role.choices)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "collection"], name="membership_unique")]

    def __str__(self) -> str:
        return f"{self.person_id} is {self.role} of {self.collection_id}"


class Invitation(models.Model):
    """A link that lets one more person in, once. The link itself is signed and kept nowhere."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, null=True)  # None: for an owner of the server
    role = models.CharField(max_length=6, choices=Role.choices)
    note = models.CharField(max_length=limits.INVITATION_NOTE_MAX_CHARACTERS, blank=True)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.role} of {self.collection_id or 'the server'}"


class Session(AbstractBaseSession):
    """A browser that is signed in. It knows its person, so that all of one person's can be ended."""

    person_id = models.IntegerField(null=True, db_index=True)

    @classmethod
    def get_session_store_class(cls) -> "type[SessionBase]":
        """The engine that the settings name."""
        engine: type[SessionBase] = import_string(f"{settings.SESSION_ENGINE}.SessionStore")
        return engine


class SignInRules(models.Model):
    """What the owner of the server requires of everybody who signs in. The one row of this server; none: nothing."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    second_factor_required = models.BooleanField(default=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="sign_in_rules_single_row")]

    def __str__(self) -> str:
        return "a second factor is required" if self.second_factor_required else "no rules"
