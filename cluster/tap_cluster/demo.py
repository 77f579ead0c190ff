"""The demo: the main job on real input, with the commands that a person would type."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tap_api.naming import ANNOTATION_CONFIRM_REMOVAL
from tap_cluster.api import Cluster
from tap_cluster.aws import Aws
from tap_cluster.errors import ClusterError
from tap_cluster.kubeconfig import exported
from tap_cluster.run import child_env

CLAIM = Path("claims/prod.yaml")
REFUSED = Path("claims/refused/everything-at-once.yaml")
NAMESPACE = "tap-prod"
NAME = "prod"

_NEXT = """
What you see is real: a kube-apiserver, Crossplane, our function over mutual TLS, our operator and our webhook, each
under its own service account. {aws}

Try next:
{hints}
"""
_AWS = {
    Aws.NONE: """What you do not see is AWS: there are no credentials here and no provider runs, so AWS
resources exist in the cluster and wait to be made, and what needs an answer of AWS first (the account, a key's ARN) is
withheld and says what it waits for.""",
    Aws.MOTO: """Real too is the AWS provider. What is behind it is moto, which simulates AWS in
memory and forgets all when it ends. It knows no replicas and no Aurora cluster that follows another, so the sessions
and the databases of the other regions stay not ready, and say why (docs/moto.md).""",
}
#: Seconds after which it is seen again whether everything runs.
_GLANCE = 5
#: The real provider waits for AWS in silence, and looks at each resource once a minute.
_PATIENCE = {Aws.NONE: (), Aws.MOTO: ("--quiet-for", "90", "--timeout", "1500")}


def run(cluster: Cluster, aws: Aws = Aws.NONE) -> None:
    """Shows a claim that is refused, then one that becomes three regions, live, until it has settled.

    Raises:
        ClusterError: a claim that should be refused was not, or the environment did not settle.
    """
    demo = _Demo(cluster)
    demo.chapter("A claim that breaks policy is refused, with everything that is wrong in one answer")
    if demo.type("kubectl", "apply", "-f", REFUSED) == 0:
        what = f"{REFUSED} was not refused"
        raise ClusterError(what, "Read the log of admission")
    if demo.output("kubectl", "get", "etap", NAME, "--namespace", NAMESPACE, "--ignore-not-found") == "":
        free_ranges(demo)
    demo.chapter("A good claim becomes three regions")
    demo.must("kubectl", "apply", "-f", CLAIM)
    demo.must(
        "tap", "status", NAME, "--namespace", NAMESPACE, "--until-settled", *_PATIENCE[aws], beside=cluster.revive
    )
    demo.chapter("The same, as kubectl shows it")
    demo.must("kubectl", "get", "etap,rtap", "--all-namespaces")
    demo.say(_NEXT.format(aws=_AWS[aws], hints=_hints(cluster.kubeconfig)))


def free_ranges(demo: _Demo) -> None:
    """Frees what an earlier demo left claimed: its VPCs are protected and count as left in AWS, and here is no AWS."""
    chosen = ("cidrblocks", f"--selector=tap.platform/peering-group={NAME}")
    if demo.output("kubectl", "get", *chosen, "--output=jsonpath={.items[*].spec.claims[*].cidr}"):
        demo.chapter("Ranges of an earlier demo are freed: its VPCs would be in AWS still, and there is no AWS here")
        group = ("--as=demo", "--as-group=tap:break-glass", "--as-group=system:masters")
        demo.must("kubectl", "delete", *chosen, *group)


def _hints(kubeconfig: Path) -> str:
    hints = {
        f"kubectl get tap -n {NAMESPACE}": "every object of ours",
        f"kubectl get managed -n {NAMESPACE}": "every AWS resource",
        f"tap status {NAME} --watch": "the tree again, live",
        f"kubectl delete rtap {NAME}-us-east-1 -n {NAMESPACE}": "refused: it belongs to the environment",
        f"kubectl annotate etap {NAME} -n {NAMESPACE} {ANNOTATION_CONFIRM_REMOVAL}={NAME}": "prod is protected",
        f"kubectl delete -f {CLAIM}": "removes all that it made",
        "make down": "stops everything; the data stays",
    }
    width = max(map(len, hints))
    lines = [f"  {command:{width}}  # {what}" for command, what in hints.items()]
    return "\n".join([f"  {exported(kubeconfig)}", *lines])


class _Demo:
    """Types commands as a person would, on the cluster's own kubeconfig."""

    def __init__(self, cluster: Cluster) -> None:
        binaries = Path(sys.executable).parent
        env = child_env(cluster.places)
        terminal = {name: os.environ[name] for name in ("TERM", "COLUMNS", "NO_COLOR") if name in os.environ}
        self._env = {
            **env,
            **terminal,
            "KUBECONFIG": str(cluster.kubeconfig),
            "PATH": f"{binaries}:{env.get('PATH', '')}",
        }
        self._root = cluster.places.repository
        self._say = cluster.progress.say

    def chapter(self, title: str) -> None:
        self._say(f"\n==> {title}")

    def say(self, text: str) -> None:
        self._say(text)

    def type(self, *words: str | Path, beside: Callable[[], list[str]] = list) -> int:
        """Runs a command with its output on the terminal; returns its exit code.

        Args:
            words: The command.
            beside: Called every few seconds while it runs; returns the names of processes that it had to start again.
        """
        command = [str(word) for word in words]
        self._say(f"$ {' '.join(command)}")
        with subprocess.Popen(command, cwd=self._root, env=self._env) as process:  # noqa: S603
            while True:
                try:
                    return process.wait(_GLANCE)
                except subprocess.TimeoutExpired:
                    for name in beside():
                        self._say(f"  {name} had ended, and is started again; `make status` says where its log is")

    def output(self, *words: str) -> str:
        """Returns what a command prints, which is not shown; empty where it fails."""
        done = subprocess.run(words, cwd=self._root, env=self._env, check=False, capture_output=True, text=True)  # noqa: S603
        return done.stdout.strip() if done.returncode == 0 else ""

    def must(self, *words: str | Path, beside: Callable[[], list[str]] = list) -> None:
        """Runs a command that has to succeed; see `type`.

        Raises:
            ClusterError: it failed; it has said why on the terminal.
        """
        code = self.type(*words, beside=beside)
        if code:
            what = f"`{' '.join(map(str, words))}` failed with exit code {code}"
            raise ClusterError(what, "Its own message is above")
