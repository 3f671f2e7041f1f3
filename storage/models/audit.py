"""What people did. Without foreign keys: an entry outlives the person, the collection and the key that it is about."""

from django.db import models

from storage import limits


class AuditEntry(models.Model):
    """One act, as `storage/audit/log.py` records it. Names are as they were then; an empty text means none."""

    at = models.DateTimeField()
    actor = models.CharField(max_length=7)  # a kind of `storage/audit/actors.py`
    person_id = models.IntegerField(null=True)
    name = models.CharField(max_length=limits.AUDIT_TEXT_MAX_CHARACTERS, blank=True)
    address = models.CharField(max_length=limits.AUDIT_TEXT_MAX_CHARACTERS, blank=True)
    verb = models.CharField(max_length=40)
    collection_id = models.CharField(max_length=limits.COLLECTION_ID_CHARACTERS, blank=True)
    collection_name = models.CharField(max_length=limits.COLLECTION_NAME_MAX_CHARACTERS, blank=True)
    about = models.CharField(max_length=limits.AUDIT_TEXT_MAX_CHARACTERS, blank=True)
    amount = models.BigIntegerField()  # of what the verb is about: items, files, tries
    details = models.JSONField()
    merge_id = models.UUIDField(null=True, unique=True)  # acts with the same one are one entry

    class Meta:
        indexes = [
            models.Index(fields=["at", "id"], name="audit_by_time"),
            models.Index(fields=["actor", "name", "at", "id"], name="audit_by_person"),
            models.Index(fields=["collection_id", "at", "id"], name="audit_of_collection"),
            models.Index(fields=["collection_id", "actor", "name", "at", "id"], name="audit_of_collection_by_person"),
        ]

    def __str__(self) -> str:
        return f"{self.at} {self.name or self.actor}: {self.verb} {self.about}"
