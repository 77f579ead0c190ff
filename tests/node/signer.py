"""cert-manager beside the node: its own controllers and CA injector, with its own CRDs (cluster/tools/cert-manager)."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from node.conftest import Node
from tap_cluster import golang, recipes, tools
from tap_cluster.run import child_env

MODULE = "github.com/cert-manager/cert-manager"


@contextmanager
def running(up: Node, log: Path) -> Iterator[None]:
    """Builds it where it was not built, and runs it for as long as the block lasts; its kinds are served meanwhile."""
    places = up.context.places
    built = tools.ensure(recipes.SIGNER, places, up.cluster.progress)
    crds = golang.module(places.recipes / "cert-manager", MODULE) / "deploy" / "crds"
    up.cluster.kubectl("apply", "--server-side", "-f", crds)
    up.cluster.kubectl("wait", "--for=condition=Established", "-f", crds)
    argv = [str(built["cert-manager-signer"]), f"--config={up.cluster.kubeconfig}"]
    with log.open("wb") as said, subprocess.Popen(argv, env=child_env(places), stdout=said, stderr=said) as process:
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)
            up.cluster.kubectl("delete", "-f", crds)
