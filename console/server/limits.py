"""What a client may take of the server. The limits on what is stored are in `storage/limits.py`."""

HEAD_MAX_BYTES = 98_304  # of a request's line and headers together
TARGET_MAX_BYTES = 65_536  # of the address in the line
HEADERS_MAX = 100
AHEAD_MAX_BYTES = 65_536  # read of what comes before it can be looked at

# A body that is here this soon after its head is looked at together with it; else the application is asked before.
BODY_SOON_SECONDS = 0.05
LOOP_BODY_MAX_BYTES = 8_192  # of a request that the event loop answers itself; what is longer keeps no client waiting
FORM_MAX_BYTES = 1_048_576  # of a body that is read by nobody who has a limit of their own
BODIES_MEMORY_BYTES = 67_108_864  # of all bodies of a worker that are coming in; the rest of them goes to files
BODY_MIN_BYTES_PER_SECOND = 4_096  # a slower client is given up

# Of a worker: of all answers that its clients have not taken yet, and of all heads and whatever else they sent ahead.
KEPT_MAX_BYTES = 67_108_864
KEPT_FREELY_BYTES = 4_096  # of each client, however much the others take
CHUNK_MAX_BYTES = 262_144  # written at a time of a longer answer

KEEP_ALIVE_SECONDS = 75
STALLED_SECONDS = 60  # that a client may take nothing of its answer
DRAIN_MAX_BYTES = 67_108_864  # read and dropped of a body that is not wanted, so that its client sees the answer
DRAIN_SECONDS = 5
GOODBYE_SECONDS = 1  # for clients to take notice that the server stops
TLS_SECONDS = 10  # for a handshake
HANDSHAKES_MAX = 1_024  # of a worker that are under way; beyond it the oldest is ended
TICK_SECONDS = 1.0  # between two looks at all clients
QUEUE_SECONDS = 4  # that a request may wait for a thread

CONNECTIONS_MAX = 8_192  # of a worker; beyond it the longest idle one is closed
BACKLOG = 2_048  # connections that wait to be taken in
