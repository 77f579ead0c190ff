"""The trail of a region: the CloudTrail trail that change reports are read from, where nobody else has made one.

One a region and not one for all: a region that is added, or that goes, brings and takes its own, and its log stays in
its own log bucket. It records every management event, as an auditor expects of a trail.
"""

from tap_api.sections import Trail
from tap_stack import aws, names
from tap_stack.managed import Handling
from tap_stack.monitoring.changes import IAM_REGION
from tap_stack.monitoring.scope import Monitoring
from tap_stack.observation import Observed
from tap_stack.resource import Resources
from tap_stack.storage import logs
from tap_stack.values import Unknown

TRAIL = "trail"
#: CreateTrail tries both, and a trail that cannot deliver is charged for its tries, for thirty days
#: (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html).
NOT_ADMITTED = Unknown("the log bucket and the key, until AWS shows the policies that admit the trail")


def resources(monitoring: Monitoring) -> Resources:
    """Yields the trail, where it is ours to make."""
    subject = monitoring.subject
    if monitoring.spec.trail is not Trail.CREATE:
        return
    yield monitoring.make(
        TRAIL,
        aws.TRAIL,
        {
            "s3BucketNameRef": subject.part_ref("storage", logs.BUCKET),
            "s3KeyPrefix": names.TRAIL,
            # The log bucket encrypts with S3's own keys, for access logs leave no choice. CloudTrail names a key with
            # each object that it writes, so what it writes is encrypted with ours; by ARN (05, section 1.1).
            "kmsKeyId": subject.key_arn,
            "enableLogFileValidation": True,
            "enableLogging": True,
            "isMultiRegionTrail": False,
            # IAM and STS record in one region alone, whichever asks for them; and a claim without that region gets none
            # (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/
            # cloudtrail-create-and-update-a-trail-by-using-the-aws-cli-update-trail.html).
            "includeGlobalServiceEvents": subject.region == IAM_REGION,
        },
        external_name=names.trail(subject),
        handling=Handling(after=() if subject.spec.trail_admitted else (NOT_ADMITTED,)),
    )


def records(observed: Observed) -> bool:
    """Returns whether AWS has the trail, and it was not stopped."""
    observation = observed.get(TRAIL)
    ready = observation.condition("Ready") if observation else None
    return bool(
        observation
        and ready
        and ready.status == "True"
        and observation.field("status", "atProvider", "enableLogging") is True
    )
