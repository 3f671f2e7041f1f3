"""Runs inside a sandbox: tries everything that costs nothing, and reports what each attempt got.

Its argument is JSON: `paths` of the machine to read, `ports` that listen on the machine, `abstract` a socket's name, `pid` of
a process outside, `canary` a word that only another Micro has, in
hexadecimal digits, as it may not be found here.
"""

import contextlib
import ctypes
import errno
import fcntl
import json
import os
import platform
import resource
import signal
import socket
import struct
import subprocess
import sys

GIVEN = json.loads(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
IS_X86 = platform.machine() == "x86_64"


def attempt(act):
    """`done` when it went through, else the error's name."""
    try:
        act()
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    except Exception as error:
        return type(error).__name__
    return "done"


def call(number, *arguments):
    """A system call by its number on x86-64 and aarch64; `done`, or the error's name."""
    chosen = number[0 if IS_X86 else 1]
    ctypes.set_errno(0)
    if libc.syscall(ctypes.c_long(chosen), *[ctypes.c_long(one) for one in arguments]) == -1:
        return errno.errorcode[ctypes.get_errno()]
    return "done"


def read(path):
    with open(path, "rb") as file:
        return file.read(64)


def files_outside():
    ways = ("{}", "/proc/1/root{}", "/proc/self/root{}", "/app/../..{}", "/proc/1/cwd/../..{}")
    return {way.format(path): attempt(lambda: read(way.format(path))) for path in GIVEN["paths"] for way in ways}


def root():
    return sorted(os.listdir("/"))


def devices():
    return sorted(os.listdir("/dev"))


def folders_that_take_a_file():
    taken = []
    for top in (
        "/",
        "/app",
        "/deps",
        "/homeport",
        "/node",
        "/usr",
        "/etc",
        "/dev",
        "/proc",
        "/run",
        "/var",
        sys.prefix,
    ):
        for folder, below, _ in os.walk(top):
            if folder.count("/") > 3 or folder.startswith(("/proc/", "/tmp")):
                below.clear()
                continue
            with contextlib.suppress(OSError), open(os.path.join(folder, "written"), "w") as file:
                file.write("x")
                taken.append(folder)
    return sorted(set(taken))


def mounts_that_can_be_written():
    found = []
    with open("/proc/self/mountinfo") as file:
        for line in file:
            fields = line.split()
            if "ro" not in fields[5].split(","):
                found.append(fields[4])
    return sorted(found)


def files_overwritten():
    paths = ["/uv", "/etc/passwd", "/etc/hosts", "/homeport/enter.py", "/app/look.py", sys.executable, "/bin/sh"]
    return {path: attempt(lambda: open(path, "r+b").close()) for path in paths}


def kernel_settings():
    paths = ["/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/proc/sys/net/ipv4/ip_forward"]
    paths += ["/proc/sysrq-trigger", "/proc/sys/vm/drop_caches", "/proc/sys/fs/file-max", "/proc/1/oom_score_adj"]
    return {path: attempt(lambda: os.close(os.open(path, os.O_WRONLY))) for path in paths if os.path.exists(path)}


def kernel_memory():
    paths = ["/proc/kcore", "/proc/kmsg", "/dev/mem", "/dev/kmsg", "/proc/kpagecount", "/proc/1/mem"]
    return {path: attempt(lambda: read(path)) for path in paths}


def made_device():
    return attempt(lambda: os.mknod("/tmp/disk", 0o600 | 0o060000, os.makedev(254, 0)))


def processes():
    return sorted(int(name) for name in os.listdir("/proc") if name.isdigit())


def canaries():
    """Where another Micro's word is, in all that is told of processes."""
    found = []
    for pid in processes():
        for name in ("environ", "cmdline", "maps", "mountinfo"):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/{name}", "rb") as file:
                if bytes.fromhex(GIVEN["canary"]) in file.read():
                    found.append(f"{pid}/{name}")
    return found


def own_secret():
    """Where one's own secret is, beside the environment it is in: never in a command line, nor with the first process."""
    found = []
    for pid in processes():
        for name in ("environ", "cmdline"):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/{name}", "rb") as file:
                if b"secret-of-its-own" in file.read():
                    found.append("self" if pid == os.getpid() else f"{pid}/{name}")
    return found


def descriptors():
    return {
        int(name): os.readlink(f"/proc/self/fd/{name}").split(":")[0]
        for name in os.listdir("/proc/self/fd")
        if os.path.exists(f"/proc/self/fd/{name}") and not os.readlink(f"/proc/self/fd/{name}").startswith("/proc/")
    }


def becoming_root():
    return {
        "setuid": attempt(lambda: os.setuid(0)),
        "setgid": attempt(lambda: os.setgid(0)),
        "setgroups": attempt(lambda: os.setgroups([0])),
        "setresuid": attempt(lambda: os.setresuid(0, 0, 0)),
    }


def setuid_programs():
    """The user that a program with the bit set runs as."""
    for path in ("/usr/bin/su", "/usr/bin/mount", "/usr/bin/passwd"):
        if os.path.exists(path) and os.stat(path).st_mode & 0o4000:
            with subprocess.Popen(
                [path], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            ) as program:
                with contextlib.suppress(OSError), open(f"/proc/{program.pid}/status") as file:
                    users = next(line for line in file if line.startswith("Uid:")).split()[1:]
                program.kill()
                return sorted(set(users) - {str(os.getuid())})
    return []


def status():
    with open("/proc/self/status") as file:
        fields = dict(line.strip().split(":", 1) for line in file)
    return {name: fields[name].strip() for name in ("CapPrm", "CapEff", "CapAmb", "NoNewPrivs", "Seccomp")}


def namespaces():
    flags = {"user": 0x10000000, "mount": 0x20000, "pid": 0x20000000, "net": 0x40000000, "ipc": 0x8000000}
    flags |= {"uts": 0x4000000, "cgroup": 0x2000000, "time": 0x80}
    found = {f"unshare {name}": call((272, 97), flag) for name, flag in flags.items()}
    for name, flag in flags.items():
        if name != "time":
            found[f"clone {name}"] = attempt_clone(flag)
    for name in ("user", "mnt", "net", "pid"):
        with open(
            f"/proc/1/ns/{name}" if os.access(f"/proc/1/ns/{name}", os.R_OK) else f"/proc/self/ns/{name}"
        ) as file:
            found[f"setns {name}"] = call((308, 268), file.fileno(), 0)
    found["clone3"] = call((435, 435), 0, 0)
    return found


def attempt_clone(flag):
    ctypes.set_errno(0)
    number = 56 if IS_X86 else 220
    made = libc.syscall(ctypes.c_long(number), ctypes.c_long(flag | signal.SIGCHLD), *[ctypes.c_long(0)] * 4)
    if made == 0:
        os._exit(0)
    if made > 0:
        os.waitpid(made, 0)
        return "done"
    return errno.errorcode[ctypes.get_errno()]


def mounts():
    source, target, kind = [ctypes.create_string_buffer(text) for text in (b"tmpfs", b"/tmp", b"tmpfs")]
    at = [ctypes.addressof(buffer) for buffer in (source, target, kind)]
    return {
        "mount": call((165, 40), *at, 0, 0),
        "remount": call((165, 40), 0, at[1], 0, 32, 0),
        "umount": call((166, 39), at[1], 0),
        "pivot_root": call((155, 41), at[1], at[1]),
        "chroot": call((161, 51), at[1]),
        "open_tree": call((428, 428), -100, at[1], 1),
        "fsopen": call((430, 430), at[2], 0),
        "move_mount": call((429, 429), -1, at[1], -1, at[1], 0),
        "mount_setattr": call((442, 442), -100, at[1], 0, 0, 0),
    }


def kernel_calls():
    numbers = {
        "add_key": (248, 217),
        "request_key": (249, 218),
        "keyctl": (250, 219),
        "bpf": (321, 280),
        "perf_event_open": (298, 241),
        "userfaultfd": (323, 282),
        "ptrace": (101, 117),
        "process_vm_readv": (310, 270),
        "process_vm_writev": (311, 271),
        "pidfd_getfd": (438, 438),
        "kcmp": (312, 272),
        "init_module": (175, 105),
        "finit_module": (313, 273),
        "delete_module": (176, 106),
        "kexec_load": (246, 104),
        "reboot": (169, 142),
        "swapon": (167, 224),
        "sethostname": (170, 161),
        "settimeofday": (164, 170),
        "clock_settime": (227, 112),
        "syslog": (103, 116),
        "acct": (163, 89),
        "quotactl": (179, 60),
        "open_by_handle_at": (304, 265),
        "name_to_handle_at": (303, 264),
        "fanotify_init": (300, 262),
        "shmget": (29, 194),
        "msgget": (68, 186),
        "semget": (64, 190),
        "mq_open": (240, 180),
        "memfd_secret": (447, 447),
        "move_pages": (279, 239),
    }
    return {name: call(number, 0, 0, 0, 0, 0) for name, number in numbers.items()}


def calls_that_are_not_there():
    return {
        "io_uring_setup": call((425, 425), 1, 0),
        "io_uring_enter": call((426, 426), 0, 0, 0, 0, 0),
        "io_uring_register": call((427, 427), 0, 0, 0, 0),
        "memfd_create": call((319, 279), 0, 0),
    }


def sockets():
    wanted = {
        "raw": (socket.AF_INET, socket.SOCK_RAW, 1),
        "raw IPv6": (socket.AF_INET6, socket.SOCK_RAW, 58),
        "packet": (17, socket.SOCK_RAW, 0),
        "packet, cooked": (17, socket.SOCK_DGRAM, 0),
        "vsock": (40, socket.SOCK_STREAM, 0),
        "kernel's cryptography": (38, socket.SOCK_SEQPACKET, 0),
        "bluetooth": (31, socket.SOCK_RAW, 0),
        "netlink of the firewall": (16, socket.SOCK_RAW, 12),
        "netlink of devices": (16, socket.SOCK_DGRAM, 15),
        "a high family": (1 << 32 | 40, socket.SOCK_STREAM, 0),
    }
    number = (41, 198)
    return {name: call(number, *arguments) for name, arguments in wanted.items()}


def networks():
    """What answers: the machine's own ports, its other addresses, a cloud's address for secrets, the internet."""
    targets = [
        (address, port) for port in GIVEN["ports"] for address in ("127.0.0.1", "127.0.0.2", "localhost", "0.0.0.0")
    ]
    targets += [(address, port) for port in GIVEN["ports"] for address in ("::1", "::ffff:127.0.0.1")]
    targets += [(address, port) for port in GIVEN["ports"] for address in GIVEN["addresses"]]
    targets += [("169.254.169.254", 80), ("::ffff:169.254.169.254", 80), ("fd00:ec2::254", 80), ("10.0.0.1", 80)]
    targets += [("192.168.1.1", 80), ("172.17.0.1", 80), ("1.1.1.1", 443), ("2606:4700::1111", 443)]
    return {
        f"{host} {port}": attempt(lambda: socket.create_connection((host, port), timeout=5).close())
        for host, port in targets
    }


def datagrams():
    def send(address):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"x", address)

    return {host: attempt(lambda: send((host, 53))) for host in ("169.254.169.254", "1.1.1.1", "255.255.255.255")}


