"""The code that the function runs: the one of this project, carried to S3 in an object, or one of the user's own.

The key of the object is the digest of the zip, so new code is a new object, and the old one stays until AWS says that
the function runs the new one (05, section 3, items 12 and 13).
"""

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources as files

from tap_api.base import Json
from tap_api.kinds import RegionalProcessorSpec
from tap_stack import aws, names, pause
from tap_stack.assembly import kept
from tap_stack.managed import Handling, managed
from tap_stack.resource import Resource, Resources
from tap_stack.subject import Subject
from tap_stack.values import Unknown

FILE = "code.json"
HANDLER = "processor.main.handle"
#: Key of the Lambda function, whose code this is.
FUNCTION = "function"
_KEY = "code-"
#: An object that comes before its bucket keeps versions has none, and then there is no version for a function to run.
NOT_SETTLED = Unknown("the data bucket, until AWS keeps versions of what is put into it, and encrypts it")
#: The content stands twice in the object, and etcd takes 1.5 MiB (05, section 3, item 12).
MOST = 400 * 1024
#: The earliest that a zip can tell.
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Shipped:
    """The zip of this project.

    Attributes:
        content: It, in base64.
        digest: Its SHA-256 in hexadecimal.
    """

    content: str
    digest: str

    @property
    def code_sha256(self) -> str:
        """Its SHA-256 as Lambda reports it."""
        return base64.b64encode(bytes.fromhex(self.digest)).decode()

    @property
    def resource(self) -> str:
        """Key of the resource that carries it."""
        return f"{_KEY}{self.digest[:12]}"


def zip_of(sources: Mapping[str, bytes]) -> bytes:
    """Returns the zip of `sources` (path -> content): a function of them alone.

    Sorted, of one age and one mode, and not compressed, for compressors differ from one another.
    """
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for path, content in sorted(sources.items()):
            entry = zipfile.ZipInfo(path, _LONG_AGO)
            # Unix, whatever made it; readable by the user that Lambda runs as.
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, content)
    return made.getvalue()


def document(sources: Mapping[str, bytes]) -> Json:
    """Returns the file that this package carries the zip in.

    Raises:
        ValueError: the zip is too large for an object of Kubernetes.
    """
    archive = zip_of(sources)
    if len(archive) > MOST:
        message = f"the processor's zip has {len(archive)} bytes, more than {MOST}; make functions/processor smaller"
        raise ValueError(message)
    return {"content": base64.b64encode(archive).decode(), "sha256": hashlib.sha256(archive).hexdigest()}


@cache
def shipped() -> Shipped:
    """Returns the zip of this project."""
    found = json.loads(files.files(__package__).joinpath(FILE).read_text(encoding="utf-8"))
    return Shipped(content=found["content"], digest=found["sha256"])


def resources(subject: Subject[RegionalProcessorSpec]) -> Resources:
    """Yields the object that carries this project's zip, unless the code is the user's, and those still in use."""
    code = shipped()
    own = subject.spec.processor.code
    if own is None:
        yield managed(
            subject,
            code.resource,
            aws.OBJECT,
            {
                "bucketRef": subject.part_ref("storage", "data-bucket"),
                "key": f"{names.CODE}{code.digest}.zip",
                "contentBase64": code.content,
                "contentType": "application/zip",
                # Unset, it is `private`, which a bucket without ACLs refuses (05, section 3, item 10).
                "acl": "bucket-owner-full-control",
                "serverSideEncryption": "aws:kms",
                # The ARN: what a reference gives is the id (05, section 1.1).
                "kmsKeyId": subject.key_arn,
            },
            handling=Handling(after=() if subject.spec.bucket_settled else (NOT_SETTLED,)),
        )
    if _running(subject) != (own.sha256 if own else code.code_sha256):
        yield from (old for old in _carriers(subject) if own or old.key != code.resource)


def fields(subject: Subject[RegionalProcessorSpec]) -> Json:
    """Returns the fields of the function that say which code it runs.

    All of them wait for the object together: a function whose key is new and whose version is old has no code at all.
    """
    code = shipped()
    own = subject.spec.processor.code
    if own:
        return {"s3Bucket": own.bucket, "s3Key": own.key, "codeSha256": own.sha256, "handler": own.handler}
    carrier = subject.observed.get(code.resource)
    version = carrier.field("status", "atProvider", "versionId") if carrier else None
    wanted: Json = {
        "s3Bucket": names.data_bucket(subject),
        "s3Key": f"{names.CODE}{code.digest}.zip",
        "s3ObjectVersion": version,
        "codeSha256": code.code_sha256,
        "handler": HANDLER,
    }
    later = Unknown(f"{code.resource}, which carries the code to S3")
    return wanted if version else dict.fromkeys(wanted, later)


def _running(subject: Subject[RegionalProcessorSpec]) -> str:
    """Returns the digest of the code that AWS says the function runs; empty while it does not say."""
    observation = subject.observed.get(FUNCTION)
    return str((observation and observation.field("status", "atProvider", "codeSha256")) or "")


def _carriers(subject: Subject[RegionalProcessorSpec]) -> Resources:
    """Yields the objects that carry code, as they are."""
    for key, observation in sorted(subject.observed.items()):
        if key.startswith(_KEY):
            yield Resource(key, kept(observation, pause.annotation(subject.spec.state, observation)))
