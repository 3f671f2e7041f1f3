"""What can be wrong with backups, in words."""


class BackupFault(Exception):
    """It can't be done; the message says what is wrong, where, and what to do."""


class Missing(BackupFault):
    """Something that should be in a target is not there."""


class Damaged(BackupFault):
    """Something in a target is not what was written."""
