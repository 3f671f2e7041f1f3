"""The filters of system calls: that the files are what the list makes, and what they let through, call by call."""

import ctypes
import ctypes.util
import errno
import struct
from collections.abc import Sequence

import pytest

from storage.embedded.micros.seccomp import MACHINES, path_for
from storage.embedded.micros.seccomp.denied import ABSENT, REFUSED

try:
    import pyseccomp
except (ImportError, RuntimeError):
    pytest.skip("needs pyseccomp and the system's libseccomp", allow_module_level=True)

from storage.embedded.micros.seccomp.make import filter_bytes

# As the kernel knows them: linux/audit.h, linux/seccomp.h.
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
I386, ARM = 0x40000003, 0x40000028
MADE_WITH = (2, 5)
ALLOW, KILL = 0x7FFF0000, 0x00000000


def refuse(code: int) -> int:
    return 0x00050000 | code


def verdict(machine: str, name: str | int, *arguments: int, architecture: int | None = None) -> int:
    """What the filter says to a call: it is run as the kernel runs it."""
    number = name if isinstance(name, int) else pyseccomp.resolve_syscall(ARCHITECTURES[machine], name)
    values = (*arguments, *(0,) * (6 - len(arguments)))
    data = struct.pack("<iIQ6Q", number, architecture or ARCHITECTURES[machine], 0, *values)
    code = path_for(machine).read_bytes()
    return run([struct.unpack_from("<HBBI", code, at) for at in range(0, len(code), 8)], data)


def run(program: Sequence[tuple[int, int, int, int]], data: bytes) -> int:
    """Classic BPF, of which these programs have five instructions."""
    at = accumulator = 0
    while True:
        code, if_true, if_false, value = program[at]
        at += 1
        match code:
            case 0x20:  # load a word
                (accumulator,) = struct.unpack_from("<I", data, value)
            case 0x54:  # and
                accumulator &= value
            case 0x15:  # equal
                at += if_true if accumulator == value else if_false
            case 0x25:  # greater
                at += if_true if accumulator > value else if_false
            case 0x35:  # greater or equal
                at += if_true if accumulator >= value else if_false
            case 0x05:  # jump
                at += value
            case 0x06:  # return
                return value
            case _:
                raise AssertionError(f"an instruction of another kind: {code:#x}")


def libseccomp_version() -> tuple[int, int]:
    class Version(ctypes.Structure):
        _fields_ = [("major", ctypes.c_uint), ("minor", ctypes.c_uint), ("micro", ctypes.c_uint)]

    library = ctypes.CDLL(ctypes.util.find_library("seccomp"))
    library.seccomp_version.restype = ctypes.POINTER(Version)
    found = library.seccomp_version().contents
    return found.major, found.minor


@pytest.mark.parametrize("machine", MACHINES)
def test_the_files_are_what_the_list_makes(machine: str) -> None:
    if libseccomp_version() != MADE_WITH:
        pytest.skip("another version of libseccomp orders the same instructions otherwise")
    assert path_for(machine).read_bytes() == filter_bytes(machine)


@pytest.mark.parametrize("machine", MACHINES)
def test_every_call_of_the_list_is_refused(machine: str) -> None:
    for code, names in ((errno.EPERM, REFUSED), (errno.ENOSYS, ABSENT)):
        there = [name for name in names if pyseccomp.resolve_syscall(ARCHITECTURES[machine], name) >= 0]
        assert len(there) >= len(names) - 20
        assert {verdict(machine, name) for name in there} == {refuse(code)}


@pytest.mark.parametrize("machine", MACHINES)
def test_what_programs_do_all_the_time_is_let_through(machine: str) -> None:
    names = [
        "read",
        "write",
        "openat",
        "close",
        "mmap",
        "mprotect",
        "brk",
        "futex",
        "execve",
        "clone",
        "wait4",
        "socket",
    ]
    names += ["connect", "accept4", "sendmsg", "recvmsg", "epoll_ctl", "getrandom", "prctl", "ioctl", "kill", "rseq"]
    assert {verdict(machine, name, 1) for name in names} == {ALLOW}
    assert verdict(machine, "clone", 0x003D0F00) == ALLOW, "a thread"
    assert verdict(machine, "personality", 0xFFFFFFFF) == ALLOW, "asking for it"


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    "call, arguments, code",
    [
        ("clone", (0x10000000 | 17,), errno.EPERM),
        ("clone", (0x00020000,), errno.EPERM),
        ("clone", (0x40000000 | 0x003D0F00,), errno.EPERM),
        ("socket", (2, 3, 1), errno.EPERM),
        ("socket", (2, 3 | 0o2000000, 1), errno.EPERM),
        ("socket", (10, 3, 58), errno.EPERM),
        ("socket", (17, 2, 0), errno.EAFNOSUPPORT),
        ("socket", (38, 5, 0), errno.EAFNOSUPPORT),
        ("socket", (40, 1, 0), errno.EAFNOSUPPORT),
        ("socket", (1 << 32 | 40, 1, 0), errno.EAFNOSUPPORT),
        ("socket", (1 << 32 | 2, 3, 0), errno.EAFNOSUPPORT),
        ("socket", (16, 3, 12), errno.EPROTONOSUPPORT),
        ("ioctl", (0, 0x5412), errno.EPERM),
        ("ioctl", (0, 1 << 32 | 0x5412), errno.EPERM),
        ("personality", (0x0040000,), errno.EPERM),
    ],
)
def test_a_call_is_refused_for_its_arguments(machine: str, call: str, arguments: tuple[int, ...], code: int) -> None:
    assert verdict(machine, call, *arguments) == refuse(code)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("family, kind, protocol", [(1, 1, 0), (2, 1, 6), (2, 2, 17), (10, 1, 6), (16, 3, 0)])
def test_ordinary_sockets_are_let_through(machine: str, family: int, kind: int, protocol: int) -> None:
    """The last is how the C library asks for the network's interfaces."""
    assert verdict(machine, "socket", family, kind | 0o2000000, protocol) == ALLOW


def test_calls_of_another_architecture_end_the_process() -> None:
    assert verdict("x86_64", 20, architecture=I386) == KILL
    assert verdict("x86_64", 0x40000000 | 39) == KILL, "x32"
    assert verdict("aarch64", 20, architecture=ARM) == KILL


def test_the_list_names_nothing_twice() -> None:
    assert len({*REFUSED, *ABSENT}) == len(REFUSED) + len(ABSENT)