def names():
    return attempt(lambda: socket.getaddrinfo("example.com", 80))


def unix_sockets():
    def connect(path):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as one:
            one.connect(path)

    return {path.strip("\0"): attempt(lambda: connect(path)) for path in ["\0" + GIVEN["abstract"], *GIVEN["sockets"]]}


def interfaces():
    return [name for _, name in socket.if_nameindex()]


def network_of_a_descriptor():
    """A socket that was made outside knows its network: SIOCGSKNS gives it out to who may."""
    return attempt(lambda: fcntl.ioctl(4, 0x894C))


def signals():
    found = {"outside": attempt(lambda: os.kill(GIVEN["pid"], 0)), "the first": attempt(lambda: os.kill(1, 0))}
    with socket.socket(fileno=os.dup(4)) as control:
        found["who is there"] = struct.unpack("3i", control.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        peer = attempt(lambda: signal.pidfd_send_signal(control.getsockopt(socket.SOL_SOCKET, 77), 9))
    found["who is there, by descriptor"] = peer
    return found


def core_dumps():
    child = os.fork()
    if child == 0:
        os.chdir("/tmp")
        os.abort()
    _, code = os.waitpid(child, 0)
    return {"dumped": os.WCOREDUMP(code), "files": [name for name in os.listdir("/tmp") if "core" in name]}


def higher_limits():
    names = ("RLIMIT_NPROC", "RLIMIT_DATA", "RLIMIT_NOFILE", "RLIMIT_FSIZE", "RLIMIT_CORE")
    return {name: attempt(lambda: resource.setrlimit(getattr(resource, name), (1 << 40, 1 << 40))) for name in names}


def priority():
    return {
        "nice": attempt(lambda: os.setpriority(os.PRIO_PROCESS, 0, -10)),
        "real time": attempt(lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))),
    }


