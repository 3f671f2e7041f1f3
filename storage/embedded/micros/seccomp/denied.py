"""Which system calls a Micro may not make. All that Python, Node and their packages do stays allowed.

Namespaces, mounts and other users' processes are closed to it anyway. This takes away what has been a way into the kernel
again and again, what reaches past namespaces (vsock), and memory that no limit counts (System V's, memfd).
"""

import errno
from dataclasses import dataclass

# They are refused.
REFUSED = (
    # Namespaces and mounts.
    "unshare",
    "setns",
    "mount",
    "umount",
    "umount2",
    "mount_setattr",
    "move_mount",
    "open_tree",
    "fsopen",
    "fsconfig",
    "fsmount",
    "fspick",
    "pivot_root",
    "chroot",
    # Other processes.
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "process_madvise",
    "process_mrelease",
    "pidfd_getfd",
    "kcmp",
    # The kernel's keys, programs, counters, modules and logs.
    "add_key",
    "keyctl",
    "request_key",
    "bpf",
    "perf_event_open",
    "userfaultfd",
    "fanotify_init",
    "fanotify_mark",
    "lookup_dcookie",
    "init_module",
    "finit_module",
    "delete_module",
    "create_module",
    "get_kernel_syms",
    "query_module",
    "kexec_load",
    "kexec_file_load",
    "syslog",
    "acct",
    "quotactl",
    "quotactl_fd",
    "nfsservctl",
    "_sysctl",
    "sysfs",
    "ustat",
    "uselib",
    "vserver",
    "open_by_handle_at",
    "name_to_handle_at",
    # The machine.
    "reboot",
    "swapon",
    "swapoff",
    "sethostname",
    "setdomainname",
    "settimeofday",
    "clock_settime",
    "clock_adjtime",
    "adjtimex",
    "stime",
    "iopl",
    "ioperm",
    "modify_ldt",
    "vm86",
    "vm86old",
    "vhangup",
    # Memory on other nodes, and memory that pages are given to.
    "mbind",
    "set_mempolicy",
    "migrate_pages",
    "move_pages",
    "vmsplice",
    # Memory that no limit counts without control groups.
    "shmget",
    "shmat",
    "shmctl",
    "msgget",
    "msgsnd",
    "msgrcv",
    "msgctl",
    "semget",
    "semop",
    "semtimedop",
    "semctl",
    "mq_open",
    "memfd_secret",
)

# As if the kernel were too old to have them: programs then do without.
ABSENT = ("clone3", "io_uring_setup", "io_uring_enter", "io_uring_register", "memfd_create")

_NAMESPACES = (0x00000080, 0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)
_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
_SOCK_RAW, _SOCK_PACKET = 3, 10
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_ASKING_FOR_PERSONALITY = 0xFFFFFFFF


@dataclass(frozen=True)
class Argument:
    """A comparison with one argument of a call: `EQ`, `NE`, `GT` or `MASKED_EQ`, with the mask first."""

    index: int
    comparison: str
    values: tuple[int, ...]


# Refused with these arguments alone: (call, arguments that must all fit, error).
REFUSED_WITH: tuple[tuple[str, tuple[Argument, ...], int], ...] = (
    *(("clone", (Argument(0, "MASKED_EQ", (flag, flag)),), errno.EPERM) for flag in _NAMESPACES),
    *(
        ("socket", (Argument(0, "EQ", (family,)),), errno.EAFNOSUPPORT)
        for family in range(_AF_NETLINK)
        if family not in (_AF_UNIX, _AF_INET, _AF_INET6)
    ),
    ("socket", (Argument(0, "GT", (_AF_NETLINK,)),), errno.EAFNOSUPPORT),
    ("socket", (Argument(0, "EQ", (_AF_NETLINK,)), Argument(2, "NE", (0,))), errno.EPROTONOSUPPORT),
    *(
        ("socket", (Argument(0, "EQ", (family,)), Argument(1, "MASKED_EQ", (0xF, kind))), errno.EPERM)
        for family in (_AF_INET, _AF_INET6)
        for kind in (_SOCK_RAW, _SOCK_PACKET)
    ),
    *(("ioctl", (Argument(1, "MASKED_EQ", (0xFFFFFFFF, request)),), errno.EPERM) for request in (_TIOCSTI, _TIOCLINUX)),
    ("personality", (Argument(0, "NE", (_ASKING_FOR_PERSONALITY,)),), errno.EPERM),
)
