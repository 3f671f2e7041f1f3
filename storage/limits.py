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

# Visor
EVENT_BODY_MAX_BYTES = 65_536  # kept of a request's body and of an answer's; the rest is counted (ours)
EVENT_TEXT_MAX_CHARACTERS = 4_096  # kept of a path, of a query string, of a header's value (ours)
EVENT_HEADERS_MAX = 100  # kept of a request or an answer (ours)
EVENT_LOG_LINES_MAX = 100  # kept of what the server logged during a request (ours)
EVENT_LOG_LINE_MAX_CHARACTERS = 2_000  # ours
EVENTS_KEPT_DAYS = 14  # then whole days are dropped, but for pinned events (ours)
EVENTS_MAX_BYTES = 268_435_456  # of one collection, compressed; the oldest go first, but for pinned ones (ours)
EVENTS_PINNED_MAX = 1_000  # in one collection (ours)
EVENTS_PER_PAGE = 50  # ours
EVENT_LOOK_MAX = 20_000  # looked at by one page of a filtered list (ours)
EVENT_LOOK_MAX_BLOCKS = 2_000  # in which these lie; a quiet collection's hold one or two each (ours)
EVENT_TEXT_LOOK_MAX_BYTES = 33_554_432  # of bodies and headers, looked at by one page of a search in bodies (ours)
EVENT_QUEUE_MAX = 20_000  # waiting in one process to be stored; more are lost, and counted (ours)
EVENT_QUEUE_MAX_BYTES = 33_554_432  # of these (ours)
EVENT_BLOCK_MAX = 500  # stored together (ours)
EVENT_BLOCK_MAX_BYTES = 524_288  # of these, before they are compressed; a larger one is alone in its block (ours)
EVENT_BLOCK_MAX_SECONDS = 60  # from the first to the last of these (ours)
REPLAY_BODY_MAX_BYTES = 1_048_576  # of a request written by hand (ours)
REPLAY_HEADERS_MAX = 50  # of such a request (ours)

# Sweeping
GARBAGE_KEPT_SECONDS = 3_600  # after the last file let go of a blob: a download that has begun finishes (ours)
UPLOAD_KEPT_SECONDS = 86_400  # after it was last touched, or ended (ours)
PENDING_KEPT_SECONDS = 86_400  # a blob whose write never came to an end (ours)
SWEEP_BATCH_ROWS = 1_000  # deleted in one statement, so that no lock is held for long (ours)
DELETE_BATCH_ROWS = 2_000  # of a deleted collection, in one statement (ours)
