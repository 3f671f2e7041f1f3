"""Sessions in the database with their person, so that a person can end all of their own."""

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

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
