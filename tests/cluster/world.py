"""What the cluster tests do with a cluster: kubectl as a user has it, waiting, and a double of the provider."""

import json
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config
from urllib3 import Retry

from doubles.aws import ACCOUNT
from tap_api.base import GROUP, VERSION
from tap_api.naming import ANNOTATION_CONFIRM_REMOVAL, LABEL_PEERING_GROUP, digest
from tap_cli.cluster import Cluster as Reader
from tap_cluster.api import Cluster, Kind
from tap_cluster.part import Part
from tap_stack.catalogue import catalogue

#: Seconds without a change after which an environment counts as settled. `make demo` waits for ten.
_QUIET = 3
#: How long `kubectl delete` may wait. Regions go in an order, one stage after another: half a minute on an idle machine,
#: thrice as long on a busy one.
GOING = "--timeout=180s"
_MANAGED = ("keys.kms", "aliases.kms", "vpcs.ec2", "subnets.ec2", "routes.ec2", "roles.iam", "groups.cloudwatchlogs")


def _client(kubeconfig: Path) -> Any:
    """Returns a client that looks again where an apiserver cannot answer: it, or its etcd, was just killed by a test."""
    settings = client.Configuration()
    config.load_kube_config(str(kubeconfig), client_configuration=settings)  # type: ignore[no-untyped-call]
    settings.retries = Retry(
        total=10,
        backoff_factor=0.1,
        backoff_max=2,
        status_forcelist=[500, 503, 504],
        allowed_methods=["GET"],
        raise_on_status=False,
    )
    return client.ApiClient(settings)


def _place(resource: str, namespace: str) -> tuple[str, str, str, str]:
    plural, _, group = resource.partition(".")
    return group or GROUP, "v1beta1" if group else VERSION, namespace, plural


@contextmanager
def namespace_of_its_own(cluster: Cluster) -> Iterator[str]:
    """A namespace with a new name, deleted at the end with all that is in it."""
    name = f"test-{secrets.token_hex(4)}"
    cluster.kubectl("create", "namespace", name)
    try:
        yield name
    finally:
        # As a person would: environments, and regions that stand alone, each confirmed where it is protected. Regions of
        # an environment go with it, one too that the operator was about to make when it went.
        for environment in json.loads(cluster.kubectl("get", "etap", "-n", name, "-o", "json"))["items"]:
            confirm(cluster, name, "etap", environment["metadata"]["name"])
        cluster.kubectl("delete", "etap", "--all", "-n", name, GOING, timeout=210)
        deadline = time.monotonic() + 120
        while regions := json.loads(cluster.kubectl("get", "rtap", "-n", name, "-o", "json"))["items"]:
            assert time.monotonic() < deadline, f"RegionalTaps of {name} do not go"
            for region in regions:
                if "ownerReferences" not in region["metadata"]:
                    confirm(cluster, name, "rtap", region["metadata"]["name"])
                    cluster.kubectl("delete", "rtap", region["metadata"]["name"], "-n", name, GOING, timeout=210)
            time.sleep(0.3)
        # Until the operator has taken the label away, the namespace is not to be deleted. What is left then needs nothing
        # of ours to go; the next test need not wait for it.
        while "holds-taps" in cluster.kubectl("get", "namespace", name, "-o", "jsonpath={.metadata.labels}"):
            assert time.monotonic() < deadline, f"{name} is still said to hold taps"
            time.sleep(0.3)
        cluster.kubectl("delete", "namespace", name, "--wait=false")
        # What a protected region leaves in AWS keeps its address range; here there is no AWS.
        selector = f"--selector={LABEL_PEERING_GROUP}={name}"
        cluster.kubectl("delete", "cidrblocks", selector, *World.break_glass)


def confirm(cluster: Cluster, namespace: str, kind: str, name: str) -> None:
    """Says of a protected tap that it may be deleted, as the refusal asks for it."""
    cluster.kubectl("annotate", kind, name, "-n", namespace, f"{ANNOTATION_CONFIRM_REMOVAL}={name}", "--overwrite")


