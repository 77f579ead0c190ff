"""The webhook as the apiserver meets it: over TLS, through kopf's own admission engine, with kopf's handlers."""

import asyncio
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import trustme

from policy_cases import HOUSE
from tap_api.base import GROUP, Json
from tap_operator.webhook import Webhook
from unit.operator.served import GOOD, PLURALS, Served, connect, issue, judge, serving


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


def nested(levels: int) -> list[Any]:
    made: list[Any] = []
    for _ in range(levels - 1):
        made = [made]
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
        (without("request", "operation"), "request.operation must be one of CREATE, UPDATE, DELETE"),
        (with_request(operation=["CREATE"]), "request.operation must be one of CREATE, UPDATE, DELETE"),
        (with_request(operation="CONNECT"), "request.operation must be one of CREATE, UPDATE, DELETE"),
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
        (with_request(object=None), "request of CREATE must carry object"),
        (with_request(object=None, oldObject=GOOD["request"]["object"]), "request of CREATE must carry object"),
        (with_request(operation="UPDATE"), "request of UPDATE must carry object and oldObject"),
        (with_request(operation="DELETE", object=None), "request of DELETE must carry oldObject"),
        (with_request(subResource="status"), "request.subResource must be empty: no subresource is judged"),
        (with_request(options=nested(99)), "nested deeper than 100 levels"),
        (with_request(object={"metadata": {"name": 7}}), "request.object must be an object with metadata"),
        (with_request(object={"metadata": {"labels": {"a": 1}}}), "request.object must be an object with metadata"),
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


async def test_a_kind_that_is_served_a_moment_ago_is_judged_once_kopf_knows_of_it(tmp_path: Path) -> None:
    kopf_knows, asked = asyncio.Event(), 0

    async def fn(*args: Any, **how: Any) -> Any:
        nonlocal asked
        asked += 1
        return await judge(PLURALS if kopf_knows.is_set() else ())(*args, **how)

    async with serving(tmp_path, judged_by=fn) as served:
        answer = asyncio.create_task(served.post(GOOD))
        await asyncio.sleep(0.2)
        assert (answer.done(), asked > 0) == (False, True)
        kopf_knows.set()
        status, body = await answer
        assert (status, body["response"]["allowed"]) == (200, True)


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
    webhook = Webhook(("127.0.0.1", 1), tmp_path)
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


async def test_one_that_is_told_to_end_answers_still_and_lets_each_connection_go_that_is_used(tmp_path: Path) -> None:
    async with serving(tmp_path, drain=1.0) as served, connect(served) as session:

        async def kept() -> bool:
            async with session.post(served.url, json=GOOD) as answer:
                assert (await answer.json())["response"]["allowed"] is True
                return answer.headers.get("Connection") != "close"

        before, ending = await kept(), asyncio.create_task(served.end())
        await asyncio.sleep(0.1)
        assert [before, await kept(), await kept()] == [True, False, False], "and new connections are taken, too"
        await asyncio.wait_for(ending, 5)
        with pytest.raises(aiohttp.ClientConnectorError):
            await kept()


async def test_what_the_organisation_asks_for_is_refused_to_people_and_keeps_no_replica_from_being_ready(
    tmp_path: Path,
) -> None:
    webhook = Webhook(("127.0.0.1", 1), tmp_path)
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
