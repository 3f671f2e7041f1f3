"""Whether what the items of a Base were before each change is kept: a switch for each Base.

While it is off, that an item was changed, when and by whom is noted all the same: those who follow the changes need it.
"""

from django.db import transaction

from storage.audit import log as audit
from storage.audit.log import Verb
from storage.errors import BaseNotFound
from storage.history.beginnings import raise_beginnings
from storage.models import Base
from storage.postgres import rights
from storage.postgres.caller import Access
from storage.postgres.database import engine_errors
from storage.postgres.distribution import refuse_where_distributed


def set_history(*, access: Access, base: str, is_kept: bool) -> None:
    """Keep what items were from now on, or no longer; what is kept already stays until its time is over.

    Switched on, the history begins at this moment. Setting what is set changes nothing. Raises BaseNotFound, Unauthorized,
    Forbidden, ItemsDistributed, EngineUnreachable.
    """
    refuse_where_distributed()
    with engine_errors(), transaction.atomic():
        found = Base.objects.select_for_update().filter(collection_id=access.collection_id, name=base).first()
        if found is None:
            raise BaseNotFound()
        rights.ask_again(access)
        if found.history_kept == is_kept:
            return
        found.history_kept = is_kept
        found.save(update_fields=["history_kept"])
        if is_kept:
            raise_beginnings([found.pk])
        verb = Verb.HISTORY_STARTED if is_kept else Verb.HISTORY_STOPPED
        audit.record(verb, collection_id=access.collection_id, about=base)
