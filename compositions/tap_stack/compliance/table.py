"""The one table of controls. `docs/reference/policy.md` is made from it; a code is never used for something else."""

from tap_stack.compliance import data, exposure
from tap_stack.compliance.control import Control, Exemption

_BUCKET = ("s3.Bucket",)

CONTROLS: tuple[Control, ...] = (
    Control("KeyRotation", ("kms.Key",), data.key_rotates, "The key is rotated every year."),
    Control(
        "BucketEncryption",
        _BUCKET,
        data.bucket_encrypted,
        "New objects are encrypted with the region's key.",
        (
            Exemption(
                "the bucket that access logs go to",
                "S3 delivers them under SSE-S3 alone, so it has that (docs.aws.amazon.com/AmazonS3, ServerLogs)",
            ),
        ),
    ),
    Control("BucketPrivate", _BUCKET, data.bucket_private, "Public access is blocked in all four ways."),
    Control("BucketOwner", _BUCKET, data.bucket_owned, "There are no access lists: policies alone say who may read."),
    Control("BucketTls", _BUCKET, data.bucket_tls, "A policy refuses whatever does not come over TLS."),
    Control("BucketVersions", _BUCKET, data.bucket_versioned, "What is overwritten or deleted can be had back."),
    Control(
        "BucketLog",
        _BUCKET,
        data.bucket_logged,
        "Reads and writes leave a trace.",
        (Exemption("the bucket that access logs go to", "its log would be written into itself, for ever"),),
    ),
    Control("ObjectPrivate", ("s3.Object",), data.object_private, "An object of ours is encrypted and nobody else's."),
    Control(
        "TableEncryption",
        ("dynamodb.Table",),
        data.table_encrypted,
        "The table and each replica are encrypted with the key of their region.",
    ),
    Control(
        "TableRecovery",
        ("dynamodb.Table",),
        data.table_recovers,
        "The table and each replica can be had back as of any second.",
    ),
    Control(
        "DatabaseEncryption",
        ("rds.Cluster", "rds.GlobalCluster"),
        data.database_encrypted,
        "Storage, and with it backups, are encrypted with the region's key.",
    ),
    Control(
        "DatabaseTls",
        ("rds.Cluster", "rds.ClusterParameterGroup"),
        data.database_tls,
        "Connections without TLS are refused.",
    ),
    Control("DatabasePrivate", ("rds.ClusterInstance",), data.database_private, "No instance is on the internet."),
    Control(
        "DatabaseRecovery",
        ("rds.Cluster",),
        data.database_backed_up,
        "Backups are kept, and people and programs can log in without a password.",
    ),
    Control(
        "FunctionEncryption",
        ("lambda.Function",),
        data.encrypted_with("kmsKeyArn", "lambda.Function"),
        "The function's environment is encrypted with the region's key.",
    ),
    Control("FunctionPrivate", ("lambda.Function",), exposure.function_private, "The function runs in the VPC."),
    Control(
        "FunctionCallers",
        ("lambda.Permission",),
        exposure.invocation_scoped,
        "Who may call the function is tied to one source of this account (the confused deputy).",
    ),
    Control(
        "QueueEncryption",
        ("sqs.Queue",),
        data.encrypted_with("kmsMasterKeyId", "sqs.Queue"),
        "Messages are encrypted with the region's key.",
    ),
    Control(
        "QueueTls",
        ("sqs.Queue",),
        exposure.tls_only("sqs.Queue", "sqs.QueuePolicy", "queueUrlRef"),
        "A policy refuses whatever does not come over TLS.",
    ),
    Control(
        "TopicEncryption",
        ("sns.Topic",),
        data.encrypted_with("kmsMasterKeyId", "sns.Topic"),
        "Alarms are encrypted with the region's key until they are delivered.",
    ),
    Control(
        "TopicTls",
        ("sns.Topic",),
        exposure.tls_only("sns.Topic", "sns.TopicPolicy", "arnRef"),
        "A policy refuses whatever does not come over TLS.",
    ),
    Control(
        "SubscriptionTls",
        ("sns.TopicSubscription",),
        exposure.subscription_tls,
        "Alarms go out over HTTPS, never over HTTP.",
    ),
    Control(
        "LogEncryption",
        ("cloudwatchlogs.Group",),
        data.encrypted_with("kmsKeyId", "cloudwatchlogs.Group"),
        "Logs are encrypted with the region's key.",
    ),
    Control(
        "LogRetention", ("cloudwatchlogs.Group",), exposure.log_kept, "Logs are kept for a time that somebody chose."
    ),
    Control("FlowLogs", ("ec2.VPC",), exposure.flow_logged, "All traffic of the VPC leaves a trace."),
    Control(
        "DefaultSecurityGroup",
        ("ec2.VPC",),
        exposure.default_group_locked,
        "What forgets to choose a security group can talk to nobody.",
    ),
    Control("Ingress", ("ec2.SecurityGroupIngressRule",), exposure.ingress_closed, "Nothing is open to the internet."),
    Control(
        "Egress",
        ("ec2.SecurityGroupEgressRule",),
        exposure.egress_narrow,
        "Only HTTPS goes out to the internet.",
    ),
    Control("SubnetPrivate", ("ec2.Subnet",), exposure.subnet_private, "No subnet gives out public addresses."),
    Control(
        "DatabaseIsolated",
        ("ec2.Route",),
        exposure.database_isolated,
        "The database subnets have no way to the internet.",
    ),
    Control(
        "EndpointPolicy",
        ("ec2.VPCEndpoint",),
        exposure.endpoint_narrow,
        "Through a VPC endpoint this account reaches this account's data, and no other's.",
    ),
    Control(
        "PolicyPublic",
        ("kms.Key", "s3.BucketPolicy", "sns.TopicPolicy", "sqs.QueuePolicy"),
        exposure.policy_private,
        "No policy of a resource gives anything to everybody.",
    ),
    Control(
        "RoleWildcard",
        ("iam.RolePolicy",),
        exposure.rights_named,
        "A role may do what is named, to what is named.",
        (
            Exemption(
                "network interfaces and traces of the function",
                "AWS gives these actions on every resource or not at all; those on interfaces are refused to the code",
            ),
        ),
    ),
    Control(
        "RoleTrust",
        ("iam.Role",),
        exposure.trust_narrow,
        "A role is taken by one AWS service, on behalf of this account (the confused deputy).",
    ),
    Control(
        "ApiAuthorization",
        ("apigatewayv2.Route",),
        exposure.api_authorized,
        "Who calls the API is known. `spec.api.authorization: None` is the one choice that breaks a control.",
        (Exemption("`GET /health`", "probes have no credentials; it says that the API is up, and nothing else"),),
    ),
    Control(
        "TrailTrusted",
        ("cloudtrail.Trail",),
        data.trail_trusted,
        "A trail is encrypted with the region's key, and its files are signed.",
    ),
    Control("ApiLog", ("apigatewayv2.Stage",), exposure.api_logged, "Calls leave a trace and have a limit of rate."),
)
