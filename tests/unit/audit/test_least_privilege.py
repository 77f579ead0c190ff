"""What AWS's own data and three analysers say of every policy document that is composed (05, section 6).

Nothing is excused in silence: an exception stands in a list here, with its reason, and one that excuses nothing fails.
"""

import fnmatch
import warnings

import pytest

from golden.world import Environment
from unit.audit.documents import BOUNDARY, Document, actions, documents, many

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pkg_resources, which parliament imports, is deprecated
    import parliament
    from cloudsplaining.scan.policy_document import PolicyDocument
    from policy_sentry.querying.actions import get_actions_that_support_wildcard_arns_only
    from policy_sentry.querying.all import get_all_actions

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

#: Kind and Sid of a statement on `Resource: *` -> why it is no more than is needed.
EVERYTHING = {
    ("kms.Key", "Account"): "in a key's policy * is the key; without it nobody could change the policy again",
    ("kms.Key", "Logs"): "in a key's policy * is the key",
    ("kms.Key", "Alarms"): "in a key's policy * is the key",
    ("kms.Key", "Changes"): "in a key's policy * is the key",
    ("kms.Key", "Trail"): "in a key's policy * is the key",
    ("ec2.VPCEndpoint", "ThisAccount"): "an endpoint's policy gives nothing: it narrows what goes through, by account",
    ("iam.RolePolicy", "Interfaces"): "Lambda asks for it on every resource; the code is refused by NotByTheCode",
}

#: Kind, issue and a pattern of its detail -> why parliament, whose data is of 2025-04, is not followed.
FINDINGS = {
    ("iam.Role", "MALFORMED", "*neither Resource nor NotResource*"): "a trust policy has no Resource",
    (
        "iam.RolePolicy",
        "RESOURCE_MISMATCH",
        "*logs:DescribeLogGroups*",
    ): "IAM asks on arn:…:log-group::log-stream:*, which log-group:* admits; parliament knows of * alone",
    ("iam.RolePolicy", "RESOURCE_STAR", "*ec2:CreateNetworkInterface*"): "see Interfaces in EVERYTHING",
    (
        "iam.RolePolicy",
        "UNKNOWN_CONDITION_FOR_ACTION",
        "*lambda:SourceFunctionArn for action ec2:*",
    ): "Lambda sets it on every call of a function's code, to whatever service",
    ("kms.Key", "RESOURCE_STAR", "*kms:*"): "in a key's policy * is the key",
    (
        "kms.Key",
        "UNKNOWN_CONDITION_FOR_ACTION",
        "*kms:EncryptionContext:aws:logs:arn for action kms:DescribeKey*",
    ): "the statement is AWS's own; DescribeKey has no context, so it is simply not given",
    ("kms.Key", "MISMATCHED_TYPE", "*ArnLike*String*"): "the context's value is an ARN; the statement is AWS's own",
    ("ec2.VPCEndpoint", "RESOURCE_STAR", "*"): "see ThisAccount in EVERYTHING",
    (
        "s3.BucketPolicy",
        "MISMATCHED_TYPE_BUT_USABLE",
        "*StringNotEquals*Arn*",
    ): "a key is compared by its exact ARN: nothing in it is a wildcard",
}

#: Kind and Sid -> why cloudsplaining is not followed.
SPLAINED = {
    "Interfaces": "see EVERYTHING",
}
#: Part and purpose of each role -> the one service that takes it.
PURPOSES = {
    "network-flow-log": "vpc-flow-logs.amazonaws.com",
    "database-monitoring": "monitoring.rds.amazonaws.com",
    "processor": "lambda.amazonaws.com",
}
INTERFACES = {
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:UnassignPrivateIpAddresses",
}

ALL_ACTIONS = {action.lower() for action in get_all_actions()}


def known(pattern: str) -> bool:
    return any(fnmatch.fnmatchcase(action, pattern.lower()) for action in ALL_ACTIONS)


def kind(document: Document) -> str:
    return document.name.partition(" ")[0]


def of(*kinds: str) -> list[Document]:
    """Returns the documents of some kinds. Made when a test runs: collecting tests composes nothing."""
    found = [document for document in documents() if kind(document) in kinds]
    assert found
    return found


def test_there_are_documents_of_every_kind_that_holds_one() -> None:
    assert {kind(document) for document in documents()} == {
        "ec2.VPCEndpoint",
        "iam.Role",
        "iam.RolePolicy",
        "kms.Key",
        "s3.BucketPolicy",
        "sns.TopicPolicy",
        "sqs.QueuePolicy",
    }


