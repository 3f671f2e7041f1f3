"""Numbers in memory that all processes of a server share: each has a place of its own in it, and anybody reads all places.

`serve` makes the memory, and its children inherit it. A process takes a place by locking it, which the system undoes when the
process is gone, however it ends. Whoever takes that place next goes on with the numbers in it, so none is lost or counted twice,
and no more places are used than processes live at a time. A process that inherits nothing, such as a command, has a memory of
its own, which nobody reads.

A place begins with how many of its bytes are used. Behind that stand its records: how long the key is, how many numbers follow,
the key, filled up to whole words, and the numbers.
"""

import fcntl
import math
import mmap
import os
import struct
import tempfile
import threading
from collections.abc import Iterator
from typing import NamedTuple

# A series of a histogram takes some 200 bytes. Pages of it that nobody wrote to take no memory.
PLACE_BYTES = 524_288
_WORD = 8
_HEAD = struct.Struct("II")
_SEPARATOR = "\x1f"

# What a key begins with that is of this moment, and gone with the process that says it.
PASSING = "="

Key = tuple[str, ...]


class Record(NamedTuple):
    """The numbers of a key in one place. `is_live`: a process has that place at the moment."""

    key: Key
    numbers: list[float]
    is_live: bool


class Place:
    """One process's part of the memory."""

    def __init__(self, memory: memoryview) -> None:
        self._bytes, self._doubles = memory, memory.cast("d")
        self._used = memory[:_WORD].cast("Q")
        self._used[0] = self._used[0] or _WORD
        self._found = dict(self._records())

    def find(self, key: Key, size: int) -> "memoryview[float]":
        """The `size` numbers of a key, to be changed in place; new ones are 0. Where there is no room, they are nobody's."""
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._add(key, size)
        return found

    def read(self) -> Iterator[tuple[Key, list[float]]]:
        """Every key with its numbers, while others may be changing them."""
        return ((key, list(numbers)) for key, numbers in self._records())

    def forget_passing(self) -> None:
        """What the place's last process said of a moment is not true any more, and is no number then."""
        for key, numbers in self._found.items():
            if key[0].startswith(PASSING):
                numbers[:] = memoryview(struct.pack(f"{len(numbers)}d", *[math.nan] * len(numbers))).cast("B").cast("d")

    def _records(self) -> Iterator[tuple[Key, "memoryview[float]"]]:
        at, end = _WORD, int(self._used[0])
        while at < end:
            length, size = _HEAD.unpack_from(self._bytes, at)
            key = bytes(self._bytes[at + _WORD : at + _WORD + length]).decode()
            first = at // _WORD + 1 + _words(length)
            yield tuple(key.split(_SEPARATOR)), self._doubles[first : first + size]
            at = (first + size) * _WORD

    def _add(self, key: Key, size: int) -> "memoryview[float]":
        text = _SEPARATOR.join(key).encode()
        at = int(self._used[0])
        first = at // _WORD + 1 + _words(len(text))
        end = (first + size) * _WORD
        if end > len(self._bytes):
            return memoryview(bytearray(size * _WORD)).cast("d")
        _HEAD.pack_into(self._bytes, at, len(text), size)
        self._bytes[at + _WORD : at + _WORD + len(text)] = text
        # Last, so that nobody reads what is not there yet.
        self._used[0] = end
        return self._doubles[first : first + size]


class Memory:
    """What `descriptor` is open for, or with None a memory of this process alone."""

    def __init__(self, descriptor: int | None = None) -> None:
        self.descriptor = descriptor
        if descriptor is None:
            size = PLACE_BYTES
            self._memory = memoryview(mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE))
        else:
            size = os.fstat(descriptor).st_size
            self._memory = memoryview(mmap.mmap(descriptor, size))
        self._places = size // PLACE_BYTES
        self.begin()

    def begin(self) -> None:
        """This process has no place; after a fork, the one that was taken is the parent's."""
        self._ours: int | None = None
        # Whoever looks whether a place is taken has the lock for a moment, and gives up what this process holds of it.
        self._looking = threading.Lock()

    @classmethod
    def make(cls, places: int) -> "Memory":
        """A new one, to be inherited by as many processes."""
        # A file would have the process end that writes to it while the disk is full.
        if hasattr(os, "memfd_create"):
            descriptor = os.memfd_create("homeport-counts")
        else:
            with tempfile.TemporaryFile() as file:
                descriptor = os.dup(file.fileno())
        os.ftruncate(descriptor, places * PLACE_BYTES)
        return cls(descriptor)

    def take(self) -> Place:
        """A place for this process alone; where all are taken, one that nobody reads. After a fork it takes another."""
        with self._looking:
            for number in range(self._places):
                if self._lock(number):
                    self._ours = number
                    place = self._place(number)
                    place.forget_passing()
                    return place
        return Memory().take()

    def read(self) -> Iterator[Record]:
        """The records of all places."""
        for number in range(self._places):
            if not self._part(number)[:_WORD].cast("Q")[0]:
                continue
            is_live = self._is_taken(number)
            for key, numbers in self._place(number).read():
                yield Record(key, numbers, is_live)

    def _lock(self, number: int) -> bool:
        if self.descriptor is None:
            return True
        try:
            fcntl.lockf(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
        except OSError:
            return False
        return True

    def _is_taken(self, number: int) -> bool:
        with self._looking:
            if self.descriptor is None or number == self._ours or not self._lock(number):
                return True
            fcntl.lockf(self.descriptor, fcntl.LOCK_UN, 1, number)
        return False

    def _part(self, number: int) -> memoryview:
        return self._memory[number * PLACE_BYTES : (number + 1) * PLACE_BYTES]

    def _place(self, number: int) -> Place:
        return Place(self._part(number))


def _words(size_bytes: int) -> int:
    return -(-size_bytes // _WORD)
