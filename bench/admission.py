"""What admission costs, and that it does not grow with the number of claims that are stored.

A control plane of its own, with the chart and two replicas of admission, and without Crossplane and operator: ten
thousand claims would become two million objects. Each round creates the same EnvironmentTap, as a dry run, by turns as
a person and as an account that the webhook's match conditions leave out: schema and policies are the same for both, so
the difference is the webhook. The ratio of the two is what can be compared between machines.

    .venv/bin/python bench/admission.py [--sizes 10,1000,10000] [--requests 300]
"""

import http.client
import json
import ssl
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import click

from tap_api.base import API_VERSION, GROUP, VERSION, Json
from tap_cluster import embedded, plane, recipes, services, tap, tools
from tap_cluster.context import Context
from tap_cluster.kubectl import manifests, namespace
from tap_cluster.places import Places
from tap_cluster.progress import Progress

NAMESPACE = "bench"
PERSON = "somebody"
#: The operator, whom the webhook's match conditions leave out.
PEER = f"system:serviceaccount:{services.NAMESPACE}:tap-operator"
CREATED = 201


def claim(name: str) -> Json:
    """Returns a claim for two regions, as people write one."""
    regions = [{"name": region, "cidr": f"10.{i}.0.0/16"} for i, region in enumerate(("us-east-1", "us-east-2"))]
    return {
        "apiVersion": API_VERSION,
        "kind": "EnvironmentTap",
        "metadata": {"name": name},
        "spec": {
            "environment": "dev",
            "primaryRegion": "us-east-1",
            "tags": {"CostCenter": "platform-4200"},
            "regions": regions,
        },
    }


class Client:
    """One connection to the apiserver, kept open."""

    def __init__(self, context: Context) -> None:
        """Connects as the admin, who may speak for others."""
        admin = context.places.private("pki") / "admin"
        trust = ssl.create_default_context(cafile=admin / "ca.crt")
        trust.load_cert_chain(admin / "tls.crt", admin / "tls.key")
        self._connection = http.client.HTTPSConnection(urlsplit(context.server).netloc, timeout=30, context=trust)

    def create(self, name: str, user: str, *, dry: bool) -> float:
        """Creates a claim; returns how many milliseconds that took."""
        path = f"/apis/{GROUP}/{VERSION}/namespaces/{NAMESPACE}/environmenttaps" + ("?dryRun=All" if dry else "")
        who = {"Impersonate-User": user, "Impersonate-Group": "system:masters"}
        body = json.dumps(claim(name))
        began = time.perf_counter()
        self._connection.request("POST", path, body, {"Content-Type": "application/json", **who})
        answer = self._connection.getresponse()
        said = answer.read()
        took = (time.perf_counter() - began) * 1000
        if answer.status != CREATED:
            message = f"{answer.status}: {said.decode()[:500]}"
            raise click.ClickException(message)
        return took


def start(places: Places, progress: Progress) -> Context:
    """Starts etcd, kube-apiserver, kube-controller-manager and both replicas of admission."""
    built = tools.ensure(recipes.EMBEDDED, places, progress)
    context = embedded.load(places, built, progress)
    embedded.choose_ports(context)
    for program in plane.programs(context.places, context.tools, context.ports):
        context.supervisor.ensure(program)
    context.forget_other_clusters()
    tap.install_operator(context)
    context.apply_once("namespace", manifests([namespace(NAMESPACE)]))
    admission = [program for program in services.programs(context) if program.name in services.ADMISSION]
    context.supervisor.ensure(*admission)
    return context


def store(context: Context, first: int, last: int) -> None:
    """Stores claims number `first` to `last`, as a person would, over four connections."""

    def some(worker: int) -> None:
        client = Client(context)
        for number in range(first + worker, last, 4):
            client.create(f"claim-{number}", PERSON, dry=False)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(some, range(4)))


def measure(context: Context, requests: int) -> tuple[list[float], list[float]]:
    """Returns the milliseconds of creations with the webhook and without, taken by turns."""
    client = Client(context)
    judged: list[float] = []
    peers: list[float] = []
    for number in range(requests + 20):
        # By turns first, so that neither always comes after the other.
        for user, times in ((PERSON, judged), (PEER, peers))[:: 1 if number % 2 else -1]:
            times.append(client.create("measured", user, dry=True))
    return judged[20:], peers[20:]


def row(size: int, judged: list[float], peers: list[float]) -> str:
    """Returns a row of the table."""
    with_it, without = statistics.median(judged), statistics.median(peers)
    tails = [statistics.quantiles(times, n=100)[98] for times in (judged, peers)]
    figures = [with_it, tails[0], without, tails[1], with_it - without]
    return f"| {size:,} | " + " | ".join(f"{figure:.1f}" for figure in figures) + f" | {with_it / without:.2f} |"


@click.command()
@click.option("--sizes", default="10,1000,10000", show_default=True, help="Numbers of stored claims, rising.")
@click.option("--requests", default=300, show_default=True, help="Creations of each kind at each size.")
def main(sizes: str, requests: int) -> None:
    """Measure dry-run creations at several numbers of stored claims; print a table."""
    progress = Progress()
    rows, stored = [], 0
    with embedded.apart() as places:
        context = start(places, progress)
        for size in sorted(int(word) for word in sizes.split(",")):
            with progress.step(f"{size - stored:,} more claims"):
                store(context, stored, size)
            stored = size
            rows.append(row(size, *measure(context, requests)))
    click.echo("| claims | with, p50 ms | p99 | without, p50 ms | p99 | the webhook, ms | with / without |")
    click.echo("|---|---|---|---|---|---|---|")
    click.echo("\n".join(rows))


if __name__ == "__main__":
    main()
