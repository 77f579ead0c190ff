"""The resources of a plan, synthesized by the Terraform CDK's Python successor: what `tap plan` is timed against.

As many stacks as there are regions. Run it with the interpreter of an environment that has requirements/bench.txt, on
what bench/terraform.py made of a plan:

    python bench/cdktn_peer.py RESOURCES.json FOLDER
"""

import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from cdktn import App, TerraformStack
from cdktn_provider_aws.provider import AwsProvider

#: Nobody is asked who we are: a plan of what is not there yet needs no AWS.
NOBODY = {
    **dict.fromkeys(("access_key", "secret_key"), "none"),
    **dict.fromkeys(("skip_credentials_validation", "skip_requesting_account_id", "skip_region_validation"), True),
    "skip_metadata_api_check": "true",
}


def main() -> None:
    """Synthesizes the stacks."""
    resources, folder = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), sys.argv[2]
    app = App(outdir=folder)
    stacks = {region: _stack(app, region) for region in dict.fromkeys(one["region"] for one in resources)}
    for one in resources:
        _construct(one["type"])(stacks[one["region"]], one["name"], **one["arguments"])
    app.synth()


def _stack(app: App, region: str) -> TerraformStack:
    stack = TerraformStack(app, region)
    AwsProvider(stack, "aws", region=region, **NOBODY)
    # Its state in memory, so that a plan needs no `init` before it.
    stack.add_override("terraform.backend", None)
    return stack


def _construct(kind: str) -> Callable[..., object]:
    """Returns the class of a resource; cdktn adds an A where a block of the resource has the name already."""
    module = import_module(f"cdktn_provider_aws.{kind}")
    name = "".join(word.capitalize() for word in kind.split("_"))
    construct: Callable[..., object] = getattr(module, name, None) or getattr(module, f"{name}A")
    return construct


if __name__ == "__main__":
    main()