class World:
    """A namespace of the test's own on the cluster."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.keys = KeyDouble(self)
        self._reader = Reader(cluster.kubeconfig)
        # Not kubectl where a test polls: a process for each look costs more than what it looks at.
        self._objects: Any = client.CustomObjectsApi(_client(cluster.kubeconfig))

    #: What a person with break-glass rights adds to kubectl. The group alone carries the permission to pass the
    #: guards; system:masters gives the RBAC rights, as a cluster admin in that group would have them.
    break_glass = ("--as=oncall", "--as-group=tap:break-glass", "--as-group=system:masters")

    def process(self, name: str) -> Part:
        """Returns one of our processes, to be killed and started; where they are pods, the test is not for that cluster."""
        if self.cluster.kind is not Kind.EMBEDDED:
            pytest.skip("it kills a process of the embedded cluster; of pods, tests/node kills some")
        return self.cluster.process(name)

    def kubectl(self, *args: str, stdin: str | None = None) -> str:
        return self.cluster.kubectl("-n", self.namespace, *args, input=stdin)

    def kubectl_fails(self, *args: str, stdin: str | None = None) -> str:
        """Returns what kubectl says when it fails."""
        done = self.tried(*args, stdin=stdin)
        assert done.returncode != 0, f"kubectl {' '.join(args)} was not refused: {done.stdout}"
        return done.stderr

    def said(self, *args: str) -> str:
        """Returns what kubectl says beside its output when it succeeds: warnings."""
        done = self.tried(*args)
        assert done.returncode == 0, done.stderr
        return done.stderr

    def tried(self, *args: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Returns what became of a kubectl command, which may fail."""
        command = [str(self.cluster.tool("kubectl")), f"--kubeconfig={self.cluster.kubeconfig}", "-n", self.namespace]
        return subprocess.run([*command, *args], input=stdin, capture_output=True, text=True, check=False)

    def apply(self, document: dict[str, Any]) -> None:
        self.kubectl("apply", "-f", "-", stdin=self._here(document))

    def refused(self, document: dict[str, Any]) -> str:
        """Returns what kubectl says when `document` is refused."""
        return self.kubectl_fails("apply", "-f", "-", stdin=self._here(document))

    def _here(self, document: dict[str, Any]) -> str:
        """Returns a claim of this namespace, whose address ranges collide with nobody else's."""
        spec = {"peeringGroup": self.namespace, **document["spec"]}
        return json.dumps({**document, "metadata": {**document["metadata"], "namespace": self.namespace}, "spec": spec})

    def free_ranges(self) -> None:
        """Does what an administrator does once the VPCs that were left in AWS are gone (docs/cidrs.md)."""
        selector = f"--selector={LABEL_PEERING_GROUP}={self.namespace}"
        self.cluster.kubectl("delete", "cidrblocks", selector, *self.break_glass)

    def delete(self, *what: str) -> str:
        """Deletes taps and waits until they are gone."""
        return self.cluster.kubectl("-n", self.namespace, "delete", *what, GOING, timeout=210)

    def remove(self, kind: str, name: str) -> str:
        """Deletes a tap, confirmed as a protected one has to be."""
        confirm(self.cluster, self.namespace, kind, name)
        return self.delete(kind, name)

    def get(self, resource: str, name: str) -> Any:
        return self._objects.get_namespaced_custom_object(*_place(resource, self.namespace), name)

    def objects(self, resource: str) -> Any:
        """Returns the objects of a resource such as `regionaltaps` or `keys.kms.aws.m.upbound.io`."""
        found = self._objects.list_namespaced_custom_object(*_place(resource, self.namespace))
        return sorted(found["items"], key=lambda item: item["metadata"]["name"])

    def managed(self) -> list[Any]:
        """Returns every AWS resource. Not by kubectl, which takes seconds of a core for the sixty kinds."""
        return [item for entry in catalogue().values() for item in self.objects(f"{entry.plural}.{entry.group}")]

    def names(self, resource: str) -> list[str]:
        return [item["metadata"]["name"] for item in self.objects(resource)]

    def condition(self, environment: str, kind: str) -> str:
        conditions = self.get("environmenttaps", environment).get("status", {}).get("conditions", [])
        return next((c["status"] for c in conditions if c["type"] == kind), "")

    def output(self, region: str, output: str) -> str:
        [environment] = self.objects("environmenttaps")
        regions = {r["name"]: r for r in environment.get("status", {}).get("regions", [])}
        return str(regions.get(region, {}).get("outputs", {}).get(output, ""))

    def versions(self, environment: str) -> dict[str, str]:
        """Returns the resourceVersion of everything that belongs to an environment, the environment itself too."""
        snapshot = self._snapshot(environment, resources=True)
        objects = (snapshot.environment, *snapshot.regions, *snapshot.parts, *snapshot.resources)
        return {
            f"{o['kind']}/{o['metadata']['name']}": o["metadata"]["resourceVersion"]
            for o in objects
            if o["metadata"].get("uid")
        } | self._left()

    def _left(self) -> dict[str, str]:
        """Returns managed resources of the namespace by their kinds alone: one that lost its XR must not hide."""
        return {
            f"{item['kind']}/{item['metadata']['name']}": item["metadata"]["resourceVersion"]
            for resource in _MANAGED
            for item in self.objects(f"{resource}.aws.m.upbound.io")
        }

    def _snapshot(self, environment: str, *, resources: bool = False) -> Any:
        found = [e for e in self._reader.environments(self.namespace) if e["metadata"]["name"] == environment]
        gone = {
            "kind": "EnvironmentTap",
            "metadata": {"namespace": self.namespace, "name": environment},
            "spec": {"regions": []},
        }
        return self._reader.snapshot(found[0] if found else gone, resources=resources)

    def until(self, holds: Callable[[], bool], what: str, seconds: float = 60) -> None:
        began = time.monotonic()
        deadline = began + seconds
        while not holds():
            assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
            began = _rested(began, 0.3)

    def comes_to(self, look: Callable[[], object], wanted: object, what: str, seconds: float = 60) -> None:
        """Waits until `look` gives what is wanted; where it does not, both are told."""
        with suppress(AssertionError):
            self.until(lambda: look() == wanted, what, seconds)
        found = look()
        assert found == wanted, f"{what}: {wanted} is wanted, and there is {found}"

    def settle(self, environment: str, seconds: float = 120) -> None:
        """Waits until all that can be composed is there and nothing changes any more."""
        self.until(lambda: not self._snapshot(environment).missing(), f"all of {environment} is there", seconds)
        self.wait_quiet(_QUIET, environment, seconds)
        assert self._snapshot(environment).missing() == []

    def wait_quiet(self, seconds: float, environment: str = "prod", limit: float = 120) -> None:
        """Waits until nothing of `environment` changed for `seconds`."""
        self.wait_still(lambda: self.versions(environment), environment, seconds, limit)

    @staticmethod
    def wait_still(look: Callable[[], object], what: str, seconds: float, limit: float) -> None:
        """Waits until `look` has given the same for `seconds`."""
        began = time.monotonic()
        deadline, since, last, changes = began + limit, began, look(), ""
        while time.monotonic() - since < seconds:
            assert time.monotonic() < deadline, f"{what} does not come to rest; it changed last: {changes}"
            began = _rested(began, 0.5)
            now = look()
            if now != last:
                since, changes = time.monotonic(), _changes(last, now)
                last = now


