"""What the page of data keys says of each."""

from datetime import date

from django import template

from storage.models import DataKey

register = template.Library()


@register.filter
def used_today(data_key: DataKey, today: date) -> int:
    """The bytes that the key has moved on this day (UTC)."""
    allowance = getattr(data_key, "allowance", None)
    return allowance.used_bytes if allowance is not None and allowance.day == today else 0
