"""What stands behind the cluster in place of AWS: nothing, or the real provider with moto."""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum

from tap_cluster import moto, provider_process, tap
from tap_cluster.context import Context
from tap_cluster.errors import ClusterError
from tap_cluster.recipes import PROVIDER
from tap_cluster.supervisor import Program

PORTS = {**moto.PORTS, **provider_process.PORTS}


class Aws(StrEnum):
    """What stands behind the cluster."""

    NONE = "none"
    MOTO = "moto"

    @property
    def recipes(self) -> tuple[str, ...]:
        """The recipes of what it takes."""
        return PROVIDER if self is Aws.MOTO else ()

    @classmethod
    def chosen(cls, said: str | None, environ: Mapping[str, str] = os.environ, *, possible: bool = True) -> Aws:
        """Return what is asked for: what is `said`, else what AWS says, else nothing.

        Raises:
            ClusterError: there is no such choice, or it is not `possible` here.
        """
        found = str(said or environ.get("AWS") or cls.NONE)
        if found not in set(cls):
            what = f"AWS={found} is none of {', '.join(cls)}"
            raise ClusterError(what)
        if found == cls.MOTO and not possible:
            what = f"AWS={found} needs the whole embedded cluster"
            raise ClusterError(what, "Use CLUSTER=embedded, or leave AWS out")
        return cls(found)


def have(context: Context, aws: Aws) -> None:
    """Make the namespaces of the environments; start what they are told of, and end what they are not told of."""
    if aws is Aws.NONE:
        context.supervisor.stop(provider_process.NAME, moto.NAME)
        tap.install_environments(context)
        return
    tap.install_environments(context, moto.provider_config)
    moto.install(context, tap.NAMESPACES)
    provider_process.install(context)
    context.supervisor.ensure(*_programs(context))


def programs(context: Context) -> tuple[Program, ...]:
    """Return the programs that were started for it."""
    return _programs(context) if moto.NAME in context.state.processes else ()


def _programs(context: Context) -> tuple[Program, Program]:
    return (moto.program(context), provider_process.program(context, moto.proxy(context)))