def terminal():
    return attempt(lambda: fcntl.ioctl(1, 0x5412, b"x"))


def other_architectures():
    """A call of the 32-bit kind, and one of the x32 kind: how a process that makes it ends."""
    if not IS_X86:
        return {}
    import mmap

    # mov eax, 20 (getpid); int 0x80; ret
    code = {"32 bits": b"\xb8\x14\x00\x00\x00\xcd\x80\xc3", "x32": b"\xb8\x27\x00\x00\x40\x0f\x05\xc3"}
    found = {}
    for name, machine_code in code.items():
        child = os.fork()
        if child == 0:
            memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
            memory.write(machine_code)
            answer = ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(memory)))()
            os._exit(0 if answer == os.getpid() else 1)
        _, code_of_end = os.waitpid(child, 0)
        found[name] = "done" if code_of_end == 0 else "ended"
    return found


def open_files():
    held = []
    with contextlib.suppress(OSError):
        while len(held) < 100_000:
            held.append(os.open("/dev/null", os.O_RDONLY))
    count = len(held)
    for descriptor in held:
        os.close(descriptor)
    return count


def who():
    return {"user": os.getuid(), "group": os.getgid(), "groups": os.getgroups(), "host": socket.gethostname()}


ALL = (
    files_outside,
    root,
    devices,
    folders_that_take_a_file,
    mounts_that_can_be_written,
    files_overwritten,
    kernel_settings,
    kernel_memory,
    made_device,
    processes,
    canaries,
    own_secret,
    descriptors,
    becoming_root,
    setuid_programs,
    status,
    namespaces,
    mounts,
    kernel_calls,
    calls_that_are_not_there,
    sockets,
    networks,
    datagrams,
    names,
    unix_sockets,
    interfaces,
    network_of_a_descriptor,
    signals,
    core_dumps,
    higher_limits,
    priority,
    terminal,
    other_architectures,
    open_files,
    who,
)

if __name__ == "__main__":
    print(json.dumps({act.__name__: act() for act in ALL}))
