"""A machine within this one for a node: namespaces of its own for network, mounts and processes.

Everything of a node happens in there: interfaces, packet filters, mounts, pods. When its first process ends, the kernel
ends and removes all of it; only the control groups are left, and `remove_cgroups` takes those away.

A pair of interfaces joins the two machines, with one private address at each end. Nothing is forwarded beyond it, so
what runs in there reaches this machine and nothing else.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from tap_cluster.context import Context
from tap_cluster.errors import ClusterError
from tap_cluster.places import Places
from tap_cluster.run import program_env, run
from tap_cluster.supervisor import Program

NAME = "machine"
#: Where the two ends have their addresses: a /30 for each state folder.
JOINTS = IPv4Network("10.213.0.0/16")
#: There once everything below is mounted; it lies on a file system that goes with the machine.
MARK = Path("/run/tap-machine")
#: What a node writes where nobody can tell it otherwise, and the folder of the state that is put there.
OWN_FOLDERS = {"/var/lib": "lib", "/var/log": "log"}
SYSCTLS = {"net/ipv4/ip_forward": "1", "net/bridge/bridge-nf-call-iptables": "1"}
CGROUPS = Path("/sys/fs/cgroup")
#: Command, or file -> the package of Debian that has it.
NEEDED = {
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "ip": "iproute2",
    "iptables": "iptables",
    "containerd": "containerd",
    "runc": "runc",
    "buildah": "buildah",
    "mmdebstrap": "mmdebstrap",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
}


@dataclass(frozen=True)
class Machine:
    """A machine that runs.

    Attributes:
        number: Which one of this machine's, by its state folder.
        init: Number of its first process, as this machine counts.
    """

    number: int
    init: int

    @property
    def address(self) -> str:
        """Its address at the joint."""
        return ends(self.number)[1]

    def inside(self, argv: Sequence[str]) -> tuple[str, ...]:
        """Return the command line that runs `argv` in there."""
        return (_command("nsenter"), f"--target={self.init}", "--net", "--mount", "--pid", "--", *argv)


def number(places: Places) -> int:
    """Return the number of the machine of a state folder."""
    return zlib.crc32(str(places.embedded).encode()) % (JOINTS.num_addresses // 4)


def ends(number: int) -> tuple[str, str]:
    """Return the addresses of a joint: on this machine, and in the other."""
    first = int(JOINTS.network_address) + 4 * number
    return str(IPv4Address(first + 1)), str(IPv4Address(first + 2))


def cgroup(number: int) -> str:
    """Return the name of the control group of all pods."""
    return f"tap-node-{number:04x}"


def missing() -> dict[str, str]:
    """Return what a node needs and this machine has not, with Debian's packages for it."""
    return {
        name: package
        for name, package in NEEDED.items()
        if not (Path(name).exists() if name.startswith("/") else _found(name))
    }


def check() -> None:
    """See that this machine can have a machine within.

    Raises:
        ClusterError: we are not root, or something is not installed.
    """
    if os.geteuid() != 0:
        what = "CLUSTER=node needs root: it makes namespaces, mounts and interfaces"
        raise ClusterError(what, "Run it as root, or use CLUSTER=embedded, which needs none")
    absent = missing()
    if absent:
        what = f"CLUSTER=node, but {', '.join(absent)} {'is' if len(absent) == 1 else 'are'} not here"
        packages = " ".join(sorted(set(absent.values())))
        raise ClusterError(what, f"Run `apt-get install --no-install-recommends {packages}`")


def ensure(context: Context) -> Machine:
    """Have the machine, joined to this one.

    Raises:
        ClusterError: it cannot be had.
    """
    places, which = context.places, number(context.places)
    folders = [f"{places.private(name)}:{target}" for target, name in OWN_FOLDERS.items()]
    argv = (
        *(_command("unshare"), "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"),
        *(sys.executable, "-m", "tap_cluster", "machine", *folders),
    )
    context.supervisor.ensure(Program(NAME, argv, program_env(places), lambda: _is_made(context)))
    found = Machine(which, _init(context))
    _join(found)
    make_cgroups(which)
    return found


def serve(folders: Sequence[str]) -> None:
    """Be the first process: mount what is the machine's own, then collect every process that has lost its parent."""
    # Only from here down: unshare made all mounts private before.
    run(["mount", "--make-rshared", "/"])
    run(["mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", "/run"])
    for folder in folders:
        source, _, target = folder.rpartition(":")
        run(["mount", "--bind", source, target])
    run(["ip", "link", "set", "lo", "up"])
    for name, value in SYSCTLS.items():
        (Path("/proc/sys") / name).write_text(value, encoding="ascii")
    MARK.touch()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGCHLD, lambda *_: _collect())
    while True:
        signal.pause()


def make_cgroups(number: int) -> None:
    """Make the control group below which the kubelet makes those of pods: one, or one for each controller (v1)."""
    for root in _hierarchies():
        folder = root / cgroup(number)
        folder.mkdir(exist_ok=True)
        for name in ("cpuset.cpus", "cpuset.mems"):  # v1 gives a new one none, and lets no process in.
            if (folder / name).exists() and not (folder / name).read_text(encoding="ascii").strip():
                (folder / name).write_text((root / name).read_text(encoding="ascii"), encoding="ascii")


def remove_cgroups(number: int) -> None:
    """Remove the control groups of a machine that has ended, those too that runc has made beside (hybrid)."""
    for root in {*_hierarchies(), *_mounted("cgroup2")}:
        top = root / cgroup(number)
        for folder, _, _ in os.walk(top, topdown=False):
            with contextlib.suppress(OSError):
                Path(folder).rmdir()


def _hierarchies() -> list[Path]:
    if (CGROUPS / "cgroup.controllers").exists():
        return [CGROUPS]
    return sorted(_mounted("cgroup"))


def _mounted(kind: str) -> set[Path]:
    """Return where file systems of this kind are."""
    rows = (line.split() for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines())
    return {Path(row[1]) for row in rows if row[2] == kind}


def _is_made(context: Context) -> bool:
    try:
        init = _init(context)
    except ClusterError:
        return False
    return Path(f"/proc/{init}/root{MARK}").exists()


def _init(context: Context) -> int:
    """Return the one child of `unshare`."""
    pid = context.state.processes[NAME].identity.pid
    try:
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()[0])
    except (OSError, IndexError) as error:
        what = "the machine of the node has no first process"
        raise ClusterError(what, "`make down` and `make up` start it anew") from error


def _join(machine: Machine) -> None:
    """Put one end of a pair of interfaces into each machine, unless it is there."""
    here, there = ends(machine.number)
    link = f"tapnode{machine.number:04x}"
    if Path(f"/sys/class/net/{link}").exists():
        return
    ip = _command("ip")
    run([ip, "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", str(machine.init)])
    run([ip, "address", "add", f"{here}/30", "dev", link])
    run([ip, "link", "set", link, "up"])
    for words in (
        ("address", "add", f"{there}/30", "dev", "eth0"),
        ("link", "set", "eth0", "up"),
        ("route", "add", "default", "via", here),
    ):
        run(machine.inside((ip, *words)))


def _collect() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _found(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin")


def _command(name: str) -> str:
    return _found(name) or name
