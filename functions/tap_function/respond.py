"""Protobuf out: what composing gave, or why it gave nothing."""

from collections.abc import Iterable

from crossplane.function import resource, response
from crossplane.function.proto.v1 import run_function_pb2 as fnv1
from google.protobuf import duration_pb2 as durationpb

from tap_stack.composed import Composed, Condition

_READY = {True: fnv1.READY_TRUE, False: fnv1.READY_FALSE, None: fnv1.READY_UNSPECIFIED}


def composed(request: fnv1.RunFunctionRequest, result: Composed) -> fnv1.RunFunctionResponse:
    """Returns the response that asks for what `result` holds, beside what earlier steps asked for."""
    answer = _empty(request, result.ttl)
    for item in result.resources:
        answer.desired.resources[item.key].CopyFrom(fnv1.Resource(resource=item.manifest, ready=_READY[item.ready]))
    answer.desired.composite.MergeFrom(fnv1.Resource(resource={"status": result.status}, ready=_READY[result.ready]))
    _say(answer, result.conditions)
    return answer


def refused(
    request: fnv1.RunFunctionRequest, message: str, ttl: int, *conditions: Condition
) -> fnv1.RunFunctionResponse:
    """Returns the response that stops: Crossplane then makes, changes and deletes nothing, and shows the conditions."""
    answer = _empty(request, ttl)
    _say(answer, conditions)
    response.fatal(answer, message)
    return answer


def _say(answer: fnv1.RunFunctionResponse, conditions: Iterable[Condition]) -> None:
    response.set_conditions(
        answer,
        *(
            resource.Condition(typ=c.type, status=c.status, reason=c.reason, message=c.message or None)
            for c in conditions
        ),
    )


def _empty(request: fnv1.RunFunctionRequest, ttl: int) -> fnv1.RunFunctionResponse:
    """Returns a response that passes on what earlier steps gave: the SDK's own would add an empty context."""
    answer = fnv1.RunFunctionResponse(
        meta=fnv1.ResponseMeta(tag=request.meta.tag, ttl=durationpb.Duration(seconds=ttl)), desired=request.desired
    )
    if request.HasField("context"):
        answer.context.CopyFrom(request.context)
    return answer
