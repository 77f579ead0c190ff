"""The reference of the stack: what is tagged, what the provider needs, and pictures of what is composed. Generated."""

import json
from collections.abc import Iterable
from pathlib import PurePosixPath

from tap_api.emit import Files
from tap_api.reference import GENERATED
from tap_stack import aws, packages, permissions, pictures, policy_page
from tap_stack.catalogue import AwsKind

ROOM = PurePosixPath("docs/reference")
PACKAGES = ROOM / "provider-packages.yaml"
POLICIES = ROOM / "provider-policies"


def files() -> Files:
    """Returns the pages of the reference, and the provider's policies."""
    pages = {"tags.md": tags(), "provider.md": provider(), "pictures.md": drawn(), "policy.md": policy_page.page()}
    made = {ROOM / name: GENERATED + text for name, text in pages.items()}
    for name, document in permissions.policies().items():
        made[POLICIES / f"{name}.json"] = json.dumps(document, indent=2) + "\n"
    return made


def tags() -> str:
    """Returns the page on tags."""
    return f"""# Tags

Every AWS resource that can carry tags has `Environment`, `Region` and `CostCenter`, and whatever `spec.tags` adds. EC2
resources have `Name` too. The provider adds `crossplane-kind`, `crossplane-name` and `crossplane-providerconfig`.

AWS takes fifty tags (ten on an S3 object), so a claim may have forty-four of its own. An S3 object gets the required
ones and as many of the others, by name, as it takes. A claim in which that would leave off a tag that your organisation
requires is refused ([OrganisationTagCut](policy.md#organisationtagcut)).

## Kinds that carry tags

{_table(kind for kind in aws.KINDS if kind.entry.tags)}
## Kinds that cannot

AWS has no tags for them, or the provider none; read from the provider's CRDs. The replica of the sessions table in a
secondary region is the primary's to make, so its tags are resources of their own (`dynamodb.Tag`).

{_table(kind for kind in aws.KINDS if not kind.entry.tags)}"""


def provider() -> str:
    """Returns the page on the provider: its packages and what its role may do."""
    listed = "".join(f"- `{entry['package']}` {entry['version']}\n" for entry in packages.provider_dependencies())
    policies = "".join(
        f"- [{name}.json]({POLICIES.name}/{name}.json): {', '.join(prefixes)}\n"
        for name, prefixes in permissions.POLICIES.items()
    )
    rows = "".join(
        f"| `{kind}` | {', '.join(call.removeprefix(permissions.ANYWHERE) for call in permissions.actions([kind]))} |\n"
        for kind in aws.KINDS
    )
    return f"""# The provider

## Packages

A provider brings a thousand kinds; [the activation policy](../../compositions/activation-policy.yaml) turns on those
that are composed. They come from these packages ([as a Configuration depends on them]({PACKAGES.name})):

{listed}
## Its role

The role of the provider needs these policies. They are apart because AWS takes 6,144 characters for each:

{policies}
What has a name of ours ends in a hyphen and eight digits, so most actions are given on names that end like that. Where
AWS names a resource (EC2, KMS keys, API Gateway) they are given on every resource of the service: let the role work in
an account, or a set of regions, of its own. It makes roles and their policies: give it a permissions boundary that
refuses roles without the boundary that your claims name in `spec.permissionsBoundary`.

Your own code (`spec.processor.code`) is read from your own bucket: give the role `s3:GetObject` and
`s3:GetObjectVersion` on it.

## The calls behind each kind

| kind | actions |
|---|---|
{rows}"""


def drawn() -> str:
    """Returns the page of pictures."""
    graph = pictures.graph()
    return f"""# Pictures

Drawn from what is composed for `claims/prod.yaml`: an arrow leads from a resource to one that it refers to, names, or
waits for.

## One environment

A thick arrow crosses from one region to another.

{pictures.environment_picture(graph)}
## One region

The primary one. A dotted arrow leads to the key that encrypts.

{pictures.region_picture(graph)}"""


def _table(kinds: Iterable[AwsKind]) -> str:
    rows = "".join(f"| `{kind.entry.kind}` | `{kind.group}` |\n" for kind in sorted(kinds))
    return f"| kind | group |\n|---|---|\n{rows}"
