"""Who may write what, asked of the real apiserver: every account, every guarded write, all as dry runs."""

import json
import secrets
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tap_api import manifest
from tap_api.base import API_VERSION, Json
from tap_cluster.api import Cluster
from tap_cluster.errors import ClusterError

ROOT = Path(__file__).parents[2]
#: Whoever they are, RBAC lets them: what is tried here are the guards.
ADMINS = "--as-group=system:masters"
ACCOUNT = "--as=system:serviceaccount:"
WHO = {
    "admin": (),
    "person": ("--as=somebody", ADMINS),
    "night-shift": ("--as=somebody", ADMINS, "--as-group=tap:break-glass"),
    "operator": (f"{ACCOUNT}tap-system:tap-operator", ADMINS),
    "admission": (f"{ACCOUNT}tap-system:tap-admission", ADMINS),
    "crossplane": (f"{ACCOUNT}crossplane-system:crossplane", ADMINS),
    "collector": (f"{ACCOUNT}kube-system:generic-garbage-collector", ADMINS),
    "namespaces": (f"{ACCOUNT}kube-system:namespace-controller", ADMINS),
    # The one whom RBAC stops too: ClusterRole `edit` in the namespace, and nothing beside.
    "editor": ("--as=editor", "--as-group=system:authenticated"),
}
OWNED = "guarded-us-east-1"
REFS = {"spec": {"crossplane": {"resourceRefs": [{"apiVersion": "v1", "kind": "Secret", "name": "x"}]}}}
COMPOSITION = {"spec": {"crossplane": {"compositionRef": {"name": "mine"}}}}
POLICIES = [
    "tap-cidrblocks",
    "tap-credentials",
    "tap-locked-deletion",
    "tap-locks",
    "tap-machinery",
    "tap-namespaces",
    "tap-operator-configmaps",
    "tap-operator-environments",
    "tap-operator-expiry",
    "tap-operator-namespaces",
    "tap-owned-regions",
    "tap-ownership",
    "tap-parts",
    "tap-paused-environments",
    "tap-paused-regions",
    "tap-protection",
    "tap-teardown",
]
TAGS = {"CostCenter": "platform-4200"}
#: The namespace, and a peering group of its own: whatever ran here before holds no range of it.
GROUP = f"test-{secrets.token_hex(4)}"


