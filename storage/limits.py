"""Every documented number with its unit. Source: the API contract's sections "Everywhere", "Base" and "Drive".

"doc" marks what the original service documented, "ours" what Homeport decided where it was silent.
"""

# Names and keys
NAME_MAX_CHARACTERS = 128  # of a Base or Drive (ours)
KEY_MAX_BYTES = 1_024  # of an item's key, in UTF-8 (ours: a longer one can overflow a B-tree entry)
GENERATED_KEY_CHARACTERS = 12  # doc
COLLECTION_ID_CHARACTERS = 10  # ours
COLLECTION_NAME_MAX_CHARACTERS = 128  # ours
SECRET_CHARACTERS = 32  # of a data key, behind the underscore (ours)
DATA_KEY_NAME_MAX_CHARACTERS = 128  # ours

# Items
ITEM_MAX_BYTES = 409_600  # of its compact UTF-8 JSON, key included (doc: 400 KB; unit ours)
ITEMS_PER_PUT = 25  # doc
BODY_MAX_BYTES = 16_777_216  # of any request to a Base (doc: 16 MB for PUT)
NESTING_MAX_LEVELS = 100  # the item itself is the first (ours)
NUMBER_MAX_DIGITS = 38  # significant ones (ours)
NUMBER_MAX_EXPONENT = 125  # of the first digit, either sign (ours)

# Queries
QUERY_LIMIT_MAX = 1_000  # items in an answer, and the default (ours)
QUERY_MAX_OBJECTS = 1_000  # ORed together (ours)
QUERY_MAX_CONDITIONS = 5_000  # in all of them; PostgreSQL binds at most 65,535 parameters (ours)
ANSWER_MAX_BYTES = 1_048_576  # of items, one over it included (doc: about 1 MB)
SCAN_MAX_BYTES = 1_048_576  # of items looked at by a request that no index answers (doc: about 1 MB)
SCAN_MAX_ROWS = 20_000  # looked at by such a request, so that tiny items cannot hold a worker (ours)
INDEX_FEW_HITS = 10_000  # of an index: sorted for one answer without a thought (ours)
DENSE_SCAN_MAX_BYTES = (
    33_554_432  # of items looked at in key order where there are more, which finds a page sooner (ours)
)
DENSE_SCAN_MAX_ROWS = 200_000  # likewise
INDEX_MAX_HITS = 200_000  # sorted for one answer when that did not fill it (ours)

# Files
FILE_NAME_MAX_BYTES = 1_024  # in UTF-8 (ours)
CONTENT_TYPE_MAX_CHARACTERS = 255  # ours
FILE_BODY_MAX_BYTES = 10_485_760  # of a file sent in one request, and of a part (doc: 10 MB)
PART_MIN_BYTES = 5_242_880  # of every part but the last (doc: 5 MB)
PARTS_MAX = 10_000  # of an upload (doc)
NAMES_PER_LIST = 1_000  # in an answer, and the default (doc)
NAMES_PER_DELETE = 1_000  # doc
TRANSFERS_AT_ONCE = 128  # in one worker, half its threads: slow bytes never hold up Bases (ours)
SHARE_WAIT_SECONDS = 4.0  # for a thread's turn to move a file's bytes (ours)
ENGINE_ANSWER_SECONDS = 4.5  # for that and for S3's first word together (ours: a 503 comes within 5)
ENGINE_MIN_SECONDS = 0.5  # of these, that S3 has in any case (ours)

# Callers
WRONG_KEYS_PER_MINUTE = 100  # from one address and in one worker, before it is told 429 (ours)
RETRY_AFTER_SECONDS = 2  # with every 503 (ours)

# People
INVITATION_NOTE_MAX_CHARACTERS = 128  # whom it is for (ours)
CLIENT_NAME_MAX_CHARACTERS = 80  # of a client's User-Agent, the rest is cut (ours)

# Sweeping
GARBAGE_KEPT_SECONDS = 3_600  # after the last file let go of a blob: a download that has begun finishes (ours)
UPLOAD_KEPT_SECONDS = 86_400  # after it was last touched, or ended (ours)
PENDING_KEPT_SECONDS = 86_400  # a blob whose write never came to an end (ours)
SWEEP_BATCH_ROWS = 1_000  # deleted in one statement, so that no lock is held for long (ours)
DELETE_BATCH_ROWS = 2_000  # of a deleted collection, in one statement (ours)

# Archives: exports, imports, snapshots
ARCHIVE_PART_BYTES = 8_388_608  # of one object that an export, or a file out of an archive, is put as (ours)
ARCHIVE_PUTS_AT_ONCE = 3  # of those, while more is read: they bound what an export holds in memory (ours)
ARCHIVE_ENTRIES_MAX = 1_000_000  # of an archive; each takes 0.6 KB of memory while one is made or read (ours)
ARCHIVE_FREE_BYTES = 1_073_741_824  # that an archive may unpack to however small it is (ours)
ARCHIVE_RATIO_MAX = 200  # unpacked to packed bytes, beyond that (ours)
ARCHIVE_MANIFEST_MAX_BYTES = 268_435_456  # unpacked (ours)
ARCHIVE_ITEM_TEXT_MAX_BYTES = 8_388_608  # of one item as it stands in a file, with its spaces and escapes (ours)
ARCHIVE_BATCH_ITEMS = 500  # stored in one transaction by an import (ours)
ARCHIVE_BATCH_BYTES = 4_194_304  # of items in such a transaction (ours)
ARCHIVE_BATCH_FILES = 32  # stored in one transaction by an import (ours)
ARCHIVE_BATCH_FILE_BYTES = 67_108_864  # of files in such a transaction, the last one included (ours)
ARCHIVE_PROBLEMS_KEPT = 1_000  # of a check or an import, listed one by one; all are counted (ours)
ARCHIVE_LEASE_SECONDS = 25  # without a sign of life, then another worker goes on (ours)
ARCHIVE_ATTEMPTS_MAX = 5  # at an export or import whose worker dies every time (ours)
ARCHIVES_AT_ONCE = 2  # in one worker, of the jobs it can do at a time (ours)
IMPORT_MAX_BYTES = 1_099_511_627_776  # of an archive that is sent here (ours)
IMPORT_KEPT_SECONDS = 604_800  # the archive itself, after its import: the report stays (ours)
IMPORT_UPLOAD_KEPT_SECONDS = 86_400  # an archive that nobody goes on sending (ours)
SNAPSHOTS_KEPT_MAX = 100  # of one collection (ours)
