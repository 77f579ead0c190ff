"""The alert rules, judged by promtool: which of them are on, given what the processes have told Prometheus."""

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tap_api import manifest
from tap_api.base import Json

ALERTS = Path(__file__).parents[2] / "charts" / "operator" / "files" / "alerts.yaml"
FILE: Any = manifest.value(ALERTS.read_text(encoding="utf-8"), ALERTS)
RULES: dict[str, Json] = {rule["alert"]: rule for group in FILE["groups"] for rule in group["rules"]}


@dataclass(frozen=True)
class Alert:
    """An alert that is on.

    Attributes:
        labels: Those that tell it from others of its name; its severity is its rule's.
        value: What `$value` stands for in its words.
    """

    labels: Mapping[str, str]
    value: str = "1"


#: Name of an alert -> those of its name that are on.
Wanted = Mapping[str, Sequence[Alert]]


def others(*names: str) -> Wanted:
    """Returns that no alert but these is on."""
    return {name: () for name in RULES if name not in names}


def judge(promtool: Path, folder: Path, series: Mapping[str, str], at: Mapping[str, Wanted]) -> None:
    """Lets promtool say which alerts are on.

    Args:
        promtool: Of the project's own tools.
        folder: Where what it reads may lie.
        series: Series -> its values, a minute from one to the next, as promtool reads them (`0+1x30`).
        at: Time (`10m`) -> name of an alert -> those of its name that are on then.

    Raises:
        AssertionError: others are on; promtool says which.
    """
    tests = [
        {"eval_time": time, "alertname": name, "exp_alerts": [_told(name, alert) for alert in alerts]}
        for time, wanted in at.items()
        for name, alerts in wanted.items()
    ]
    inputs = [{"series": name, "values": values} for name, values in series.items()]
    case = {"interval": "1m", "input_series": inputs, "alert_rule_test": tests}
    file = folder / "alerts.json"
    file.write_text(json.dumps({"rule_files": [str(ALERTS)], "evaluation_interval": "1m", "tests": [case]}))
    done = subprocess.run([promtool, "test", "rules", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _told(name: str, alert: Alert) -> Json:
    rule = RULES[name]

    def word(found: re.Match[str]) -> str:
        return alert.labels[found[1]] if found[1] else alert.value

    words = {
        key: re.sub(r"\{\{ \$(?:labels\.(\w+)|value(?: \| \w+)?) \}\}", word, text)
        for key, text in rule["annotations"].items()
    }
    return {"exp_labels": {**alert.labels, **rule["labels"]}, "exp_annotations": words}
