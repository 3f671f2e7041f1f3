"""What the owner of the server requires of everybody who signs in: one row, made when something is first required."""

from storage.models import SignInRules


def is_second_factor_required() -> bool:
    """Whether everybody has to have a second factor."""
    return SignInRules.objects.filter(id=1, second_factor_required=True).exists()


def require_second_factor(*, is_required: bool) -> None:
    """Require a second factor of everybody, or no longer. It holds from the next request of anybody's pages."""
    SignInRules.objects.update_or_create(id=1, defaults={"second_factor_required": is_required})
