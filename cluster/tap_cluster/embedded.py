"""The embedded cluster: the control plane and all that stands on it, as processes of this machine."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tap_cluster import aws, crossplane, locks, package, plane, provider, recipes, runtime, services, tap, tools
from tap_cluster.aws import Aws
from tap_cluster.context import Context
from tap_cluster.errors import ClusterError
from tap_cluster.places import Places, writable
from tap_cluster.ports import EVERYWHERE, LOOPBACK
from tap_cluster.progress import Progress
from tap_cluster.state import State
from tap_cluster.supervisor import Program, Supervisor, wait_until

LOOPBACK_PORTS = {**plane.PORTS, **package.PORTS, **services.PORTS, **aws.PORTS}


def up(places: Places, progress: Progress, *, control_plane_only: bool = False, behind: Aws = Aws.NONE) -> Context:
    """Have everything run, and of moto and the provider just what is asked for; what runs already is left alone."""
    see_that_it_can_run(places)
    names = recipes.CONTROL_PLANE if control_plane_only else recipes.EMBEDDED
    built = tools.ensure((*names, *behind.recipes), places, progress)
    with locked(places, progress):
        context = load(places, built, progress)
        choose_ports(context)
        control_plane(context)
        if not control_plane_only:
            everything_else(context, behind)
    return context


def down(places: Places, progress: Progress) -> list[str]:
    """Stop what `up` started, last first, and nothing else; the data stays."""
    if not state_file(places).exists():
        return []
    with locked(places, progress):
        return Supervisor(State.load(state_file(places)), places.logs, progress).stop_all()


@contextmanager
def apart() -> Iterator[Places]:
    """Have a state folder for a cluster beside this one; at its end it goes, and before it what was started in it.

    What a failed `up` leaves is stopped too: without its state nobody would know of it.
    """
    found = Places.find()
    with tempfile.TemporaryDirectory(prefix="tap-apart-") as root:
        places = Places(found.repository, Path(root), found.cache)
        try:
            yield places
        finally:
            down(places, Progress())


def control_plane(context: Context) -> None:
    """Start Kubernetes and Crossplane, with the AWS provider's kinds."""
    for program in plane.programs(context.places, context.tools, context.ports):
        context.supervisor.ensure(program)
    context.forget_other_clusters()
    provider.install(context)
    crossplane.install(context)
    context.supervisor.ensure(*crossplane.programs(context))
    provider.ready(context)


def everything_else(context: Context, behind: Aws = Aws.NONE) -> None:
    """Install the platform and start our own processes."""
    context.supervisor.ensure(package.registry(context))
    package.install(context)
    runtime.install(context)
    services.install_function_certificate(context)
    tap.install_operator(context)
    tap.install_api(context)
    aws.have(context, behind)
    context.supervisor.ensure(runtime.program(context), *services.programs(context))
    tap.await_api(context)
    await_function(context)


def await_function(context: Context) -> None:
    """Wait until Crossplane has unpacked the function's package and knows where it runs.

    Raises:
        ClusterError: it did not within a minute.
    """
    if package.healthy(context):
        return
    log, mend = context.places.logs / "crossplane.log", "Read `kubectl describe functionrevision` and the log"
    with context.progress.step("Crossplane accepting the function", log=log):
        what = "the function's package is not healthy after 60 s"
        wait_until(lambda: package.healthy(context), 60, what, mend, log=log)


def choose_ports(context: Context) -> None:
    """Keep the remembered ports, and choose others where a stranger listens; what depends on them is made anew."""
    loopback: dict[str, tuple[str | tuple[str, ...], str]]
    loopback = {name: (process, LOOPBACK) for name, process in LOOPBACK_PORTS.items()}
    everywhere = {name: (process, EVERYWHERE) for name, process in crossplane.PORTS.items()}
    context.state.settle_ports({**loopback, **everywhere})


def see_that_it_can_run(places: Places) -> None:
    """See that this machine can run it and that we may write our state.

    Raises:
        ClusterError: it cannot.
    """
    if not Path("/proc/self/stat").exists():
        what = "the embedded cluster needs Linux (it knows its processes by /proc)"
        raise ClusterError(what, "Use CLUSTER=kind or CLUSTER=current")
    writable(places.embedded, "TAP_STATE")


def load(places: Places, built: Mapping[str, Path], progress: Progress) -> Context:
    """Return the context as the last `up` left it."""
    return Context(places, built, State.load(state_file(places)), progress, places.kubeconfig)


def programs(context: Context) -> dict[str, Program]:
    """Return every program that was started here, as `up` would start it."""
    known = [*plane.programs(context.places, context.tools, context.ports), *crossplane.programs(context)]
    if "function" in context.state.processes:
        known += [package.registry(context), runtime.program(context), *services.programs(context)]
    known += aws.programs(context)
    return {program.name: program for program in known}


def running(places: Places) -> bool:
    """Say whether every process that was started here runs, and there are some."""
    state = State.load(state_file(places))
    return bool(state.processes) and all(state.running(name) for name in state.processes)


def state_file(places: Places) -> Path:
    """Return where the records lie."""
    return places.embedded / "state.json"


def locked(places: Places, progress: Progress) -> AbstractContextManager[None]:
    """Be the only one who changes it."""
    return locks.held(
        places.embedded / "lock", lambda: progress.say("  waiting for another `make up` or `make down` to end …")
    )
