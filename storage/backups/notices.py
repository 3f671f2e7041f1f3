"""Tells those that the environment names when something becomes wrong with backups, and when all is well again; once each."""

import json
import logging
from smtplib import SMTPException

import urllib3
from django.conf import settings
from django.core.mail import send_mail

from storage.backups import problems
from storage.findings import Finding
from storage.models import BackupPlan

logger = logging.getLogger(__name__)

_WEBHOOK_SECONDS = 10.0


def tell() -> None:
    """Send what has not been told yet. What can't be sent is tried again the next time. Raises EngineUnreachable."""
    if not settings.BACKUP_MAIL_TO and not settings.BACKUP_WEBHOOK:
        return
    found = problems.find_problems()
    now = " ".join(sorted({each.key for each in found}))
    row = BackupPlan.objects.filter(id=1).first()
    if row is None or row.told == now:
        return
    # What is mended in part is no news; what is new, or mended as a whole, is.
    is_news = not found or set(now.split()) - set(row.told.split())
    if not is_news or _send(found):
        BackupPlan.objects.filter(id=1).update(told=now)


def _send(found: list[Finding]) -> bool:
    """Whether anybody was told."""
    sent = [
        send(found) for send, is_set in ((_mail, settings.BACKUP_MAIL_TO), (_post, settings.BACKUP_WEBHOOK)) if is_set
    ]
    return any(sent)


def _mail(found: list[Finding]) -> bool:
    subject = "Homeport: something is wrong with the backups" if found else "Homeport: the backups are well again"
    text = "\n\n".join(f"{each.title}\n{each.what_to_do}" for each in found) or "Nothing is wrong with them any more."
    try:
        send_mail(subject, text, None, settings.BACKUP_MAIL_TO)
    except (OSError, SMTPException) as error:
        logger.warning("Nobody could be told about the backups by mail: %s", error)
        return False
    return True


def _post(found: list[Finding]) -> bool:
    """POST it as JSON. A redirect is no answer: it may lead anywhere."""
    body = {"server": settings.GIVEN_HOSTS[:1], "is_well": not found, "problems": [each._asdict() for each in found]}
    try:
        answer = urllib3.request(
            "POST",
            settings.BACKUP_WEBHOOK,
            body=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            redirect=False,
            retries=False,
            timeout=urllib3.Timeout(total=_WEBHOOK_SECONDS),
            preload_content=False,
        )
        answer.release_conn()
    except (urllib3.exceptions.HTTPError, OSError) as error:
        # Its text may hold the address, which may hold a secret.
        logger.warning("The webhook for backups could not be reached: %s", type(error).__name__)
        return False
    if not 200 <= answer.status < 300:
        logger.warning("The webhook for backups answered %s.", answer.status)
        return False
    return True
