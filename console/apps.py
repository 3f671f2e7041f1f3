"""The console as one of Django's apps."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """Connects what listens to Django's signals."""

    name = "console"

    def ready(self) -> None:
        # Their receivers need the models, which are loaded by now.
        from console.audit import second_factors, sign_ins  # noqa: F401
