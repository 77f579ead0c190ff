"""Checks of what is below us: Kubernetes, Crossplane, the provider, and the API that we bring to it. Pure."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from tap_api.kinds import XRS
from tap_api.schema import xrd
from tap_cli.doctor.finding import INSTALL, Facts, Said, Verdict, condition, holds, semver, tag_of
from tap_stack.catalogue import catalogue
from tap_stack.emit import activation_policy, composition
from tap_stack.packages import FUNCTION

#: The rules of our CRDs use CEL's library for CIDRs, which is there from here on.
_OLDEST_KUBERNETES = (1, 31, 0)
#: It does not delete what `resourceRefs` merely names (GHSA-77cv-mrm6-fr3c).
_OLDEST_CROSSPLANE = (2, 4, 0)
#: Sixty resources open the breaker at the default of 100; these kept it closed (04, item 34).
_BREAKER = {"--circuit-breaker-burst": 2000, "--circuit-breaker-refill-rate": 50}
_OK, _WARNING, _PROBLEM, _SKIPPED = Verdict.OK, Verdict.WARNING, Verdict.PROBLEM, Verdict.SKIPPED


def kubernetes(facts: Facts) -> Iterator[Said]:
    """The cluster's version."""
    told = str((facts.read("version") or {}).get("gitVersion", ""))
    found = semver(told)
    if found and found < _OLDEST_KUBERNETES:
        yield _PROBLEM, f"Kubernetes {told} is too old", "upgrade the cluster to 1.31 or later"
    else:
        yield _OK, f"Kubernetes {told or 'of an unknown version'} answers", ""


def crossplane(facts: Facts) -> Iterator[Said]:
    """Crossplane's version and the flags of its circuit breaker."""
    if facts.read("xrds") is None:
        yield _PROBLEM, "Crossplane is not installed", "install Crossplane 2.4.0 or later (`make up` does)"
        return
    deployments = facts.items("crossplane")
    if not deployments:
        text = "its version and flags cannot be seen: no Deployment with the label app=crossplane"
        yield _SKIPPED, text, "where it runs beside the cluster, ask it: crossplane --version"
    for deployment in deployments:
        yield from _core(deployment)


def _core(deployment: Any) -> Iterator[Said]:  # noqa: ANN401
    meta, container = deployment["metadata"], deployment["spec"]["template"]["spec"]["containers"][0]
    place = f"Deployment {meta['namespace']}/{meta['name']}"
    found = semver(tag_of(container.get("image", "")))
    if found and found < _OLDEST_CROSSPLANE:
        mend = "upgrade it to 2.4.0 or later: before, whoever edits resourceRefs tells it what to delete"
        yield _PROBLEM, f"Crossplane {'.'.join(map(str, found))} ({place}) is too old", mend
    else:
        yield _OK, f"Crossplane {'.'.join(map(str, found)) if found else 'of an unknown version'} ({place})", ""
    low = [f"{flag}={least}" for flag, least in _BREAKER.items() if _flag(container.get("args") or [], flag) < least]
    if low:
        text = f"the circuit breaker of {place} opens while a region is made"
        yield _WARNING, text, f"add {' '.join(low)} to its args (Helm: args)"


def _flag(args: list[str], flag: str) -> float:
    values = [word.partition("=")[2] for word in args if word.startswith(f"{flag}=")]
    try:
        return float(values[-1]) if values else 0
    except ValueError:
        return 0


def provider(facts: Facts) -> Iterator[Said]:
    """The kinds of AWS that we compose, and the packages that bring them."""
    for package in facts.items("providers"):
        for kind in ("Installed", "Healthy"):
            status, message = condition(package, kind)
            if status == "False":
                name = package["metadata"]["name"]
                yield _PROBLEM, f"Provider {name} is not {kind}: {message}", f"kubectl describe provider {name}"
    missing = []
    for entry in catalogue().values():
        served = {item.get("name") for item in (facts.read(entry.api_version) or {}).get("resources") or ()}
        if entry.plural not in served:
            missing.append(entry.crd)
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        text = f"{len(missing)} of {len(catalogue())} kinds are not served: {', '.join(sorted(missing)[:3])}{more}"
        yield _PROBLEM, text, "install the packages of docs/reference/provider-packages.yaml, and activate their kinds"
    else:
        yield _OK, f"all {len(catalogue())} kinds that are composed are served", ""


