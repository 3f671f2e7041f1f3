"""The second question for a person's right, asked in the transaction that changes something.

The gate asked the first one when the request began. Its body may have been on the way for long, and a lock waited for.
"""

from storage.postgres.caller import Access, allowed
from storage.postgres.database import run
from storage.postgres.sql import access as access_sql


def ask_again(access: Access) -> None:
    """In the caller's transaction: whether the person may write to the collection now.

    Raises Unauthorized without any access, and Forbidden.
    """
    allowed(run(access_sql.check_person(access, write=True)))
