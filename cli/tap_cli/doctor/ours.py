"""Checks of what is ours: admission, the operator, the credentials of environments, and versions. Pure."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from tap_cli.doctor.finding import INSTALL, Facts, NotReadError, Said, Verdict, semver, tag_of
from tap_cli.doctor.reader import bundle, provider_config, secret

_SOON = timedelta(days=30)
_OK, _WARNING, _PROBLEM, _SKIPPED = Verdict.OK, Verdict.WARNING, Verdict.PROBLEM, Verdict.SKIPPED


def credentials(facts: Facts) -> Iterator[Said]:
    """The credentials of each environment: the configuration, and the Secret that it names."""
    environments = facts.items("environments")
    if not environments:
        yield _SKIPPED, "there is no EnvironmentTap yet", ""
    for environment in environments:
        name = f"{environment['metadata']['namespace']}/{environment['metadata']['name']}"
        try:
            yield _credential(facts, name, provider_config(environment))
        except NotReadError as error:
            yield _SKIPPED, f"{name}: not looked at: you may not {error}", "ask for that right, or somebody who has it"


def _credential(facts: Facts, name: str, place: str) -> Said:
    config = facts.read(place)
    plural, called = place.split("/")[-2:]
    kind = {"providerconfigs": "ProviderConfig"}.get(plural, "ClusterProviderConfig")
    if config is None:
        return (
            _PROBLEM,
            f"{name}: {kind} {called} is missing",
            "make it (docs/credentials.md), or name another one in spec.providerConfigRef",
        )
    source = ((config.get("spec") or {}).get("credentials") or {}).get("source", "None")
    kept = secret(config)
    if kept and facts.read(kept) is None:
        *_, where, _, key = kept.split("/")
        return _PROBLEM, f"{name}: {kind} {called} names Secret {where}/{key}, which is not there", "make that Secret"
    if source == "None":
        return (
            _WARNING,
            f"{name}: {kind} {called} has no credentials: nothing reaches AWS",
            "set spec.credentials of it",
        )
    return _OK, f"{name}: {kind} {called} ({source})", ""


def webhook(facts: Facts) -> Iterator[Said]:
    """Admission: its configuration, whether it answers, and its certificates."""
    configuration = facts.read("webhook")
    if configuration is None:
        text = "ValidatingWebhookConfiguration tap-admission is missing: policy is judged after storage alone"
        yield _PROBLEM, text, INSTALL
        return
    if not all(hook.get("matchConditions") for hook in configuration.get("webhooks") or ()):
        # Such as client-go before 0.27 does, which reads and writes a whole configuration to change its caBundle.
        text = "its matchConditions are gone: what the operator writes is judged as a person's would be, and refused"
        mend = "upgrade cert-manager to 1.12 or later, which leaves them, and then the operator's release"
        yield _PROBLEM, text, mend
    yield _answer(facts)
    for what, until in _expiries(facts, bundle(configuration)):
        mend = "renew it (docs/admission.md)"
        if isinstance(until, str):
            yield _SKIPPED, f"{what}: {until}", ""
        elif until <= facts.now:
            yield _PROBLEM, f"{what} expired on {until:%Y-%m-%d}", mend
        elif until - facts.now < _SOON:
            yield _WARNING, f"{what} expires on {until:%Y-%m-%d}", mend
        else:
            yield _OK, f"{what} holds until {until:%Y-%m-%d}", ""


def _answer(facts: Facts) -> Said:
    if facts.webhook.right:
        return _SKIPPED, f"whether it answers was not tried: you may not {facts.webhook.right}", "ask for `tap-edit`"
    said = facts.webhook.found
    if said is None:
        text = "it does not judge: a claim that policy refuses passed a dry run"
        return _PROBLEM, text, "look at failurePolicy of tap-admission, and at its pods"
    if "(CidrOverlap)" in said:
        return _OK, "it answers: a claim that policy refuses was refused", ""
    if "x509" in said or "tls:" in said:
        mend = "give caBundle and the certificate one CA (docs/admission.md)"
        return _PROBLEM, f"its certificate is not one of caBundle: {said}", mend
    return _PROBLEM, f"it does not answer: {said}", "kubectl get pods -l app.kubernetes.io/component=admission -A"


def _expiries(facts: Facts, pem: str) -> Iterator[tuple[str, datetime | str]]:
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=pem)
        authorities = context.get_ca_certs()
    except (ssl.SSLError, ValueError):
        authorities = []
    if not authorities:
        yield "caBundle", "it holds no certificate of a CA"
    for authority in authorities:
        until = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(authority["notAfter"])), UTC)
        yield "the CA in caBundle", until
    yield "the certificate of the webhook", facts.certificate


def operator(facts: Facts) -> Iterator[Said]:
    """Whether an operator acts: the Lease that the acting one renews every two seconds."""
    lease = facts.read("lease")
    if lease is None:
        yield _PROBLEM, "there is no Lease tap-operator: no operator ever ran", INSTALL
        return
    spec = lease.get("spec") or {}
    renewed = datetime.fromisoformat(spec["renewTime"]) if spec.get("renewTime") else datetime.fromtimestamp(0, UTC)
    age = facts.now - renewed
    # Twice: this clock may be another one than the operator's.
    if not spec.get("holderIdentity") or age > 2 * timedelta(seconds=spec.get("leaseDurationSeconds") or 15):
        namespace = lease["metadata"]["namespace"]
        text = f"no operator acts: its Lease was renewed last at {renewed:%Y-%m-%d %H:%M:%S} UTC"
        yield _PROBLEM, text, f"kubectl get pods -n {namespace} -l app.kubernetes.io/component=operator"
    else:
        yield _OK, f"an operator acts ({spec['holderIdentity']})", ""


def versions(facts: Facts) -> Iterator[Said]:
    """Whether chart, operator and admission are of the version of this `tap`."""
    told = {"chart": _label(facts.read("webhook"))}
    for deployment in facts.items("deployments"):
        name = deployment["metadata"]["name"]
        if name in ("tap-operator", "tap-admission"):
            told[name] = tag_of(deployment["spec"]["template"]["spec"]["containers"][0].get("image", ""))
            wanted, ready = (
                deployment["spec"].get("replicas", 1),
                (deployment.get("status") or {}).get("readyReplicas", 0),
            )
            if ready < wanted:
                namespace = deployment["metadata"]["namespace"]
                yield (
                    _WARNING,
                    f"{ready} of {wanted} pods of {name} are ready",
                    f"kubectl describe deploy {name} -n {namespace}",
                )
    other = {name: text for name, text in told.items() if semver(text) and semver(text) != semver(facts.version)}
    if other:
        words = ", ".join(f"{name} {text}" for name, text in sorted(other.items()))
        yield _WARNING, f"this `tap` is {facts.version}, and there is {words}", "bring all to one version"
    else:
        yield _OK, f"chart, operator and admission are of version {facts.version}, as this `tap` is", ""


def _label(item: Any) -> str:  # noqa: ANN401
    return str(((item or {}).get("metadata", {}).get("labels") or {}).get("app.kubernetes.io/version", ""))