def test_every_action_exists() -> None:
    named = {a for document in documents() for statement in document.statements for a in actions(statement)}
    assert sorted(action for action in named if not known(action)) == []


def without_a_resource(document: Document) -> list[str]:
    """Returns the statements on `Resource: *` whose actions could be given on less."""
    found = []
    for statement in document.statements:
        if statement["Effect"] == "Deny" or "*" not in many(statement.get("Resource", [])):
            continue
        scoped = [
            action
            for action in actions(statement)
            if action not in get_actions_that_support_wildcard_arns_only(action.partition(":")[0])
        ]
        if scoped:
            found.append(statement["Sid"])
    return found


def test_everything_is_given_on_a_resource_where_aws_can_name_one() -> None:
    used = {(kind(document), sid) for document in documents() for sid in without_a_resource(document)}
    assert used == set(EVERYTHING)


def test_a_role_is_given_actions_by_name() -> None:
    named = {a for document in of("iam.RolePolicy") for statement in document.statements for a in actions(statement)}
    assert [action for action in named if "*" in action] == []


def test_cloudsplaining_finds_no_way_up_and_no_way_out() -> None:
    for document in of("iam.RolePolicy"):
        splained(document)


def splained(document: Document) -> None:
    found = PolicyDocument(document.json)
    assert found.allows_privilege_escalation == []
    assert found.allows_data_exfiltration_actions == []
    assert found.credentials_exposure == []
    assert found.service_wildcard == []
    assert found.permissions_management_without_constraints == []
    assert found.tagging_actions_without_constraints == []
    assert found.contains_statement_using_not_action == []
    excused = INTERFACES if any(s["Sid"] in SPLAINED for s in document.statements) else set()
    assert set(found.write_actions_without_constraints) - excused == set()
    assert set(found.infrastructure_modification) - excused == set()


def findings(document: Document) -> list[tuple[str, str, str]]:
    found = parliament.analyze_policy_string(document.text).findings
    return [(kind(document), str(finding.issue), str(finding.detail)) for finding in found]


def excuse(finding: tuple[str, str, str]) -> tuple[str, str, str] | None:
    return next(
        (known for known in FINDINGS if known[:2] == finding[:2] and fnmatch.fnmatchcase(finding[2], known[2])), None
    )


def test_parliament_finds_nothing_that_is_not_explained_and_each_explanation_is_needed() -> None:
    found = {finding for document in documents() for finding in findings(document)}
    assert sorted(finding for finding in found if excuse(finding) is None) == []
    assert {excuse(finding) for finding in found} == set(FINDINGS)


def test_a_role_is_taken_by_one_service_for_this_account() -> None:
    for document in of("iam.Role"):
        (statement,) = document.statements
        assert (statement["Effect"], statement["Action"]) == ("Allow", "sts:AssumeRole")
        assert statement["Condition"]["StringEquals"]["aws:SourceAccount"] == "123456789012"
        purpose = next(purpose for purpose in PURPOSES if f"-{purpose}-" in document.name)
        assert statement["Principal"] == {"Service": PURPOSES[purpose]}


def test_every_role_has_the_permissions_boundary_of_the_claim() -> None:
    for turned in Environment("prod", permissionsBoundary=BOUNDARY).settle().values():
        roles = [r.manifest for _, c in turned for r in c.resources if r.manifest["kind"] == "Role"]
        assert [role["spec"]["forProvider"]["permissionsBoundary"] for role in roles] == [BOUNDARY] * 3


def test_the_key_admits_the_account_and_just_the_services_that_use_it() -> None:
    """Aurora, DynamoDB, S3, Lambda and SQS use it by the right of whoever calls them, so they are not in it."""
    for document in of("kms.Key"):
        admits(document)


def admits(document: Document) -> None:
    named = {statement["Sid"]: statement["Principal"] for statement in document.statements}
    region = named["Logs"]["Service"].split(".")[1]
    assert named == {
        "Account": {"AWS": "arn:aws:iam::123456789012:root"},
        "Logs": {"Service": f"logs.{region}.amazonaws.com"},
        "Alarms": {"Service": "cloudwatch.amazonaws.com"},
        "Changes": {"Service": "events.amazonaws.com"},
        **({"Trail": {"Service": "cloudtrail.amazonaws.com"}} if "Trail" in named else {}),
    }
    assert all("Condition" in statement for statement in document.statements if statement["Sid"] != "Account")
