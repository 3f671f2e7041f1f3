"""Views of a Base under a name: a query, an order and an arrangement of columns, for everybody in the collection."""

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from storage import disk_space, limits, names
from storage.base.items import find_base_id
from storage.errors import AlreadyTaken, InvalidInput, ViewNotFound
from storage.models import SavedView
from storage.postgres import rights
from storage.postgres.caller import Access
from storage.postgres.database import engine_errors


def list_views(*, base_id: int) -> list[SavedView]:
    """By name."""
    return list(SavedView.objects.filter(base_id=base_id).order_by("name", "pk"))


def save_view(
    *, access: Access, base: str, name: str, query: str, sort: str, columns: str, replace: bool = False
) -> SavedView:
    """Keep a view under a name; with `replace` in the place of one that has it.

    `columns` is the browser's own, as JSON. Raises InvalidInput, AlreadyTaken, BaseNotFound, DiskFull, and Unauthorized or
    Forbidden when the person may not write here (any more).
    """
    disk_space.check_space_for_items()
    name = _checked_name(name)
    for text, most in ((query, limits.QUERY_TEXT_MAX_CHARACTERS), (columns, limits.VIEW_COLUMNS_MAX_BYTES)):
        if len(text) > most or not names.is_text(text):
            raise InvalidInput(f"A view's query or columns are longer than {most:,} characters")
    if len(sort) > limits.VIEW_SORT_MAX_CHARACTERS or not names.is_text(sort):
        raise InvalidInput(f"A view's order is longer than {limits.VIEW_SORT_MAX_CHARACTERS:,} characters")
    base_id = find_base_id(access, base)
    values: dict[str, object] = {
        "query": query,
        "sort": sort,
        "columns": columns,
        "made_by_id": access.person_id,
        "changed_at": Now(),
    }
    with engine_errors(), transaction.atomic():
        rights.ask_again(access)
        if replace:
            kept, _ = SavedView.objects.update_or_create(base_id=base_id, name=name, defaults=values)
        else:
            kept = _make(base_id, name, values)
        if SavedView.objects.filter(base_id=base_id).count() > limits.VIEWS_PER_BASE:
            raise InvalidInput(f"A Base has at most {limits.VIEWS_PER_BASE} saved views")
    return kept


def _make(base_id: int, name: str, values: dict[str, object]) -> SavedView:
    try:
        with transaction.atomic():
            return SavedView.objects.create(base_id=base_id, name=name, **values)
    except IntegrityError:
        raise AlreadyTaken(f"There is a view called “{name}” already") from None


def delete_view(*, access: Access, base: str, view_id: int) -> None:
    """Raises ViewNotFound, BaseNotFound, Unauthorized or Forbidden when the person may not write here (any more)."""
    base_id = find_base_id(access, base)
    with engine_errors(), transaction.atomic():
        rights.ask_again(access)
        if not SavedView.objects.filter(base_id=base_id, pk=view_id).delete()[0]:
            raise ViewNotFound()


def _checked_name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= limits.VIEW_NAME_MAX_CHARACTERS or not name.isprintable():
        raise InvalidInput(f"A view's name has 1 to {limits.VIEW_NAME_MAX_CHARACTERS} characters, all of them visible")
    return name
