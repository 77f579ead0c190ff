"""New objects wake the function: first it admits S3, then the bucket is told of it. AWS refuses the other order."""

from tap_api.kinds import RegionalProcessorSpec
from tap_stack import aws, names
from tap_stack.documents import Text
from tap_stack.managed import Handling, managed
from tap_stack.processor.function import ALIAS, FUNCTION, LIVE, alias_arn
from tap_stack.resource import Resource, Resources
from tap_stack.subject import Subject
from tap_stack.values import Ref, Unknown

PERMISSION = "permission-bucket"


def resources(subject: Subject[RegionalProcessorSpec]) -> Resources:
    """Yields the permission of S3, and the bucket's notification after it."""
    bucket = names.data_bucket(subject)
    source = bucket if isinstance(bucket, Unknown) else f"arn:aws:s3:::{bucket}"
    # The account too: a bucket's ARN names none, and a bucket that is deleted can become somebody else's.
    yield permission(subject, PERMISSION, "s3.amazonaws.com", source, sourceAccount=subject.account)
    yield managed(
        subject,
        "notification",
        # One for a whole bucket: whoever has another one to add adds it here.
        aws.BUCKET_NOTIFICATION,
        {
            "bucketRef": subject.part_ref("storage", "data-bucket"),
            "lambdaFunction": [
                {
                    "id": "incoming",
                    "lambdaFunctionArn": alias_arn(subject),
                    "events": ["s3:ObjectCreated:*"],
                    # Not the whole bucket: the function's own code is in it.
                    "filterPrefix": names.INCOMING,
                }
            ],
        },
        handling=Handling(after=(PERMISSION,)),
    )


def permission(subject: Subject[RegionalProcessorSpec], key: str, service: str, source: Text, **more: Text) -> Resource:
    """Returns the permission of `service` to call the alias for `source` alone."""
    return managed(
        subject,
        key,
        aws.PERMISSION,
        {
            "statementId": key,
            "action": "lambda:InvokeFunction",
            "functionNameRef": Ref(FUNCTION),
            "qualifier": LIVE,
            "principal": service,
            "sourceArn": source,
            **more,
        },
        handling=Handling(after=(ALIAS,)),
    )
