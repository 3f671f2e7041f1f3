"""The console as one of Django's apps."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """Connects what listens to Django's signals."""

    name = "console"

    def ready(self) -> None:
        from console.audit import sign_ins  # noqa: F401 (its receivers need the models, which are loaded by now)