def _rested(began: float, least: float) -> float:
    """Sleeps for as long as a look took that `began` then, which holds up what is waited for; returns when it ends."""
    time.sleep(max(least, time.monotonic() - began))
    return time.monotonic()


def _changes(before: object, after: object) -> str:
    """Returns what differs between two looks, in short."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return f"{before} -> {after}"
    names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    return ", ".join(names)


class KeyDouble:
    """Stands in for provider-aws with keys alone: says of one what AWS would. A test double, nothing of the product."""

    def __init__(self, world: World) -> None:
        self._world = world

    def make(self, name: str, region: str) -> None:
        """Makes the key: it has an ARN, and AWS's default policy."""
        key_id = f"{digest(name)}-0000-4000-8000-000000000000"
        arn = f"arn:aws:kms:{region}:{ACCOUNT}:key/{key_id}"
        self._report(
            name, {"arn": arn, "keyId": key_id, "id": key_id, "policy": '{"Version":"2012-10-17","Statement":[]}'}
        )

    def show_policy(self, name: str) -> None:
        """Gives the key the policy that is asked for, spelled as AWS spells it."""
        self._world.until(lambda: bool(self._spec(name).get("policy")), f"{name} is given our policy")
        self._report(name, {"policy": json.dumps(json.loads(self._spec(name)["policy"]), indent=2)})

    def _spec(self, name: str) -> Any:
        return self._world.get("keys.kms.aws.m.upbound.io", name)["spec"]["forProvider"]

    def _report(self, name: str, at_provider: dict[str, str]) -> None:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        conditions = [
            {"type": kind, "status": "True", "reason": reason, "lastTransitionTime": now}
            for kind, reason in (("Ready", "Available"), ("Synced", "ReconcileSuccess"))
        ]
        patch = {"status": {"atProvider": at_provider, "conditions": conditions}}
        self._world.kubectl(
            "patch", "keys.kms.aws.m.upbound.io", name, "--subresource=status", "--type=merge", "-p", json.dumps(patch)
        )


def account_of(arn: str) -> str:
    return arn.split(":")[4]
