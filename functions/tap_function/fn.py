"""The function: a request of Crossplane's in, composed resources out."""

import time

import grpc
from crossplane.function import logging
from crossplane.function.proto.v1 import run_function_pb2 as fnv1
from crossplane.function.proto.v1 import run_function_pb2_grpc as grpcv1

from tap_api.base import Json
from tap_api.errors import TapError
from tap_function import observe, respond
from tap_function.metrics import COMPOSED, FAILED, REFUSED, Metrics
from tap_stack.compose import compose
from tap_stack.composed import TTL_WAITING
from tap_stack.subject import RefusedError
from tap_stack.verdict import policy_compliant


class FunctionRunner(grpcv1.FunctionRunnerServiceServicer):
    """Answers Crossplane."""

    def __init__(self, metrics: Metrics | None = None) -> None:
        """Args: metrics: where answers are counted."""
        self.log = logging.get_logger()
        self._metrics = metrics or Metrics()

    async def RunFunction(  # noqa: N802  (gRPC's name)
        self,
        request: fnv1.RunFunctionRequest,
        _: grpc.aio.ServicerContext[fnv1.RunFunctionRequest, fnv1.RunFunctionResponse] | None,
    ) -> fnv1.RunFunctionResponse:
        """Returns what composing the observed XR gives.

        A fault in the XR is answered with all that is wrong with it. A fault of ours is logged whole, and answered with
        one line: either way nothing that exists is touched.
        """
        begun = time.perf_counter()
        xr = observe.composite(request.observed)
        answer, result = self._answer(request, xr)
        self._metrics.rendered(str(xr.get("kind")), result, time.perf_counter() - begun)
        return answer

    def _answer(self, request: fnv1.RunFunctionRequest, xr: Json) -> tuple[fnv1.RunFunctionResponse, str]:
        log = self.log.bind(kind=xr.get("kind"), name=xr["metadata"].get("name"), tag=request.meta.tag)
        try:
            result = compose(xr, observe.observed(request.observed), observe.blocks(request))
            answer = respond.composed(request, result)
        except RefusedError as error:
            log.info("refused", reason=str(error))
            return respond.refused(request, str(error), TTL_WAITING, policy_compliant(error.violations)), REFUSED
        except TapError as error:
            log.warning("cannot compose", reason=str(error))
            return respond.refused(request, str(error), TTL_WAITING), REFUSED
        except Exception as error:  # the edge: whatever it is, Crossplane is answered
            log.exception("failed")
            message = (
                f"the function failed on this object ({type(error).__name__}); nothing was changed. Its log has the"
                " cause; please report it"
            )
            return respond.refused(request, message, TTL_WAITING), FAILED
        log.debug("composed", resources=len(result.resources), withheld=len(result.withheld))
        return answer, COMPOSED
