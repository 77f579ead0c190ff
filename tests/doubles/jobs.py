"""A double of the job controller and a kubelet: runs what the Jobs of one namespace ask of our own image, as a process.

It knows our image alone, whose entry point is `tap-operator`, and runs each container once, as the Job's service account.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kubeconfigs import of_account
from tap_api.base import Json

_TICK = 0.3


@dataclass
class JobsDouble:
    """Runs the Jobs of a namespace until its `with` block ends.

    Attributes:
        kubectl: Runs kubectl as an administrator.
        namespace: Whose Jobs.
        folder: Where kubeconfigs may lie.
        said: What each container wrote to stderr.
    """

    kubectl: Callable[..., str]
    namespace: str
    folder: Path
    said: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        """Starts it."""
        self._thread = threading.Thread(target=self._run, name="jobs-double", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stops it."""
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        while not self._stop.wait(_TICK):
            jobs = json.loads(self.kubectl("get", "jobs", "-n", self.namespace, "-o", "json"))["items"]
            for job in jobs:
                if not job.get("status", {}).get("conditions"):
                    self._work(job)

    def _work(self, job: Json) -> None:
        pod: Any = job["spec"]["template"]["spec"]
        [container] = pod["containers"]
        begun = _now()
        account = pod["serviceAccountName"]
        kubeconfig = of_account(self.kubectl, self.namespace, account, self.folder / f"{account}.json")
        env = {**os.environ, "KUBECONFIG": str(kubeconfig)}
        command = [sys.executable, "-m", "tap_operator.main", *container["args"]]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)
        self.said.append(done.stderr)
        words = ("FailureTarget", "Failed") if done.returncode else ("SuccessCriteriaMet", "Complete")
        times = {"startTime": begun} | ({} if done.returncode else {"completionTime": _now()})
        counts = {"failed": 1} if done.returncode else {"succeeded": 1}
        conditions = [{"type": word, "status": "True", "lastTransitionTime": _now()} for word in words]
        patch = json.dumps({"status": {**times, **counts, "conditions": conditions}})
        name = job["metadata"]["name"]
        self.kubectl("patch", "job", name, "-n", self.namespace, "--subresource=status", "--type=merge", "-p", patch)


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
