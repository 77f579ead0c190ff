"""The checks of `tap doctor`, each finding of each, by whole values; and the verb on a double of the apiserver."""

import base64
import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from click.testing import CliRunner

from doubles.restapi import RestApi, serving
from tap_api.base import Json
from tap_api.errors import TapError
from tap_api.kinds import XRS
from tap_api.schema import xrd
from tap_cli.doctor.checks import CHECKS, examine
from tap_cli.doctor.finding import INSTALL, Answer, Facts, Verdict
from tap_cli.doctor.reader import QUESTIONS
from tap_cli.main import cli
from tap_stack.catalogue import catalogue
from tap_stack.emit import activation_policy, composition

AUTHORITY = trustme.CA()
NOW = datetime.now(UTC)
CONFIG = "/apis/aws.m.upbound.io/v1beta1/namespaces/tap-prod/providerconfigs/tap-prod"
KEPT = "/api/v1/namespaces/tap-prod/secrets/aws"
OK, WARNING, PROBLEM, SKIPPED = Verdict.OK, Verdict.WARNING, Verdict.PROBLEM, Verdict.SKIPPED


def ready(*kinds: str) -> Json:
    return {"conditions": [{"type": kind, "status": "True"} for kind in kinds]}


def items(*found: Json) -> Json:
    return {"items": list(found)}


def healthy() -> dict[str, Any]:
    """Returns what is answered to each question where all is well."""
    containers = [
        {
            "image": "registry/crossplane:v2.4.0",
            "args": ["core", "start", "--circuit-breaker-burst=2000", "--circuit-breaker-refill-rate=50"],
        }
    ]
    served: dict[str, list[Json]] = {}
    for entry in catalogue().values():
        served.setdefault(entry.api_version, []).append({"name": entry.plural})
    function = {
        "metadata": {"name": "function-tap"},
        "spec": {"package": "registry/function-tap:v0.1.0"},
        "status": ready("Installed", "Healthy"),
    }
    environment = {"metadata": {"name": "prod", "namespace": "tap-prod"}, "spec": {"environment": "prod"}}
    ca = base64.b64encode(AUTHORITY.cert_pem.bytes()).decode()
    return {
        "version": {"gitVersion": "v1.36.4"},
        "crossplane": items(
            {
                "metadata": {"namespace": "crossplane-system", "name": "crossplane"},
                "spec": {"template": {"spec": {"containers": containers}}},
            }
        ),
        "providers": items({"metadata": {"name": "aws-rds"}, "status": ready("Installed", "Healthy")}),
        "functions": items(function),
        "activation": items(activation_policy()),
        "xrds": items(*({**xrd(kind), "status": ready("Established")} for kind in XRS)),
        "compositions": items(*(composition(kind) for kind in XRS)),
        "environments": items(environment),
        "api": {"resources": [{"name": "environmenttaps"}]},
        "webhook": {
            "metadata": {"labels": {"app.kubernetes.io/version": "0.1.0"}},
            "webhooks": [
                {
                    "clientConfig": {"caBundle": ca, "service": {"namespace": "tap-system", "name": "tap-admission"}},
                    "matchConditions": [{"name": "not-the-operator", "expression": "true"}],
                }
            ],
        },
        "lease": {
            "metadata": {"namespace": "tap-system"},
            "spec": {"holderIdentity": "pod-1", "leaseDurationSeconds": 15, "renewTime": NOW.isoformat()},
        },
        "deployments": items(deployment("tap-operator"), deployment("tap-admission")),
        CONFIG: {
            "metadata": {"namespace": "tap-prod", "name": "tap-prod"},
            "spec": {"credentials": {"source": "Secret", "secretRef": {"namespace": "tap-prod", "name": "aws"}}},
        },
        KEPT: {"metadata": {"name": "aws"}},
        **{group: {"resources": resources} for group, resources in served.items()},
    }


def deployment(name: str, tag: str = "0.1.0", is_ready: int = 2) -> Json:
    return {
        "metadata": {"namespace": "tap-system", "name": name},
        "spec": {"replicas": 2, "template": {"spec": {"containers": [{"image": f"registry/{name}:{tag}"}]}}},
        "status": {"readyReplicas": is_ready},
    }


#: An image may be asked for by its digest, too (charts/operator, image.digest).
DIGEST = "sha256:" + "0" * 64
REFUSED = Answer("denied the request: 1 problem: spec.regions[1].cidr: … (CidrOverlap)")


def facts(answers: dict[str, Any], **more: Any) -> Facts:
    given = {key: value if isinstance(value, Answer) else Answer(value) for key, value in answers.items()}
    how = {"webhook": REFUSED, "certificate": NOW + timedelta(days=300), **more}
    return Facts(given, NOW, "0.1.0", **how)


