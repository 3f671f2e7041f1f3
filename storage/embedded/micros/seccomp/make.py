"""Make the filters anew from what is denied: `python -m storage.embedded.micros.seccomp.make`.

It needs the package `pyseccomp` and the system's libseccomp, which a server does not.
"""

import errno
import tempfile
from pathlib import Path

import pyseccomp

from storage.embedded.micros.seccomp import MACHINES, path_for
from storage.embedded.micros.seccomp.denied import ABSENT, REFUSED, REFUSED_WITH

_ARCHITECTURES = {"x86_64": pyseccomp.Arch.X86_64, "aarch64": pyseccomp.Arch.AARCH64}


def filter_bytes(machine: str) -> bytes:
    """The filter for `x86_64` or `aarch64`, as the kernel takes it. Calls of another architecture end the process."""
    made = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    wanted, native = _ARCHITECTURES[machine], pyseccomp.system_arch()
    if wanted != native:
        made.add_arch(wanted)
        made.remove_arch(native)
    for error, names in ((errno.EPERM, REFUSED), (errno.ENOSYS, ABSENT)):
        for name in names:
            if pyseccomp.resolve_syscall(wanted, name) >= 0:  # not every machine has all of them
                made.add_rule(pyseccomp.ERRNO(error), name)
    for name, arguments, error in REFUSED_WITH:
        compared = [pyseccomp.Arg(one.index, getattr(pyseccomp, one.comparison), *one.values) for one in arguments]
        made.add_rule(pyseccomp.ERRNO(error), name, *compared)
    with tempfile.TemporaryFile() as file:
        made.export_bpf(file)
        file.seek(0)
        return file.read()


if __name__ == "__main__":
    for machine in MACHINES:
        Path(path_for(machine)).write_bytes(filter_bytes(machine))
