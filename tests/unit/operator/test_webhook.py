"""The webhook as the apiserver meets it: over TLS, through kopf's own admission engine, with kopf's handlers."""

import asyncio
import io
import json
import socket
import ssl
from collections.abc import AsyncIterator
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import kopf
import pytest
import trustme
from kopf._cogs.structs.ephemera import AnyMemo, Memo
from kopf._cogs.structs.references import Insights
from kopf._cogs.structs.references import Resource as KopfResource
from kopf._core.engines.admission import serve_admission_request
from kopf._core.engines.indexing import OperatorIndexers
from kopf._core.reactor.inventory import ResourceMemories

from policy_cases import HOUSE
from tap_api.base import GROUP, VERSION, Json
from tap_api.policy import Organisation
from tap_operator.admission import KINDS, handlers
from tap_operator.webhook import Webhook
from unit.operator.double import InMemoryCluster

HOST = "tap-admission.tap-system.svc"
GOOD: Json = {
    "apiVersion": "admission.k8s.io/v1",
    "kind": "AdmissionReview",
    "request": {
        "uid": "705ab4f5",
        "operation": "CREATE",
        "userInfo": {"username": "somebody"},
        "resource": {"group": GROUP, "version": VERSION, "resource": "environmenttaps"},
        "object": {
            "metadata": {"name": "prod", "namespace": "tap-prod"},
            "spec": {
                "environment": "prod",
                "primaryRegion": "us-east-1",
                "tags": {"CostCenter": "platform-4200"},
                "regions": [{"name": "us-east-1", "cidr": "10.0.0.0/16"}],
            },
        },
        "oldObject": None,
    },
}


PLURALS = tuple(kind.plural for kind in KINDS)


def judge(plurals: tuple[str, ...] = PLURALS, organisation: Organisation | None = None) -> Any:
    """Returns kopf's admission engine with our handlers, in a cluster that serves `plurals`."""
    insights = Insights()
    insights.webhook_resources.update(
        KopfResource(group=GROUP, version=VERSION, plural=plural, namespaced=True, preferred=True) for plural in plurals
    )
    return partial(
        serve_admission_request,
        settings=kopf.OperatorSettings(),
        memories=ResourceMemories(),
        memobase=AnyMemo(Memo()),
        registry=handlers(InMemoryCluster(), organisation),
        insights=insights,
        indices=OperatorIndexers().indices,
    )


def issue(authority: trustme.CA, folder: Path) -> None:
    leaf = authority.issue_cert(HOST)
    folder.joinpath("tls.crt").write_bytes(b"".join(pem.bytes() for pem in leaf.cert_chain_pems))
    folder.joinpath("tls.key").write_bytes(leaf.private_key_pem.bytes())


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Served:
    """A webhook that serves, and what the apiserver trusts."""

    def __init__(self, webhook: Webhook, port: int, authority: trustme.CA, folder: Path) -> None:
        self.webhook, self.port, self.authority, self.folder = webhook, port, authority, folder

    async def post(self, body: bytes | Json, path: str = "/?timeout=3s", authority: trustme.CA | None = None) -> Any:
        trust = ssl.create_default_context()
        (authority or self.authority).configure_trust(trust)
        data = io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session,
            session.post(f"https://127.0.0.1:{self.port}{path}", data=data, ssl=trust, server_hostname=HOST) as answer,
        ):
            text = await answer.text()
            try:
                return answer.status, json.loads(text)
            except ValueError:
                return answer.status, text


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    authority, port = trustme.CA(), free_port()
    issue(authority, tmp_path)
    webhook = Webhook("127.0.0.1", port, tmp_path, file_check_interval=0.05)
    listening = asyncio.Event()

    async def serve() -> None:
        async for _ in webhook(judge()):
            listening.set()

    task = asyncio.create_task(serve())
    await asyncio.wait_for(listening.wait(), 10)
    yield Served(webhook, port, authority, tmp_path)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def without(*path: str) -> Json:
    made = deepcopy(GOOD)
    place = made
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return made


def with_request(**fields: Any) -> Json:
    made = deepcopy(GOOD)
    made["request"].update(fields)
    return made


async def test_an_open_api_is_allowed_with_a_warning(served: Served) -> None:
    review = with_request()
    review["request"]["object"]["spec"]["api"] = {"authorization": "None"}
    response = (await served.post(review))[1]["response"]
    assert (response["allowed"], response["warnings"]) == (
        True,
        ["spec.api.authorization: None lets anybody on the internet call the API; use AWS_IAM or JWT (OpenApi)"],
    )


async def test_a_good_claim_is_allowed(served: Served) -> None:
    status, answer = await served.post(GOOD)
    assert (status, answer["response"]) == (200, {"uid": "705ab4f5", "allowed": True})


