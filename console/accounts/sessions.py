"""Sessions in the database with their person, so that a person can end all of their own."""

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from storage.errors import StorageError
from storage.models import Session


class SessionStore(DatabaseStore):
    """Named in settings as SESSION_ENGINE; Django's documented way to a session table of one's own."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        session: Any = super().create_model_instance(data)
        person_id = data.get(SESSION_KEY)
        session.person_id = int(person_id) if person_id else None
        return session

    def save(self, must_create: bool = False) -> None:
        """Django's. It takes any error of the database for a session that somebody has ended, and answers 400 then."""
        try:
            super().save(must_create)
        except UpdateError as error:
            if isinstance(error.__context__, StorageError):
                raise error.__context__ from error
            raise
