"""A saved state in the user's bucket: encrypted, in a bucket that nobody else reads, the index last."""

from collections.abc import Mapping
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from tap_api.errors import TapError
from tap_cli.state.layout import INDEX

_CLOSED = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_KMS = "aws:kms"


def write(files: Mapping[str, str], bucket: str, kms_key: str = "") -> str:
    """Uploads `files`; returns how they are encrypted.

    The files carry the time of their export in their path, and the index, which names them, comes last: whoever reads
    it finds all of them, and an export that is cut off changes nothing.

    Raises:
        TapError: the bucket is not there, may not be written, is open to the public, or does not encrypt.
    """
    try:
        client = boto3.client("s3")
        how = _encryption(client, bucket, kms_key)
        _refuse_open(client, bucket)
        for path in sorted(files, key=lambda path: path.endswith(f"/{INDEX}")):
            client.put_object(Bucket=bucket, Key=path, Body=files[path].encode(), **how)
    except ClientError as error:
        raise TapError(_explain(bucket, error)) from error
    except BotoCoreError as error:
        message = f"s3://{bucket}: {' '.join(str(error).split())}; see how boto3 finds credentials and a region"
        raise TapError(message) from error
    return str(how["ServerSideEncryption"])


def _encryption(client: Any, bucket: str, kms_key: str) -> dict[str, str]:  # noqa: ANN401
    """Returns how to encrypt: by the key that is given, else as the bucket does by itself."""
    if kms_key:
        return {"ServerSideEncryption": _KMS, "SSEKMSKeyId": kms_key}
    try:
        rules = client.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ServerSideEncryptionConfigurationNotFoundError":
            raise
        message = f"s3://{bucket} does not encrypt by default; encrypt it, or name a key with --kms-key"
        raise TapError(message) from error
    default = rules[0]["ApplyServerSideEncryptionByDefault"]
    if default["SSEAlgorithm"] == _KMS:
        key = default.get("KMSMasterKeyID")
        return {"ServerSideEncryption": _KMS, **({"SSEKMSKeyId": key} if key else {})}
    return {"ServerSideEncryption": "AES256"}


def _refuse_open(client: Any, bucket: str) -> None:  # noqa: ANN401
    try:
        block = client.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchPublicAccessBlockConfiguration":
            raise
        block = {}
    opened = [name for name in _CLOSED if not block.get(name)]
    if opened:
        message = f"s3://{bucket} may be opened to the public ({', '.join(opened)} is off); block public access first"
        raise TapError(message)


def _explain(bucket: str, error: ClientError) -> str:
    code, what = error.response["Error"]["Code"], error.operation_name
    if code == "NoSuchBucket":
        return f"s3://{bucket}: there is no such bucket"
    if code in ("AccessDenied", "403"):
        return f"s3://{bucket}: you may not {what}; ask for that right"
    return f"s3://{bucket}: {what} failed: {code}: {error.response['Error'].get('Message', '')}"
