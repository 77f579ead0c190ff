"""The connection to a cluster: which one a kubeconfig means, and what is said where it does not answer."""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from urllib3.exceptions import HTTPError

from tap_api.errors import TapError
from tap_api.manifest import NotYaml

#: Seconds to connect and to wait for an answer: a person is watching.
TIMEOUT = (5, 30)
HINT = "run `make up`, or point KUBECONFIG or --kubeconfig at a cluster that has TAP on Crossplane"
#: What the client raises on a kubeconfig whose values are not of the shape that it takes for granted.
_MISSHAPEN = (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError, HTTPError)
#: How urllib3 begins what it says: the object that tried, and in whose name.
_TRIED = re.compile(r"^(<[^>]*>|HTTPS?Connection(Pool)?\([^)]*\)): (Failed to establish a new connection: )?")


class ClusterError(TapError):
    """The cluster did not give what was asked of it."""

    @property
    def absent(self) -> bool:
        """Whether that is because there is nothing of the kind, or of the name."""
        return getattr(self.__cause__, "status", None) == HTTPStatus.NOT_FOUND


def connect(kubeconfig: Path | None = None, context: str | None = None) -> client.ApiClient:
    """Returns a client of the cluster that a kubeconfig means; it is not asked anything yet.

    Args:
        kubeconfig: File to use in place of KUBECONFIG and of kubectl's default.
        context: Context to use in place of the current one.

    Raises:
        ClusterError: no usable kubeconfig, or a program that it takes credentials from failed.
    """
    settings = client.Configuration()
    file = str(kubeconfig) if kubeconfig else None
    where = file or os.environ.get("KUBECONFIG") or config.KUBE_CONFIG_DEFAULT_LOCATION
    try:
        with _heard() as complaints:
            config.load_kube_config(  # type: ignore[no-untyped-call]
                config_file=file, context=context, client_configuration=settings
            )
        settings.retries = 1
        made = client.ApiClient(settings)
    except (ConfigException, OSError) as error:
        message = f"no kubeconfig that can be used ({where}: {line(error)}); {HINT}"
        raise ClusterError(message) from error
    except (NotYaml, *_MISSHAPEN) as error:
        reason = f"{where}: it is not a kubeconfig: {type(error).__name__}: {line(error)}"
        message = f"no kubeconfig that can be used ({reason}); {HINT}"
        raise ClusterError(message) from error
    if complaints:
        # The client goes on without credentials, as a stranger.
        message = f"{where}: its credentials cannot be had: {complaints[0]}; install or mend what its `exec` names"
        raise ClusterError(message)
    return made


@contextmanager
def _heard() -> Iterator[list[str]]:
    """Yields the errors that are logged meanwhile: all that the client does where a credential plugin fails."""
    found: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(line(record.getMessage()))

    ear, root = Ear(logging.ERROR), logging.getLogger()
    root.addHandler(ear)
    try:
        yield found
    finally:
        root.removeHandler(ear)


def unanswered(made: client.ApiClient, error: Exception) -> ClusterError:
    """Returns what to say of a cluster that gives no answer: which one it is, and what is in the way."""
    return ClusterError(f"the cluster does not answer ({made.configuration.host}: {_reason(error)}); {HINT}")


def _reason(error: Exception) -> str:
    """Returns the innermost reason of an error of urllib3's, which wraps one in another."""
    while isinstance(inner := getattr(error, "reason", None), Exception):
        error = inner
    return _TRIED.sub("", line(error)) or type(error).__name__


def refused(verb: str, what: str, error: ApiException) -> str:
    """Returns what to say where the apiserver answers a read with an error."""
    if error.status == 404:
        return f"the cluster does not know {what}; install TAP on Crossplane in it first (`make up`)"
    if error.status == 403:
        return f"you may not {verb} {what} here; ask for the ClusterRole `tap-view`"
    if error.status == 401:
        return "the cluster does not accept these credentials; log in again"
    return f"the cluster could not {verb} {what}: {error.status} {error.reason}"


def line(said: object) -> str:
    """Returns what an error or a message says, in one line: those of YAML have several."""
    return " ".join(str(said).split())
