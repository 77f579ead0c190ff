"""A stack of the Terraform CDK's Python successor, synthesized: what `tap plan` is timed against (bench/plan.py).

It asks for as many resources as the plan tells, in the same three regions, of ten kinds that the plan has too. Run it
with the interpreter of an environment that has requirements/bench.txt:

    python bench/cdktn_peer.py COUNT FOLDER
"""

import sys

from cdktn import App, TerraformStack
from cdktn_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktn_provider_aws.cloudwatch_metric_alarm import CloudwatchMetricAlarm
from cdktn_provider_aws.iam_role import IamRole
from cdktn_provider_aws.kms_key import KmsKey
from cdktn_provider_aws.provider import AwsProvider
from cdktn_provider_aws.route_table import RouteTable
from cdktn_provider_aws.s3_bucket import S3Bucket
from cdktn_provider_aws.sns_topic import SnsTopic
from cdktn_provider_aws.sqs_queue import SqsQueue
from cdktn_provider_aws.subnet import Subnet
from cdktn_provider_aws.vpc import Vpc

REGIONS = ("us-east-1", "us-east-2", "eu-west-1")
#: Nobody is asked who we are: a plan of what is not there yet needs no AWS.
NOBODY = {
    **dict.fromkeys(("access_key", "secret_key"), "none"),
    **dict.fromkeys(("skip_credentials_validation", "skip_requesting_account_id", "skip_region_validation"), True),
    "skip_metadata_api_check": "true",
}
TAGS = {"CostCenter": "platform-4200", "Environment": "prod"}


def main() -> None:
    """Synthesizes the stacks."""
    count, folder = int(sys.argv[1]), sys.argv[2]
    app = App(outdir=folder)
    for index, region in enumerate(REGIONS):
        stack = TerraformStack(app, region)
        AwsProvider(stack, "aws", region=region, **NOBODY)
        # Its state in memory, so that a plan needs no `init` before it.
        stack.add_override("terraform.backend", None)
        _resources(stack, (count + index) // len(REGIONS), index)
    app.synth()


def _resources(stack: TerraformStack, count: int, index: int) -> None:
    vpc = Vpc(stack, "vpc", cidr_block=f"10.{index}.0.0/16", tags=TAGS)
    makers = (
        lambda name, n: Subnet(stack, name, vpc_id=vpc.id, cidr_block=f"10.{index}.{n % 256}.0/24", tags=TAGS),
        lambda name, _: RouteTable(stack, name, vpc_id=vpc.id, tags=TAGS),
        lambda name, _: CloudwatchLogGroup(stack, name, name=name, retention_in_days=365, tags=TAGS),
        lambda name, _: IamRole(stack, name, name=name, assume_role_policy="{}", tags=TAGS),
        lambda name, _: SqsQueue(stack, name, name=name, tags=TAGS),
        lambda name, _: SnsTopic(stack, name, name=name, tags=TAGS),
        lambda name, _: S3Bucket(stack, name, bucket=name, tags=TAGS),
        lambda name, _: KmsKey(stack, name, enable_key_rotation=True, tags=TAGS),
        lambda name, _: CloudwatchMetricAlarm(
            stack, name, alarm_name=name, comparison_operator="GreaterThanThreshold", evaluation_periods=1, tags=TAGS
        ),
    )
    for n in range(count - 1):
        makers[n % len(makers)](f"resource-{n}", n)


if __name__ == "__main__":
    main()
