#!/usr/bin/env python3
"""Lints and renders the chart with each set of values in tests/values/, and checks what it makes (rules.py).

Called by .ci/chart. If all is well, it breaks the rendered releases in memory, one thing at a time, and fails unless a rule notices each.
"""

import re
import sys

import helm_python
import yaml

from release import CHART, Release, UniqueKeys
from rules import breaches

TESTS = CHART / "tests"
# Keys in values.yaml whose form is Kubernetes' own.
UNDOCUMENTED = {"requests", "limits", "podSelector", "namespaceSelector"}


def mutations():
    """Ways to break a release: the set of values, what the breach must say, and the change."""

    def pod(component, change):
        return lambda release: change(release.pod(component))

    def container(component, change):
        return lambda release: change(release.container(component))

    def spec(kind, component, change):
        return lambda release: change(release.component(kind, component)["spec"])

    def variable(component, name, value):
        return lambda release: release.variable(component, name).update(value=value)

    def add_variable(component, name, value):
        return container(component, lambda it: it["env"].append({"name": name, "value": value}))

    def metadata(kind, component, change):
        return lambda release: change(release.component(kind, component)["metadata"])

    def policy(name, change):
        return lambda release: change(release.of_kind("NetworkPolicy")[f"shop-kontor-{name}"]["spec"])

    def without(kind, component):
        return lambda release: release.objects.remove(release.component(kind, component))

    def added(kind, api, **fields):
        return lambda release: release.objects.append({"apiVersion": api, "kind": kind, "metadata": {"name": "a"}, **fields})

    return [
        ("default", "Additional properties", spec("Deployment", "auth", lambda it: it.update(replica=2))),
        ("default", "is not of type", spec("Service", "auth", lambda it: it.update(ports="7101"))),
        ("default", "is there 2 times", lambda it: it.objects.append(it.objects[0])),
        ("default", "Couldn't find schema", lambda it: it.objects[0].update(apiVersion="v9")),
        ("everything", "Cluster", lambda it: next(iter(it.of_kind("Cluster").values()))["spec"].pop("storage")),
        ("everything", "HTTPRoute", lambda it: it.component("HTTPRoute", "edge")["spec"].update(hostnames=["127.0.0.1"])),
        ("everything", "ServiceMonitor", lambda it: next(iter(it.of_kind("ServiceMonitor").values()))["spec"]["endpoints"][0].update(port="grpc")),
        ("default", "components are", without("Deployment", "order")),
        ("default", "catalog: wants runAsNonRoot", pod("catalog", lambda it: it["securityContext"].pop("runAsNonRoot"))),
        ("default", "edge: wants user", pod("edge", lambda it: it["securityContext"].update(runAsUser=0))),
        ("default", "edge: wants seccompProfile", pod("edge", lambda it: it["securityContext"].pop("seccompProfile"))),
        ("default", "auth: wants no token", pod("auth", lambda it: it.pop("automountServiceAccountToken"))),
        ("default", "auth: wants no service links", pod("auth", lambda it: it.pop("enableServiceLinks"))),
        ("default", "migration: wants readOnlyRoot", container("migration", lambda it: it["securityContext"].pop("readOnlyRootFilesystem"))),
        ("default", "order: wants no privilege", container("order", lambda it: it["securityContext"].pop("allowPrivilegeEscalation"))),
        ("default", "order: wants no capab", container("order", lambda it: it["securityContext"]["capabilities"].update(add=["NET_ADMIN"]))),
        ("default", "order: wants nothing of the host", pod("order", lambda it: it.update(hostNetwork=True))),
        ("default", "edge: wants no volumes", pod("edge", lambda it: it.update(volumes=[{"name": "a", "hostPath": {"path": "/"}}]))),
        ("default", "edge: wants limits", container("edge", lambda it: it["resources"].pop("limits"))),
        ("default", "edge: wants its own image", container("edge", lambda it: it.update(image="kontor/auth:1"))),
        ("default", "the ServiceAccount has", lambda it: it.of_kind("ServiceAccount")["shop-kontor"].update(automountServiceAccountToken=True)),
        ("default", "auth: readinessProbe", container("auth", lambda it: it["readinessProbe"]["httpGet"].update(path="/livez"))),
        ("default", "auth: livenessProbe", container("auth", lambda it: it["livenessProbe"]["httpGet"].update(port=7101))),
        ("default", "order: startupProbe", container("order", lambda it: it.pop("startupProbe"))),
        ("default", "order: ports are", container("order", lambda it: it["ports"].pop())),
        ("default", "catalog: an upgrade takes", spec("Deployment", "catalog", lambda it: it["strategy"]["rollingUpdate"].update(maxUnavailable=1))),
        ("default", "catalog: wants two", spec("Deployment", "catalog", lambda it: it.update(replicas=1))),
        ("default", "catalog: wants a PodDis", without("PodDisruptionBudget", "catalog")),
        ("everything", "catalog: wants an autoscaler", spec("HorizontalPodAutoscaler", "catalog", lambda it: it.update(minReplicas=1))),
        ("everything", "catalog: wants an autoscaler", spec("Deployment", "catalog", lambda it: it.update(replicas=2))),
        ("default", "edge: is not spread", pod("edge", lambda it: it["topologySpreadConstraints"].pop())),
        ("default", "edge: is killed", pod("edge", lambda it: it.pop("terminationGracePeriodSeconds"))),
        ("default", "journal has one writer", spec("Deployment", "sandbox-psp", lambda it: it.update(replicas=2))),
        ("default", "journal has one writer", spec("Deployment", "sandbox-psp", lambda it: it.update(strategy={"type": "RollingUpdate"}))),
        ("default", "KONTOR_HOLD is no setting", add_variable("catalog", "KONTOR_HOLD", "1")),
        ("default", "KONTOR_ISSUER_FILE is no setting", add_variable("catalog", "KONTOR_ISSUER_FILE", "/issuer")),
        ("default", "KONTOR_HOLD_SECONDS is set twice", add_variable("catalog", "KONTOR_HOLD_SECONDS", "1")),
        ("default", "KONTOR_ISSUER is missing", container("order", lambda it: it.update(env=[e for e in it["env"] if e["name"] != "KONTOR_ISSUER"]))),
        ("default", "not set before it", container("auth", lambda it: it["env"].reverse())),
        ("default", "the chart makes a Secret", added("Secret", "v1")),
        ("default", "a literal secret", variable("order", "KONTOR_DATABASE_URL", "postgres://kontor_order:pass@postgres/kontor")),
        ("default", "a literal secret", add_variable("order", "A", "0123456789abcdef0123456789abcdef")),
        ("default", "KONTOR_SERVICE_KEYS is a literal", variable("auth", "KONTOR_SERVICE_KEYS", "first,second")),
        ("default", "KONTOR_SERVICE_KEY is a literal", add_variable("order", "KONTOR_SERVICE_KEY", "key")),
        ("default", "order: reads the files", variable("order", "KONTOR_SERVICE_KEY_FILE", "/run/secrets/kontor/key")),
        ("everything", "order: reads the files", pod("order", lambda it: it["volumes"][0]["projected"]["sources"].pop())),
        ("default", "which no Service has", variable("order", "KONTOR_CATALOG_ADDR", "shop-kontor-catalog:7101")),
        ("default", "edge: listens on", variable("edge", "KONTOR_EDGE_ADDR", "127.0.0.1:8080")),
        ("default", "there is no claim", without("PersistentVolumeClaim", "sandbox-psp")),
        ("default", "Service shop-kontor-auth selects", spec("Service", "auth", lambda it: it["selector"].pop("app.kubernetes.io/component"))),
        ("default", "leads to ports other", spec("Service", "auth", lambda it: it["ports"][0].update(targetPort="http"))),
        ("everything", "the ServiceMonitor finds", metadata("Service", "edge", lambda it: it["labels"].pop("app.kubernetes.io/name"))),
        ("provider", "requests from outside", without("Ingress", "edge")),
        ("default", "migration: does not come", metadata("Job", "migration", lambda it: it.pop("annotations"))),
        ("default", "before the ServiceAccount", pod("migration", lambda it: it.update(serviceAccountName="shop-kontor"))),
        ("everything", "a hook comes before the Cluster", metadata("Job", "migration", lambda it: it.update(annotations={"helm.sh/hook": "post-install"}))),
        ("everything", "is lost with the release", lambda it: next(iter(it.of_kind("Cluster").values()))["metadata"].pop("annotations")),
        ("default", "stranger -> auth:7101/TCP is allowed", policy("auth", lambda it: it["ingress"][0].pop("from"))),
        ("default", "catalog -> auth:7101/TCP is denied", policy("catalog", lambda it: it["egress"].pop(0))),
        ("default", "order -> dns:53/UDP is denied", policy("default", lambda it: it.pop("egress"))),
        ("default", "migration -> host:443/TCP is allowed", policy("migration", lambda it: it.update(egress=[{}]))),
        ("default", "stranger -> order:9464/TCP is allowed", policy("order", lambda it: it["ingress"][1].pop("from"))),
        ("everything", "stranger -> postgres:5432/TCP is allowed", lambda it: it.objects.remove(it.of_kind("NetworkPolicy")["shop-kontor-postgres"])),
        ("open", "although they are switched off", added("NetworkPolicy", "networking.k8s.io/v1", spec={"podSelector": {}})),
    ]