@pytest.mark.parametrize("path", ["/", "/?timeout=3s", "/environmenttap", "/no/such/handler"])
async def test_a_bad_claim_is_refused_whatever_the_path(served: Served, path: str) -> None:
    bad = deepcopy(GOOD)
    bad["request"]["object"]["spec"]["tags"] = {}
    status, answer = await served.post(bad, path)
    assert (status, answer["response"]) == (
        200,
        {
            "uid": "705ab4f5",
            "allowed": False,
            "status": {
                "code": 422,
                "message": "1 problem in EnvironmentTap tap-prod/prod:\nspec.tags.CostCenter: is required on every AWS "
                "resource; add it, such as `CostCenter: platform-4200` (TagMissing)",
            },
        },
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the body is not JSON"),
        (b"{", "the body is not JSON"),
        (b"\xff\xfe", "the body is not JSON"),
        (b"[" * 100_000, "the body is not JSON"),
        (b"null", "not an AdmissionReview"),
        (b"[]", "not an AdmissionReview"),
        (b"{}", "not an AdmissionReview"),
        (without("kind"), "not an AdmissionReview"),
        (without("request"), "request is missing"),
        ({"kind": "AdmissionReview", "request": "x"}, "request is missing"),
        (without("request", "uid"), "request.uid must be text"),
        (with_request(uid=5), "request.uid must be text"),
        (without("request", "operation"), "request.operation must be one of CREATE, UPDATE, DELETE, CONNECT"),
        (with_request(operation=["CREATE"]), "request.operation must be one of CREATE, UPDATE, DELETE, CONNECT"),
        (without("request", "userInfo"), "request.userInfo must be an object"),
        (
            without("request", "resource"),
            "request.resource must be one of environmenttaps, regionaltaps in tap.platform",
        ),
        (
            with_request(resource={"group": "", "version": "v1", "resource": "pods"}),
            "request.resource must be one of environmenttaps, regionaltaps in tap.platform",
        ),
        (with_request(object="x"), "request.object must be an object with metadata"),
        (with_request(object={"spec": {}}), "request.object must be an object with metadata"),
        (with_request(object=None), "request has neither object nor oldObject"),
        (with_request(oldObject=[]), "request.oldObject must be an object with metadata"),
    ],
)
async def test_what_is_no_review_is_answered_400_and_a_sentence(
    served: Served, body: bytes | Json, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert await served.post(body) == (400, {"message": message})
    assert "Traceback" not in caplog.text


async def test_a_body_without_end_is_not_read_to_its_end(served: Served) -> None:
    status, _ = await served.post(b" " * (2**20 + 1))
    assert status == 413


async def test_a_kind_that_is_not_served_yet_is_answered_503(served: Served) -> None:
    served.webhook._judge = None  # Only to show that it is not what answers.
    review = with_request(resource={"group": GROUP, "version": "v9", "resource": "environmenttaps"})
    status, answer = await served.post(review)
    assert status == 503
    assert answer["message"].startswith("cannot judge: The specified resource has no handlers")


async def test_it_is_ready_once_it_has_judged_a_good_and_a_bad_claim(served: Served) -> None:
    assert await served.webhook.unready() == ""


@pytest.mark.parametrize(
    ("judged_by", "wrong"),
    [
        (None, "not listening yet"),
        (judge(()), "cannot judge: The specified resource has no handlers"),
        (partial(judge(), webhook="no-such-handler"), "misjudges a good and a bad claim: [True, True]"),
    ],
    ids=["nothing", "no kind", "no handler"],
)
async def test_it_is_not_ready_before(tmp_path: Path, judged_by: Any, wrong: str) -> None:
    webhook = Webhook("127.0.0.1", 1, tmp_path)
    webhook._judge = judged_by
    assert (await webhook.unready()).startswith(wrong)


async def test_a_renewed_certificate_is_taken_up_and_half_a_renewal_is_not(served: Served) -> None:
    renewed = trustme.CA()
    key = served.folder.joinpath("tls.key").read_bytes()
    issue(renewed, served.folder)
    new_key = served.folder.joinpath("tls.key").read_bytes()
    served.folder.joinpath("tls.key").write_bytes(key)
    await asyncio.sleep(0.3)
    halfway, _ = await served.post(GOOD)
    served.folder.joinpath("tls.key").write_bytes(new_key)
    await asyncio.sleep(0.3)
    whole, _ = await served.post(GOOD, authority=renewed)
    assert (halfway, whole) == (200, 200)
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        await served.post(GOOD)


async def test_what_the_organisation_asks_for_is_refused_to_people_and_keeps_no_replica_from_being_ready(
    tmp_path: Path,
) -> None:
    webhook = Webhook("127.0.0.1", 1, tmp_path)
    webhook._judge = judge(organisation=HOUSE)
    assert await webhook.unready() == ""
    review = deepcopy(GOOD)
    review["request"]["object"]["metadata"]["uid"] = "7f1c"  # The apiserver gives it before it asks.
    answer = await judge(organisation=HOUSE)(review, webhook=None, headers={}, sslpeer=None)
    assert answer["response"]["allowed"] is False
    assert (
        "spec.tags.Owner: is required by your organisation; add it (OrganisationTag)"
        in (answer["response"]["status"]["message"])
    )