def activation(facts: Facts) -> Iterator[Said]:
    """The activation policy: without it a provider's kinds are not served."""
    if facts.read("activation") is None:
        yield _SKIPPED, "this Crossplane knows no ManagedResourceActivationPolicy", ""
        return
    patterns = [pattern for policy in facts.items("activation") for pattern in policy["spec"].get("activate") or ()]
    wanted = activation_policy()["spec"]["activate"]
    left = [name for name in wanted if not any(fnmatchcase(name, pattern) for pattern in patterns)]
    if left:
        text = f"{len(left)} kinds that are composed are not activated, such as {left[0]}"
        yield _PROBLEM, text, "kubectl apply -f compositions/activation-policy.yaml"
    else:
        yield _OK, f"all {len(wanted)} kinds are activated", ""


def api(facts: Facts) -> Iterator[Said]:
    """The XRDs and Compositions: there, established, and of this build."""
    if "environmenttaps" not in {item.get("name") for item in (facts.read("api") or {}).get("resources") or ()}:
        yield _PROBLEM, "EnvironmentTap is not served", INSTALL
    good = True
    for question, wanted, folder in (
        ("xrds", [xrd(kind) for kind in XRS], "xrds"),
        ("compositions", [composition(kind) for kind in XRS], "compositions"),
    ):
        there = {item["metadata"]["name"]: item for item in facts.items(question)}
        if not there:
            good = False
            yield _PROBLEM, f"all {len(wanted)} of {folder}/ are missing", f"kubectl apply -f {folder}/"
            continue
        for made in wanted:
            for said in _as_built(made, there.get(made["metadata"]["name"]), folder):
                good = False
                yield said
    if good:
        yield _OK, f"{len(XRS)} XRDs and Compositions are those of this build", ""


def _as_built(made: Any, there: Any, folder: str) -> Iterator[Said]:  # noqa: ANN401
    what = f"{'XRD' if folder == 'xrds' else made['kind']} {made['metadata']['name']}"
    mend = f"kubectl apply -f {folder}/{made['metadata']['name'].partition('.')[0]}.yaml"
    if folder == "xrds":
        mend = f"kubectl apply -f xrds/{made['metadata']['name']}.yaml"
    if there is None:
        yield _PROBLEM, f"{what} is missing", mend
        return
    status, message = condition(there, "Established")
    if folder == "xrds" and status != "True":
        yield (
            _PROBLEM,
            f"{what} is not established{f': {message}' if message else ''}",
            f"kubectl describe xrd {what[4:]}",
        )
    elif not holds(made["spec"], there["spec"]):
        yield _WARNING, f"{what} is of another build than this `tap`", f"{mend}, or use the `tap` of that build"


def function(facts: Facts) -> Iterator[Said]:
    """The function that composes."""
    found = next((item for item in facts.items("functions") if item["metadata"]["name"] == FUNCTION), None)
    if found is None:
        yield _PROBLEM, f"Function {FUNCTION} is missing: nothing is composed", f"install the package of {FUNCTION}"
        return
    package = found["spec"].get("package", "")
    for kind in ("Installed", "Healthy"):
        status, message = condition(found, kind)
        if status != "True":
            text = f"Function {FUNCTION} is not {kind}{f': {message}' if message else ''}"
            yield _PROBLEM, text, f"kubectl describe functions.pkg.crossplane.io {FUNCTION}"
            return
    tag = tag_of(package)
    other = semver(tag)
    if other and other != semver(facts.version):
        yield _WARNING, f"Function {FUNCTION} is {tag}, this `tap` is {facts.version}", "bring both to one version"
    else:
        yield _OK, f"Function {FUNCTION} is healthy ({package})", ""