class Guards:
    """A namespace with an EnvironmentTap, its RegionalTaps, one that stands alone, and a part."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster, self.namespace = cluster, namespace

    def kubectl(self, *args: str, stdin: Json | None = None) -> str:
        text = json.dumps(stdin) if stdin else None
        return self.cluster.kubectl("--namespace", self.namespace, *args, input=text)

    def refusal(self, who: str, *args: str, stdin: Json | None = None) -> str:
        """Returns what a guard says to a dry run, empty where all let it pass."""
        command = [str(self.cluster.tool("kubectl")), f"--kubeconfig={self.cluster.kubeconfig}", *WHO[who]]
        done = subprocess.run(
            [*command, "--namespace", self.namespace, *args, "--dry-run=server"],
            input=json.dumps(stdin) if stdin else None,
            capture_output=True,
            text=True,
            check=False,
        )
        _, denied, message = done.stderr.partition("denied request: ")
        unauthorized = who == "editor" and 'User "editor" cannot' in done.stderr
        assert bool(denied) + unauthorized == bool(done.returncode), done.stderr
        return message.strip() or done.stderr.strip() if done.returncode else ""

    def until_passing(self, who: str, *args: str, stdin: Json | None = None) -> None:
        """Waits until a right that was given has reached the authorizer."""
        deadline = time.monotonic() + 20
        while refusal := self.refusal(who, *args, stdin=stdin):
            assert time.monotonic() < deadline, refusal
            time.sleep(0.3)

    def patch(self, who: str, kind: str, name: str, change: Json) -> str:
        return self.refusal(who, "patch", kind, name, *merge(change))


@pytest.fixture(scope="module")
def guards(cluster: Cluster) -> Iterator[Guards]:
    made = Guards(cluster, GROUP)
    cluster.kubectl("create", "namespace", made.namespace)
    cluster.kubectl("label", "namespace", made.namespace, "team=shop")
    try:
        [claim] = manifest.read(ROOT / "claims" / "dev.yaml")
        claim["metadata"] = {"name": "guarded", "namespace": made.namespace}
        claim["spec"]["peeringGroup"] = GROUP
        claim["spec"]["protection"] = True
        made.kubectl("create", "rolebinding", "editor", "--clusterrole=edit", "--user=editor")
        made.kubectl("apply", "--filename=-", stdin=claim)
        made.kubectl("wait", "--for=create", f"rtap/{OWNED}", "--timeout=60s")
        made.kubectl("apply", "--filename=-", stdin=alone())
        if not part_there(made):
            made.kubectl(*WHO["night-shift"], "apply", "--filename=-", stdin=part())
        yield made
    finally:
        made.kubectl("delete", "etap,rtap", "--all", "--wait=false", *WHO["night-shift"])
        cluster.kubectl("delete", "namespace", made.namespace, "--wait=false", *WHO["night-shift"])
        groups = f"--selector=tap.platform/peering-group in ({GROUP}, {GROUP}-brief)"
        cluster.kubectl("delete", "cidrblocks", groups, *WHO["night-shift"])


def alone(**spec: object) -> Json:
    said: dict[str, object] = {
        "environment": "dev",
        "region": "eu-west-1",
        "cidr": "10.9.0.0/16",
        "tags": TAGS,
        "peeringGroup": GROUP,
    }
    said.update(spec)
    return {"apiVersion": API_VERSION, "kind": "RegionalTap", "metadata": {"name": "alone"}, "spec": said}


def part(name: str = f"{OWNED}-sessions") -> Json:
    spec = {"environment": "dev", "region": "us-east-1", "tags": TAGS}
    return {"apiVersion": API_VERSION, "kind": "RegionalSessions", "metadata": {"name": name}, "spec": spec}


def part_there(guards: Guards) -> bool:
    try:
        guards.kubectl("wait", "--for=create", f"regionalsessions/{OWNED}-sessions", "--timeout=20s")
    except ClusterError:
        return False
    return True


def merge(change: Json) -> tuple[str, str]:
    """Returns how `kubectl patch` is told of a change."""
    return "--type=merge", f"--patch={json.dumps(change)}"


def passing(guards: Guards, *args: str, stdin: Json | None = None) -> set[str]:
    with ThreadPoolExecutor() as pool:
        refusals = pool.map(lambda who: guards.refusal(who, *args, stdin=stdin), WHO)
        return {who for who, refusal in zip(WHO, refusals, strict=True) if not refusal}


MACHINES = {"night-shift", "crossplane", "collector", "namespaces"}


def test_an_owned_region_is_edited_and_deleted_by_machines_alone(guards: Guards) -> None:
    change = ("patch", "rtap", OWNED, "--type=merge", '--patch={"metadata":{"labels":{"a":"b"}}}')
    assert passing(guards, *change) == MACHINES | {"operator"}
    assert passing(guards, "delete", "rtap", OWNED) == MACHINES | {"operator"}
    status = (
        "patch",
        "rtap",
        OWNED,
        "--subresource=status",
        "--type=merge",
        '--patch={"status":{"outputs":{"keyId":"k"}}}',
    )
    assert passing(guards, *status) == MACHINES | {"operator"}


def test_whoever_is_refused_is_told_the_right_command(guards: Guards) -> None:
    where = f"etap guarded -n {guards.namespace}"
    assert guards.patch("admin", "rtap", OWNED, {"metadata": {"labels": {"a": "b"}}}) == (
        f"RegionalTap {OWNED} belongs to EnvironmentTap guarded. Change it there: kubectl edit {where}"
    )
    assert guards.refusal("admin", "delete", "rtap", OWNED) == (
        f"RegionalTap {OWNED} belongs to EnvironmentTap guarded. Remove us-east-1 from spec.regions: "
        f"kubectl edit {where}; or remove every region: kubectl delete {where}"
    )
    assert guards.refusal("admin", "delete", "regionalsessions", f"{OWNED}-sessions") == (
        f"RegionalSessions {OWNED}-sessions is written by Crossplane alone, from its RegionalTap. "
        f"Change the EnvironmentTap: kubectl edit etap -n {guards.namespace}"
    )


def test_a_region_that_stands_alone_is_anybodys(guards: Guards) -> None:
    change = ("patch", "rtap", "alone", "--type=merge", '--patch={"metadata":{"labels":{"a":"b"}}}')
    assert passing(guards, *change) == set(WHO)


CONFIRM = "tap.platform/confirm-removal"


@pytest.mark.parametrize(
    ("kind", "short", "name"), [("EnvironmentTap", "etap", "guarded"), ("RegionalTap", "rtap", "alone")]
)
def test_what_is_protected_is_deleted_once_that_is_confirmed(guards: Guards, kind: str, short: str, name: str) -> None:
    command = f"kubectl annotate {short} {name} -n {guards.namespace} {CONFIRM}={name}"
    assert guards.refusal("person", "delete", short, name) == (
        f"{kind} {name} is protected. To delete it, confirm first: {command}"
    )
    # The garbage collector neither: whoever may edit a tap may give it an owner, and delete that one.
    assert passing(guards, "delete", short, name) == {"night-shift", "namespaces"}
    guards.kubectl("annotate", short, name, f"{CONFIRM}=yes")
    assert passing(guards, "delete", short, name) == {"night-shift", "namespaces"}
    guards.kubectl("annotate", short, name, f"{CONFIRM}-")
    guards.kubectl(*command.split()[1:])
    try:
        # The operator deletes regions, and of environments those alone whose life is over (tap-operator-expiry).
        assert passing(guards, "delete", short, name) == set(WHO) - ({"operator"} if short == "etap" else set())
    finally:
        guards.kubectl("annotate", short, name, f"{CONFIRM}-")


def test_what_is_not_protected_is_deleted_without_a_word(guards: Guards) -> None:
    guards.kubectl("patch", "etap", "guarded", "--type=merge", '--patch={"spec":{"protection":false}}')
    try:
        assert passing(guards, "delete", "etap", "guarded") == set(WHO) - {"operator"}
        guards.kubectl("patch", "etap", "guarded", "--type=merge", '--patch={"spec":{"protection":null}}')
        # `dev`, by its preset.
        assert passing(guards, "delete", "etap", "guarded") == set(WHO) - {"operator"}
    finally:
        guards.kubectl("patch", "etap", "guarded", "--type=merge", '--patch={"spec":{"protection":true}}')


@pytest.mark.parametrize(
    ("plural", "said"),
    [
        ("environmenttaps", "guarded is protected"),
        ("regionaltaps", "RegionalTap "),
        ("regionalsessions", "Crossplane alone"),
    ],
)
def test_a_whole_collection_is_not_deleted_past_the_guards(guards: Guards, plural: str, said: str) -> None:
    with pytest.raises(ClusterError) as refused:
        guards.kubectl(
            "delete", "--raw", f"/apis/{API_VERSION}/namespaces/{guards.namespace}/{plural}?dryRun=All", *WHO["person"]
        )
    assert "denied request" in str(refused.value.output)
    assert said in str(refused.value.output)


def owned_by(name: str, uid: str = "0", **more: object) -> Json:
    """Returns metadata that gives an object to an EnvironmentTap; by default to one that is nowhere."""
    return {
        "ownerReferences": [{"apiVersion": API_VERSION, "kind": "EnvironmentTap", "name": name, "uid": uid, **more}]
    }


@pytest.mark.parametrize("controller", [True, False])
def test_nobody_gives_an_environment_to_another_the_operator_neither(guards: Guards, *, controller: bool) -> None:
    owner = owned_by("gone", controller=controller)
    assert passing(guards, "patch", "etap", "guarded", *merge({"metadata": owner})) == {"night-shift"}
    claim = brief("given")
    claim["metadata"].update(owner)
    assert passing(guards, "create", "--filename=-", stdin=claim) == {"night-shift"}
    assert guards.patch("editor", "etap", "guarded", {"metadata": owner}) == (
        "EnvironmentTap guarded cannot be given to EnvironmentTap gone: the garbage collector would delete it with that "
        "one. Leave ownerReferences out"
    )


def test_an_owner_that_is_nowhere_takes_no_protection_away(guards: Guards) -> None:
    night = WHO["night-shift"]
    guards.kubectl("patch", "etap", "guarded", *merge({"metadata": owned_by("gone", controller=True)}), *night)
    try:
        assert passing(guards, "delete", "etap", "guarded") == {"night-shift", "namespaces"}
    finally:
        guards.kubectl("patch", "etap", "guarded", *merge({"metadata": {"ownerReferences": None}}), *night)


@pytest.fixture(scope="module")
def paused(guards: Guards) -> str:
    """An environment with a paused region, and with an end that was told; it goes with the namespace."""
    guards.kubectl("apply", "--filename=-", stdin=brief())
    guards.kubectl("wait", "etap/brief", "--for=jsonpath={.status.expiration.ttl}=72h", "--timeout=60s")
    return "brief"


def brief(name: str = "brief") -> Json:
    spec = {
        "environment": "dev",
        "primaryRegion": "us-east-1",
        "tags": TAGS,
        "ttl": "72h",
        "peeringGroup": f"{GROUP}-{name}",
        "regions": [{"name": "us-east-1", "cidr": "10.0.0.0/16", "state": "Paused"}],
    }
    return {"apiVersion": API_VERSION, "kind": "EnvironmentTap", "metadata": {"name": name}, "spec": spec}


def test_what_is_paused_is_not_deleted_the_end_of_its_life_included(guards: Guards, paused: str) -> None:
    # The operator deletes an environment whose life is over: what is paused would never go then, either.
    assert passing(guards, "delete", "etap", paused) == {"night-shift", "namespaces"}
    assert guards.refusal("operator", "delete", "etap", paused).startswith(f"EnvironmentTap {paused} is paused")
    # The collector deletes no EnvironmentTap but one that somebody gave an owner for that purpose.
    night = WHO["night-shift"]
    guards.kubectl("patch", "etap", paused, *merge({"metadata": owned_by("gone", controller=True)}), *night)
    try:
        assert passing(guards, "delete", "etap", paused) == {"night-shift", "namespaces"}
    finally:
        guards.kubectl("patch", "etap", paused, *merge({"metadata": {"ownerReferences": None}}), *night)


LABEL = "tap.platform/holds-taps"


def test_a_namespace_that_holds_taps_is_not_deleted(guards: Guards) -> None:
    name = guards.namespace
    guards.kubectl("wait", "namespace", name, "--for=jsonpath={.metadata.labels.tap\\.platform/holds-taps}=true")
    assert guards.refusal("admin", "delete", "namespace", name) == (
        f"namespace {name} holds taps; what they made in AWS would be stranded. Delete them first: "
        f"kubectl delete etap --all -n {name}, then kubectl delete rtap --all -n {name}"
    )
    assert passing(guards, "delete", "namespace", name) == {"night-shift"}
    refusal = guards.refusal("person", "label", "namespace", name, f"{LABEL}-")
    assert refusal.startswith(f"label {LABEL} is written by the operator alone")
    assert passing(guards, "label", "namespace", name, f"{LABEL}-") == {"night-shift", "operator"}
    through = ("--subresource=status", "--type=merge", f'--patch={{"metadata":{{"labels":{{"{LABEL}":null}}}}}}')
    assert passing(guards, "patch", "namespace", name, *through) == {"night-shift"}
    # Whatever else is written to it is no business of the guard.
    assert passing(guards, "label", "namespace", name, "team=web", "--overwrite") == set(WHO) - {"operator", "editor"}


def test_a_namespace_without_taps_is_anybodys(guards: Guards) -> None:
    name = f"{guards.namespace}-empty"
    guards.cluster.kubectl("create", "namespace", name)
    try:
        assert passing(guards, "delete", "namespace", name) == set(WHO) - {"operator", "editor"}
        # Nobody pretends that it holds taps, either.
        assert passing(guards, "label", "namespace", name, f"{LABEL}=true") == {"night-shift", "operator"}
    finally:
        guards.cluster.kubectl("delete", "namespace", name, "--wait=false")


@pytest.mark.parametrize(
    "change",
    [
        {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}},
        {"metadata": {"labels": {"team": None}}},
        {"metadata": {"labels": {LABEL: "false"}}},
        {"metadata": {"annotations": {"openshift.io/node-selector": ""}}},
        {"metadata": {"finalizers": ["tap.platform/mine"]}},
        {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Namespace", "name": "x", "uid": "y"}]}},
    ],
    ids=["a label", "no label", "another value", "annotation", "finalizer", "owner"],
)
def test_the_operator_changes_nothing_of_a_namespace_but_its_label(guards: Guards, change: Json) -> None:
    refusal = guards.patch("operator", "namespace", guards.namespace, change)
    assert refusal == f"the operator of taps may change of a namespace the label {LABEL}, and nothing else"


def test_the_last_tap_that_goes_takes_the_label_with_it(cluster: Cluster) -> None:
    made = Guards(cluster, f"test-{secrets.token_hex(4)}")
    labelled = "--for=jsonpath={.metadata.labels.tap\\.platform/holds-taps}"
    cluster.kubectl("create", "namespace", made.namespace)
    made.kubectl("apply", "--filename=-", stdin=alone(protection=False, peeringGroup=made.namespace))
    cluster.kubectl("wait", "namespace", made.namespace, f"{labelled}=true", "--timeout=20s")
    made.kubectl("delete", "rtap", "alone", "--timeout=60s")
    deadline = time.monotonic() + 20
    while refusal := made.refusal("person", "delete", "namespace", made.namespace):
        assert time.monotonic() < deadline, refusal
        time.sleep(0.2)
    cluster.kubectl("delete", "namespace", made.namespace, "--wait=false")


def test_a_part_that_no_region_controls_composes_nothing_and_says_so(guards: Guards) -> None:
    """Only break-glass can write one at all."""
    night = WHO["night-shift"]
    guards.kubectl("apply", "--filename=-", *night, stdin=part("stray"))
    try:
        guards.kubectl("wait", "regionalsessions/stray", "--for=condition=Built=False", "--timeout=60s")
        stray = json.loads(guards.kubectl("get", "regionalsessions", "stray", "--output=json"))
        conditions = {c["type"]: c for c in stray["status"]["conditions"]}
        assert conditions["Built"]["reason"] == "NoRegionalTap"
        assert conditions["Built"]["message"].startswith("No RegionalTap controls this part, so nothing is made")
        assert conditions["Ready"]["status"] == "False"
        assert stray["spec"]["crossplane"].get("resourceRefs", []) == []
        assert "stray" not in guards.kubectl("get", "managed", "--output=name")
    finally:
        guards.kubectl("delete", "regionalsessions", "stray", "--wait=false", *night)


def test_parts_are_written_by_crossplane_alone(guards: Guards) -> None:
    name = f"{OWNED}-sessions"
    assert passing(guards, "create", "--filename=-", stdin=part("another")) == MACHINES
    change = ("patch", "regionalsessions", name, "--type=merge", '--patch={"metadata":{"labels":{"a":"b"}}}')
    assert passing(guards, *change) == MACHINES
    # In the order of the teardown.
    assert passing(guards, "delete", "regionalsessions", name) == MACHINES | {"operator"}


@pytest.mark.parametrize("change", [REFS, COMPOSITION], ids=["resourceRefs", "compositionRef"])
def test_the_machinery_of_an_xr_is_crossplanes(guards: Guards, change: Json) -> None:
    patch = ("patch", "rtap", "alone", "--type=merge", f"--patch={json.dumps(change)}")
    assert passing(guards, *patch) == {"night-shift", "crossplane"}
    field = next(iter(change["spec"]["crossplane"]))
    assert guards.refusal("person", *patch) == f"spec.crossplane.{field} is written by Crossplane alone; leave it out"


def test_nobody_makes_a_region_that_pretends_to_be_owned(guards: Guards) -> None:
    uid = guards.kubectl("get", "etap", "guarded", "--output=jsonpath={.metadata.uid}")
    owner = {"apiVersion": API_VERSION, "kind": "EnvironmentTap", "name": "guarded", "uid": uid, "controller": True}
    owned = alone(cidr="10.8.0.0/16")
    owned["metadata"] = {"name": "pretender", "ownerReferences": [owner]}
    assert passing(guards, "create", "--filename=-", stdin=owned) == {"night-shift", "operator"}
    referring = alone(cidr="10.8.0.0/16", environmentRef={"name": "guarded"})
    referring["metadata"] = {"name": "pretender"}
    assert passing(guards, "create", "--filename=-", stdin=referring) == {"night-shift", "operator"}
    # An owner that does not control is one step from one that does, and a label is what lists show.
    follower = alone(cidr="10.8.0.0/16")
    follower["metadata"] = {"name": "pretender", "ownerReferences": [{**owner, "controller": False}]}
    assert passing(guards, "create", "--filename=-", stdin=follower) == {"night-shift", "operator"}
    labelled = alone(cidr="10.8.0.0/16")
    labelled["metadata"] = {"name": "pretender", "labels": {"tap.platform/environmenttap": "guarded"}}
    assert passing(guards, "create", "--filename=-", stdin=labelled) == {"night-shift", "operator"}


def test_nobody_takes_over_a_region_that_is_there_the_operator_neither(guards: Guards) -> None:
    uid = guards.kubectl("get", "etap", "guarded", "--output=jsonpath={.metadata.uid}")
    owner = {"apiVersion": API_VERSION, "kind": "EnvironmentTap", "name": "guarded", "uid": uid, "controller": True}
    change = {"metadata": {"ownerReferences": [owner]}}
    patch = ("patch", "rtap", "alone", "--type=merge", f"--patch={json.dumps(change)}")
    assert passing(guards, *patch) == {"night-shift"}
    label = ("label", "rtap", "alone", "tap.platform/environmenttap=guarded")
    assert passing(guards, *label) == {"night-shift"}


def test_every_expression_compiles_without_a_warning(guards: Guards) -> None:
    policies = json.loads(guards.kubectl("get", "validatingadmissionpolicies", "--output=json"))["items"]
    ours = {p["metadata"]["name"]: p.get("status", {}) for p in policies if p["metadata"]["name"].startswith("tap-")}
    assert sorted(ours) == POLICIES
    assert {name: status.get("typeChecking") for name, status in ours.items()} == {name: {} for name in ours}


def test_the_chart_is_accepted_as_a_whole(guards: Guards) -> None:
    command: list[str | Path] = [
        guards.cluster.tool("helm"),
        "template",
        "tap",
        ROOT / "charts" / "operator",
        "--namespace",
        guards.namespace,
        "--no-hooks",  # They run as an account that helm makes before them.
    ]
    rendered = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    kubectl = [str(guards.cluster.tool("kubectl")), f"--kubeconfig={guards.cluster.kubeconfig}"]
    done = subprocess.run(
        [*kubectl, "apply", "--server-side", "--force-conflicts", "--field-manager=test", "--dry-run=server", "-f-"],
        input=rendered,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


CLUSTER_WIDE = {"providerConfigRef": {"kind": "ClusterProviderConfig", "name": "prod"}}


def test_nobody_borrows_credentials_that_they_may_not_use(guards: Guards) -> None:
    """`alice` may edit claims of the namespace, and nothing of AWS."""
    guards.kubectl("create", "rolebinding", "alice", "--clusterrole=edit", "--user=alice")
    alice = ("--as=alice", "--as-group=system:authenticated")
    claim = {**alone(cidr="10.8.0.0/16", **CLUSTER_WIDE), "metadata": {"name": "borrowed"}}
    WHO["alice"] = alice
    try:
        refusal = guards.refusal("alice", "create", "--filename=-", stdin=claim)
        assert refusal.startswith("you may not use ClusterProviderConfig prod. Leave spec.providerConfigRef out")
        name = f"{guards.namespace}-use"
        rule = {"apiGroups": ["aws.m.upbound.io"], "resources": ["clusterproviderconfigs"], "verbs": ["use"]}
        role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name}}
        guards.kubectl("apply", "--filename=-", stdin={**role, "rules": [{**rule, "resourceNames": ["prod"]}]})
        guards.kubectl("create", "clusterrolebinding", name, f"--clusterrole={name}", "--user=alice")
        try:
            guards.until_passing("alice", "create", "--filename=-", stdin=claim)
        finally:
            guards.kubectl("delete", "clusterrolebinding,clusterrole", name)
    finally:
        del WHO["alice"]