def self_test(releases: dict[str, Release]) -> None:
    """Fails unless each mutation is noticed, for the reason that it gives."""
    for name, says, change in mutations():
        broken = releases[name].copy()
        change(broken)
        found = breaches(broken)
        if not any(says in breach for breach in found):
            sys.exit(f"{name}: no rule noticed {says!r}, but {found}")


def lint(values: dict[str, dict]) -> list[str]:
    found = []
    for name, overrides in values.items():
        report = helm_python.lint(CHART, overrides, strict=True)
        messages = [message["error"] for message in report["messages"] if message["severity"] > 1]
        found += [f"{name}: lint: {message}" for message in [*messages, *report["errors"]]]
    return found


def wrong_values_are_refused(chart: helm_python.Chart) -> list[str]:
    found = []
    for entry in yaml.load((TESTS / "refused.yaml").read_text(), UniqueKeys):
        try:
            chart.validate_schema(entry["values"])
            found.append(f"not refused: {entry['values']}")
        except helm_python.HelmValuesError as error:
            if entry["names"] not in str(error):
                found.append(f"{entry['values']}: refused without naming {entry['names']}: {error}")
    return found


def values_are_documented(chart: helm_python.Chart) -> list[str]:
    """Each value has a comment right above it, and stands both in values.yaml and in the schema."""
    text = (CHART / "values.yaml").read_text()
    lines = text.splitlines()
    keys = [(number, re.match(r" *([A-Za-z]+):", line)) for number, line in enumerate(lines)]
    found = [
        f"values.yaml:{number + 1}: {key[1]} has no comment"
        for number, key in keys if key and key[1] not in UNDOCUMENTED and not lines[number - 1].lstrip().startswith("#")
    ]

    def compare(path: str, schema: dict, values: object) -> None:
        if "properties" not in schema:
            return
        known, given = set(schema["properties"]) - {"global"}, set(values if isinstance(values, dict) else [])
        found.extend(f"{path}{key}: in the schema or in values.yaml only" for key in sorted(known ^ given))
        for key in known & given:
            compare(f"{path}{key}.", schema["properties"][key], values[key])

    compare("", chart.schema, yaml.load(text, UniqueKeys))
    return found


def main() -> int:
    values = {"default": {}} | {path.stem: yaml.load(path.read_text(), UniqueKeys) for path in sorted(TESTS.glob("values/*.yaml"))}
    with helm_python.Chart.load(CHART) as chart:
        releases = {name: Release(chart, overrides) for name, overrides in values.items()}
        found = lint(values) + wrong_values_are_refused(chart) + values_are_documented(chart)
        for name, release in releases.items():
            chart.validate_schema(values[name])
            found += [f"{name}: {breach}" for breach in breaches(release)]
        # A Job can't be changed: with a Cluster, each revision has one of its own.
        jobs = [set(Release(chart, values["everything"], revision).of_kind("Job")) for revision in (1, 2)]
        if jobs[0] & jobs[1]:
            found.append(f"everything: revisions share the Job {jobs[0]}")
    for line in found:
        print(line)
    if not found:
        self_test(releases)
        print(f"{len(releases)} releases, {sum(len(release.objects) for release in releases.values())} objects, {len(mutations())} mutations noticed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