def found(check: str, given: Facts) -> list[tuple[Verdict, str, str]]:
    return [(f.verdict, f.text, f.mend) for f in examine(given) if f.check == check and f.verdict is not OK]


def test_where_all_is_well_every_check_says_so_and_nothing_else() -> None:
    findings = examine(facts(healthy()))
    assert {finding.verdict for finding in findings} == {OK}
    assert list(dict.fromkeys(finding.check for finding in findings)) == list(CHECKS)


def crossplane_of(image: str, *args: str) -> Callable[[dict[str, Any]], None]:
    def change(answers: dict[str, Any]) -> None:
        container = answers["crossplane"]["items"][0]["spec"]["template"]["spec"]["containers"][0]
        container.update({"image": image, "args": list(args)})

    return change


def put(question: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda answers: answers.update({question: value})


def unserved(answers: dict[str, Any]) -> None:
    group = next(entry.api_version for entry in catalogue().values() if entry.plural == "vpcs")
    answers[group]["resources"] = [item for item in answers[group]["resources"] if item["name"] != "vpcs"]


def set_status(question: str, kind: str, message: str) -> Callable[[dict[str, Any]], None]:
    def change(answers: dict[str, Any]) -> None:
        entry = {"type": kind, "status": "False", "message": message}
        answers[question]["items"][0]["status"] = {"conditions": [*ready("Installed")["conditions"], entry]}

    return change


def without(question: str) -> Callable[[dict[str, Any]], None]:
    return lambda answers: answers[question]["items"].pop(0) and None


def changed_xrd(answers: dict[str, Any]) -> None:
    made = deepcopy(answers["xrds"]["items"][0])
    made["spec"]["names"]["kind"] = "Other"
    answers["xrds"]["items"][0] = made


FIRST = xrd(XRS[0])["metadata"]["name"]
KIND_OF_CREDENTIALS = "ProviderConfig tap-prod"
CASES: list[tuple[str, Callable[[dict[str, Any]], None], list[tuple[Verdict, str, str]]]] = [
    (
        "kubernetes",
        put("version", {"gitVersion": "v1.29.1"}),
        [(PROBLEM, "Kubernetes v1.29.1 is too old", "upgrade the cluster to 1.31 or later")],
    ),
    (
        "crossplane",
        put("xrds", None),
        [(PROBLEM, "Crossplane is not installed", "install Crossplane 2.4.0 or later (`make up` does)")],
    ),
    (
        "crossplane",
        put("crossplane", items()),
        [
            (
                SKIPPED,
                "its version and flags cannot be seen: no Deployment with the label app=crossplane",
                "where it runs beside the cluster, ask it: crossplane --version",
            )
        ],
    ),
    (
        "crossplane",
        crossplane_of(
            "registry:5000/crossplane:v2.3.4", "--circuit-breaker-burst=2000", "--circuit-breaker-refill-rate=50"
        ),
        [
            (
                PROBLEM,
                "Crossplane 2.3.4 (Deployment crossplane-system/crossplane) is too old",
                "upgrade it to 2.4.0 or later: before, whoever edits resourceRefs tells it what to delete",
            )
        ],
    ),
    (
        "crossplane",
        crossplane_of(f"registry/crossplane:v2.4.0@{DIGEST}", "--circuit-breaker-burst=100"),
        [
            (
                WARNING,
                "the circuit breaker of Deployment crossplane-system/crossplane opens while a region is made",
                "add --circuit-breaker-burst=2000 --circuit-breaker-refill-rate=50 to its args (Helm: args)",
            )
        ],
    ),
    (
        "provider",
        unserved,
        [
            (
                PROBLEM,
                "1 of 57 kinds are not served: vpcs.ec2.aws.m.upbound.io",
                "install the packages of docs/reference/provider-packages.yaml, and activate their kinds",
            )
        ],
    ),
    (
        "provider",
        set_status("providers", "Healthy", "no such image"),
        [(PROBLEM, "Provider aws-rds is not Healthy: no such image", "kubectl describe provider aws-rds")],
    ),
    (
        "activation",
        put("activation", items()),
        [
            (
                PROBLEM,
                f"57 kinds that are composed are not activated, such as {activation_policy()['spec']['activate'][0]}",
                "kubectl apply -f compositions/activation-policy.yaml",
            )
        ],
    ),
    ("activation", put("activation", items({"spec": {"activate": ["*"]}})), []),
    (
        "activation",
        put("activation", None),
        [(SKIPPED, "this Crossplane knows no ManagedResourceActivationPolicy", "")],
    ),
    (
        "api",
        put("api", None),
        [(PROBLEM, "EnvironmentTap is not served", INSTALL)],
    ),
    ("api", put("xrds", items()), [(PROBLEM, "all 7 of xrds/ are missing", "kubectl apply -f xrds/")]),
    ("api", without("xrds"), [(PROBLEM, f"XRD {FIRST} is missing", f"kubectl apply -f xrds/{FIRST}.yaml")]),
    (
        "api",
        without("compositions"),
        [(PROBLEM, f"Composition {FIRST} is missing", f"kubectl apply -f compositions/{FIRST.partition('.')[0]}.yaml")],
    ),
    (
        "api",
        set_status("xrds", "Established", "a kind of that name is there"),
        [(PROBLEM, f"XRD {FIRST} is not established: a kind of that name is there", f"kubectl describe xrd {FIRST}")],
    ),
    (
        "api",
        changed_xrd,
        [
            (
                WARNING,
                f"XRD {FIRST} is of another build than this `tap`",
                f"kubectl apply -f xrds/{FIRST}.yaml, or use the `tap` of that build",
            )
        ],
    ),
    (
        "function",
        without("functions"),
        [(PROBLEM, "Function function-tap is missing: nothing is composed", "install the package of function-tap")],
    ),
    (
        "function",
        set_status("functions", "Healthy", "cannot pull"),
        [
            (
                PROBLEM,
                "Function function-tap is not Healthy: cannot pull",
                "kubectl describe functions.pkg.crossplane.io function-tap",
            )
        ],
    ),
    (
        "webhook",
        put("webhook", None),
        [
            (
                PROBLEM,
                "ValidatingWebhookConfiguration tap-admission is missing: policy is judged after storage alone",
                INSTALL,
            )
        ],
    ),
    (
        "webhook",
        put("webhook", {"metadata": {}, "webhooks": [{"clientConfig": {"caBundle": "Q0E="}}]}),
        [
            (
                PROBLEM,
                "its matchConditions are gone: what the operator writes is judged as a person's would be, and refused",
                "upgrade cert-manager to 1.12 or later, which leaves them, and then the operator's release",
            ),
            (SKIPPED, "caBundle: it holds no certificate of a CA", ""),
        ],
    ),
    (
        "operator",
        put("lease", None),
        [(PROBLEM, "there is no Lease tap-operator: no operator ever ran", INSTALL)],
    ),
    (
        "operator",
        put(
            "lease",
            {"metadata": {"namespace": "x"}, "spec": {"holderIdentity": "p", "renewTime": "2026-01-01T00:00:00Z"}},
        ),
        [
            (
                PROBLEM,
                "no operator acts: its Lease was renewed last at 2026-01-01 00:00:00 UTC",
                "kubectl get pods -n x -l app.kubernetes.io/component=operator",
            )
        ],
    ),
    ("credentials", put("environments", items()), [(SKIPPED, "there is no EnvironmentTap yet", "")]),
    (
        "credentials",
        put(CONFIG, None),
        [
            (
                PROBLEM,
                f"tap-prod/prod: {KIND_OF_CREDENTIALS} is missing",
                "make it (docs/credentials.md), or name another one in spec.providerConfigRef",
            )
        ],
    ),
    (
        "credentials",
        put(KEPT, None),
        [
            (
                PROBLEM,
                f"tap-prod/prod: {KIND_OF_CREDENTIALS} names Secret tap-prod/aws, which is not there",
                "make that Secret",
            )
        ],
    ),
    (
        "credentials",
        put(KEPT, Answer(right="GET /secrets")),
        [
            (
                SKIPPED,
                "tap-prod/prod: not looked at: you may not GET /secrets",
                "ask for that right, or somebody who has it",
            )
        ],
    ),
    (
        "credentials",
        put(CONFIG, {"metadata": {"name": "tap-prod"}, "spec": {"credentials": {"source": "None"}}}),
        [
            (
                WARNING,
                f"tap-prod/prod: {KIND_OF_CREDENTIALS} has no credentials: nothing reaches AWS",
                "set spec.credentials of it",
            )
        ],
    ),
    (
        "versions",
        put(
            "deployments", items(deployment("tap-operator", f"0.0.9@{DIGEST}"), deployment("tap-admission", is_ready=1))
        ),
        [
            (
                WARNING,
                "1 of 2 pods of tap-admission are ready",
                "kubectl describe deploy tap-admission -n tap-system",
            ),
            (WARNING, "this `tap` is 0.1.0, and there is tap-operator 0.0.9", "bring all to one version"),
        ],
    ),
]


@pytest.mark.parametrize(("check", "change", "expected"), CASES)
def test_what_is_wrong_is_found_with_what_mends_it(
    check: str, change: Callable[[dict[str, Any]], None], expected: list[tuple[Verdict, str, str]]
) -> None:
    answers = deepcopy(healthy())
    change(answers)
    assert found(check, facts(answers)) == expected


@pytest.mark.parametrize(
    ("said", "verdict", "begins"),
    [
        (Answer(), PROBLEM, "it does not judge: a claim that policy refuses passed a dry run"),
        (
            Answer("failed calling webhook: x509: unknown authority"),
            PROBLEM,
            "its certificate is not one of caBundle: failed",
        ),
        (Answer("failed calling webhook: connection refused"), PROBLEM, "it does not answer: failed calling webhook"),
        (
            Answer(right="POST /x (a dry run)"),
            SKIPPED,
            "whether it answers was not tried: you may not POST /x (a dry run)",
        ),
    ],
)
def test_whether_the_webhook_judges_is_tried(said: Answer, verdict: Verdict, begins: str) -> None:
    [(got, text, mend)] = found("webhook", facts(healthy(), webhook=said))
    assert (got, text.startswith(begins), bool(mend)) == (verdict, True, True)


@pytest.mark.parametrize(
    ("until", "verdict", "text"),
    [
        (
            NOW - timedelta(days=1),
            PROBLEM,
            f"the certificate of the webhook expired on {NOW - timedelta(days=1):%Y-%m-%d}",
        ),
        (
            NOW + timedelta(days=9),
            WARNING,
            f"the certificate of the webhook expires on {NOW + timedelta(days=9):%Y-%m-%d}",
        ),
        (
            "it is shown inside the cluster alone",
            SKIPPED,
            "the certificate of the webhook: it is shown inside the cluster alone",
        ),
    ],
)
def test_a_certificate_that_ends_is_told_before_it_does(until: datetime | str, verdict: Verdict, text: str) -> None:
    assert [(v, t) for v, t, _ in found("webhook", facts(healthy(), certificate=until))] == [(verdict, text)]


@pytest.mark.parametrize("tag", ["v0.2.0", "0.0.1"])
def test_a_function_of_another_version_is_told(tag: str) -> None:
    answers = healthy()
    answers["functions"]["items"][0]["spec"]["package"] = f"registry:5000/function-tap:{tag}"
    assert found("function", facts(answers)) == [
        (WARNING, f"Function function-tap is {tag}, this `tap` is 0.1.0", "bring both to one version")
    ]


@pytest.mark.parametrize("question", [*QUESTIONS, "lease", "deployments"])
def test_a_check_that_may_not_look_says_which_right_is_missing_and_breaks_no_other(question: str) -> None:
    answers = healthy()
    answers[question] = Answer(right=f"GET {question}")
    odd = [finding for finding in examine(facts(answers)) if finding.verdict is not OK]
    assert odd
    assert {(finding.verdict, finding.text) for finding in odd} == {
        (SKIPPED, f"not looked at: you may not GET {question}")
    }


def run(api: RestApi, folder: Path, *args: str) -> tuple[int, str]:
    with serving(api, folder) as kubeconfig:
        done = CliRunner().invoke(
            cli, ["doctor", "--kubeconfig", str(kubeconfig), *args], env={"NO_PROXY": "127.0.0.1"}
        )
    error = str(done.exception) if isinstance(done.exception, TapError) else ""
    # In a group click drops what a command returns; the entry point does not.
    return done.exit_code, done.output + error


def test_a_cluster_without_anything_is_told_what_it_lacks(tmp_path: Path) -> None:
    api = RestApi()
    api.objects["/version"] = {"gitVersion": "v1.36.4", "metadata": {}}
    _, text = run(api, tmp_path, "-o", "json")
    rows = json.loads(text)["findings"]
    verdicts = {(row["check"], row["verdict"]) for row in rows}
    assert {
        ("kubernetes", "ok"),
        ("crossplane", "problem"),
        ("function", "problem"),
        ("operator", "problem"),
    } <= verdicts
    assert all(row.get("mend") for row in rows if row["verdict"] == "problem")


def test_who_may_read_nothing_is_told_so_check_by_check(tmp_path: Path) -> None:
    api = RestApi()
    api.refused["GET", "/"] = (403, "forbidden")
    api.refused["POST", "/"] = (403, 'User "alice" cannot create resource "environmenttaps"')
    _, text = run(api, tmp_path)
    assert "skip  kubernetes   not looked at: you may not GET /version" in text
    assert text.rstrip().endswith(f"0 ok, 0 to look at, 0 to mend, {len(CHECKS)} not seen")
