"""What must hold in every release of the chart. Each rule yields a sentence for each breach."""

import functools
import itertools
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import jsonschema
import kubernetes_validate
import kubernetes_validate.utils
import yaml

from release import CHART, NAMESPACE, Endpoint, Release, is_peer, open_ports, selects

# The oldest version of Kubernetes that Chart.yaml admits, and the newest that the schemas know.
KUBERNETES = ["1.30", kubernetes_validate.latest_version()]
CRDS = yaml.safe_load((CHART / "tests/crds.yaml").read_text())

PORTS = {"auth": 7101, "catalog": 7102, "order": 7103, "edge": 8080, "sandbox-psp": 7104}
ADDRESSES = {
    "auth": "KONTOR_AUTH_ADDR", "catalog": "KONTOR_CATALOG_ADDR", "order": "KONTOR_ORDER_ADDR", "edge": "KONTOR_EDGE_ADDR",
    "sandbox-psp": "KONTOR_PSP_ADDR",
}
METRICS = 9464
CALLS = {
    ("edge", "auth"), ("edge", "catalog"), ("edge", "order"), ("order", "auth"), ("order", "catalog"), ("order", "sandbox-psp"),
    ("catalog", "auth"), ("sandbox-psp", "auth"),
}
WITH_DATABASE = {"auth", "catalog", "order", "migration"}
DRAIN_SECONDS = 35

# The settings of each program: those that it must be given, and those that it may be given.
DATABASE = {"KONTOR_DATABASE_URL", "KONTOR_DATABASE_CONNECTIONS"}
REQUIRED = {
    "auth": DATABASE | {
        "KONTOR_ISSUER", "KONTOR_ADMIN_EMAIL", "KONTOR_ADMIN_PASSWORD", "KONTOR_SERVICE_KEYS", "KONTOR_AUTH_KEK", "KONTOR_TRUSTED_PROXIES",
    },
    "catalog": DATABASE | {"KONTOR_ISSUER", "KONTOR_SERVICE_KEY"},
    "order": DATABASE | {"KONTOR_ISSUER", "KONTOR_SERVICE_KEY", "KONTOR_PSP_ADDR"},
    "edge": set(),
    "sandbox-psp": {"KONTOR_ISSUER", "KONTOR_PSP_JOURNAL"},
    "migration": {
        "KONTOR_DATABASE_URL", "KONTOR_AUTH_DATABASE_PASSWORD", "KONTOR_CATALOG_DATABASE_PASSWORD", "KONTOR_ORDER_DATABASE_PASSWORD",
    },
}
OPTIONAL = {
    "auth": {"KONTOR_SMTP_URL", "KONTOR_MAIL_FROM", "KONTOR_LINK_ORIGIN", "KONTOR_KEY_ROTATION_DAYS", "KONTOR_DEV_MAILBOX"},
    "catalog": {"KONTOR_HOLD_SECONDS"},
    "order": {"KONTOR_LEASE_SECONDS", "KONTOR_ORDER_SECONDS"},
    "edge": {"KONTOR_DEV_MAILBOX_ADDR"},
    "sandbox-psp": set(),
    "migration": set(),
}
COMMON = {"KONTOR_METRICS_ADDR", "KONTOR_LOG_FORMAT", "RUST_LOG"}
TELEMETRY = {
    "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG", "OTEL_RESOURCE_ATTRIBUTES",
}
SECRETS = {
    "KONTOR_DATABASE_URL", "KONTOR_ADMIN_PASSWORD", "KONTOR_SERVICE_KEYS", "KONTOR_SERVICE_KEY", "KONTOR_AUTH_KEK", "KONTOR_SMTP_URL",
    "KONTOR_AUTH_DATABASE_PASSWORD", "KONTOR_CATALOG_DATABASE_PASSWORD", "KONTOR_ORDER_DATABASE_PASSWORD",
}
# What a secret looks like: a password in a URL, a service key, a PEM block, 32 bytes in hexadecimal or base64.
SECRET_TEXT = re.compile(r"://[^/\s:@]*:(?!\$\()[^@/\s]+@|kt_sk_|-----BEGIN|\b[0-9a-f]{32,}\b|[A-Za-z0-9+/]{40,}={0,2}")

# Schemas are read once, and equal objects validated once.
kubernetes_validate.utils.schema_contents = functools.cache(kubernetes_validate.utils.schema_contents)


@functools.cache
def validate(text: str) -> None:
    item = json.loads(text)
    if item["kind"] in CRDS:
        jsonschema.validate(item, CRDS[item["kind"]])
        return
    for version in KUBERNETES:
        kubernetes_validate.validate(item, version, strict=True)


def follows_kubernetes_schemas(release: Release) -> Iterator[str]:
    for item in release.objects:
        name = f"{item['kind']} {item['metadata']['name']}"
        try:
            validate(json.dumps(item))
        except jsonschema.ValidationError as error:
            yield f"{name}: {'.'.join(map(str, error.path))}: {error.message}"
        except kubernetes_validate.SchemaNotFoundError as error:
            yield f"{name}: {error.message}"
    for (kind, name), count in Counter((item["kind"], item["metadata"]["name"]) for item in release.objects).items():
        if count > 1:
            yield f"{kind} {name} is there {count} times"


def has_every_component(release: Release) -> Iterator[str]:
    expected = set(PORTS) | {"migration"}
    if release.values["paymentProvider"]["address"]:
        expected.remove("sandbox-psp")
    if set(release.workloads()) != expected:
        yield f"components are {sorted(release.workloads())}, not {sorted(expected)}"


def pods_are_restricted(release: Release) -> Iterator[str]:
    if any(account["automountServiceAccountToken"] for account in release.of_kind("ServiceAccount").values()):
        yield "the ServiceAccount has a token"
    for component in release.workloads():
        pod = release.pod(component)
        context, container = pod["securityContext"], release.container(component)
        own = container["securityContext"]
        volumes = set().union(*map(set, pod.get("volumes") or [])) - {"name"}
        wanted = {
            "one container": len(pod["containers"]) == 1 and "initContainers" not in pod,
            "no token": pod.get("automountServiceAccountToken") is False,
            "no service links": pod.get("enableServiceLinks") is False,
            "runAsNonRoot": context.get("runAsNonRoot") is True,
            "user 65532": (context.get("runAsUser"), context.get("runAsGroup"), context.get("fsGroup")) == (65532, 65532, 65532),
            "seccompProfile": context.get("seccompProfile") == {"type": "RuntimeDefault"},
            "no privilege escalation": own.get("allowPrivilegeEscalation") is False,
            "readOnlyRootFilesystem": own.get("readOnlyRootFilesystem") is True,
            "no capabilities": own.get("capabilities") == {"drop": ["ALL"]},
            "nothing of the host": not {"hostNetwork", "hostPID", "hostIPC"} & set(pod) and "privileged" not in own,
            "no volumes but secrets and claims": volumes <= {"projected", "persistentVolumeClaim"},
            "requests": {"cpu", "memory"} <= set(container["resources"].get("requests", {})),
            "limits": {"cpu", "memory"} <= set(container["resources"].get("limits", {})),
            "its own image": re.search(f"/{'kontor' if component == 'migration' else component}:", container["image"]),
        }
        yield from (f"{component}: wants {what}" for what, holds in wanted.items() if not holds)


def probes_use_the_metrics_port(release: Release) -> Iterator[str]:
    for component in set(release.workloads()) - {"migration"}:
        container = release.container(component)
        ports = {entry["name"]: entry["containerPort"] for entry in container.get("ports", [])}
        if ports.get("metrics") != METRICS or PORTS[component] not in ports.values():
            yield f"{component}: ports are {ports}"
        for probe, path in {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"}.items():
            if container.get(probe, {}).get("httpGet") != {"path": path, "port": "metrics"}:
                yield f"{component}: {probe} is not GET {path} on port metrics"


def upgrades_keep_pods(release: Release) -> Iterator[str]:
    scaled = release.values["autoscaling"]["enabled"]
    for component in set(release.workloads()) - {"migration"}:
        deployment = release.component("Deployment", component)["spec"]
        selector = deployment["selector"]["matchLabels"]
        budgets = [item["spec"] for item in release.of_kind("PodDisruptionBudget").values() if item["spec"]["selector"]["matchLabels"] == selector]
        scalers = [
            item["spec"] for item in release.of_kind("HorizontalPodAutoscaler").values()
            if item["spec"]["scaleTargetRef"]["name"] == f"{release.fullname}-{component}"
        ]
        stop = release.container(component).get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        if release.pod(component).get("terminationGracePeriodSeconds", 30) < stop + DRAIN_SECONDS:
            yield f"{component}: is killed before it has drained"
        if component == "sandbox-psp":
            if deployment["strategy"] != {"type": "Recreate"} or deployment.get("replicas") != 1 or budgets or scalers:
                yield "sandbox-psp: its journal has one writer"
            continue
        if deployment["strategy"].get("rollingUpdate") != {"maxUnavailable": 0, "maxSurge": 1}:
            yield f"{component}: an upgrade takes pods away"
        if len(budgets) != 1 or budgets[0].get("maxUnavailable") != 1:
            yield f"{component}: wants a PodDisruptionBudget"
        wanted = 1 if release.values["auth"]["devMailbox"] and component == "auth" else 2
        if scaled and ("replicas" in deployment or len(scalers) != 1 or scalers[0]["minReplicas"] < wanted or scalers[0]["maxReplicas"] < 2):
            yield f"{component}: wants an autoscaler for two pods or more, and no number of replicas beside it"
        if not scaled and (scalers or deployment["replicas"] < wanted):
            yield f"{component}: wants two replicas"
        spread = release.pod(component).get("topologySpreadConstraints", [])
        if {entry["topologyKey"] for entry in spread if entry["labelSelector"]["matchLabels"] == selector} != {
            "topology.kubernetes.io/zone", "kubernetes.io/hostname",
        }:
            yield f"{component}: is not spread over zones and nodes"


def settings_exist(release: Release) -> Iterator[str]:
    for component in release.workloads():
        env = release.container(component)["env"]
        extra = {entry["name"] for entry in release.values.get(component, {}).get("extraEnv", [])}
        names = [entry["name"] for entry in env if entry["name"] not in extra]
        for name in {name for name in names if names.count(name) > 1}:
            yield f"{component}: {name} is set twice"
        callees = {ADDRESSES[callee] for caller, callee in CALLS if caller == component}
        required = REQUIRED[component] | callees
        known = required | OPTIONAL[component]
        if component != "migration":
            required = required | {ADDRESSES[component], "KONTOR_METRICS_ADDR"}
            known = known | required | COMMON | TELEMETRY
        expanded, given = set(), set()
        for index, entry in enumerate(env):
            expansions = re.findall(r"\$\((\w+)\)", entry.get("value", ""))
            for name in set(expansions) - {earlier["name"] for earlier in env[:index]}:
                yield f"{component}: {entry['name']} expands {name}, which is not set before it"
            expanded.update(expansions)
        for name in names:
            setting = name.removesuffix("_FILE")
            if name in known or setting in known & SECRETS:
                given.add(setting if setting in SECRETS else name)
            elif name not in expanded:
                yield f"{component}: {name} is no setting of its program"
            elif name.startswith("KONTOR_"):
                yield f"{component}: {name} is no setting, and looks like one"
        yield from (f"{component}: {name} is missing" for name in sorted(required - given))


def secrets_are_referred_to(release: Release) -> Iterator[str]:
    if release.of_kind("Secret"):
        yield "the chart makes a Secret"
    for text in strings(release.objects):
        # The digest of an image is no secret.
        if SECRET_TEXT.search(re.sub(r"@sha256:[0-9a-f]{64}", "", text)):
            yield f"a literal secret: {text}"
    for component in release.workloads():
        pod, container = release.pod(component), release.container(component)
        mounts = {entry["name"]: entry["mountPath"] for entry in container.get("volumeMounts") or []}
        files = {
            f"{mounts[volume['name']]}/{item['path']}"
            for volume in pod.get("volumes") or [] if "projected" in volume and volume["name"] in mounts
            for source in volume["projected"]["sources"] for item in source["secret"]["items"]
        }
        used = set()
        for entry in container["env"]:
            value, name = entry.get("value", ""), entry["name"]
            if name in SECRETS and "valueFrom" not in entry and not re.fullmatch(r"(postgres://\w+:)?\$\(\w+\)(,\$\(\w+\)|@.*)?", value):
                yield f"{component}: {name} is a literal"
            if name.removesuffix("_FILE") in SECRETS and name.endswith("_FILE"):
                used.add(value)
            used.update(re.findall(r"sslrootcert=(\S+)", value))
        if used != files:
            yield f"{component}: reads the files {sorted(used)}, and has {sorted(files)}"


def strings(value) -> Iterator[str]:
    """All texts in a value, keys included."""
    if isinstance(value, dict):
        yield from itertools.chain(map(str, value), *map(strings, value.values()))
    elif isinstance(value, list):
        yield from itertools.chain(*map(strings, value))
    elif isinstance(value, str):
        yield value


def references_lead_somewhere(release: Release) -> Iterator[str]:
    pods = {component: item["spec"]["template"]["metadata"]["labels"] for component, item in release.workloads().items()}
    services = release.of_kind("Service")
    ports = {(name, entry["port"]) for name, item in services.items() for entry in item["spec"]["ports"]}
    for component, item in release.workloads().items():
        if item["kind"] == "Deployment" and not selects(item["spec"]["selector"], pods[component]):
            yield f"{component}: its Deployment does not select its pods"
        for entry in release.container(component)["env"]:
            if entry["name"] not in {*ADDRESSES.values(), "KONTOR_DEV_MAILBOX_ADDR"}:
                continue
            address = urlsplit(f"//{entry['value'].rpartition('//')[2]}")
            if entry["name"] == ADDRESSES.get(component):
                if (address.hostname, address.port) not in {("0.0.0.0", PORTS[component]), ("::", PORTS[component])}:
                    yield f"{component}: listens on {entry['value']}"
            elif entry["value"] != release.values["paymentProvider"]["address"] and (address.hostname, address.port) not in ports:
                yield f"{component}: {entry['name']} is {entry['value']}, which no Service has"
        for volume in release.pod(component).get("volumes") or []:
            claim = volume.get("persistentVolumeClaim", {}).get("claimName")
            if claim and claim not in release.of_kind("PersistentVolumeClaim"):
                yield f"{component}: there is no claim {claim}"
    for name, item in services.items():
        selected = [component for component, labels in pods.items() if selects({"matchLabels": item["spec"]["selector"]}, labels)]
        if name != f"{release.fullname}-{''.join(selected)}":
            yield f"Service {name} selects {selected}"
        names = {entry["name"] for component in selected for entry in release.container(component).get("ports", [])}
        if {entry["targetPort"] for entry in item["spec"]["ports"]} != names:
            yield f"Service {name} leads to ports other than {sorted(names)}"
    for monitor in release.of_kind("ServiceMonitor").values():
        found = [name for name, item in services.items() if selects(monitor["spec"]["selector"], item["metadata"]["labels"])]
        if len(found) != len(services):
            yield f"the ServiceMonitor finds {found} only"
    backends = [
        rule["http"]["paths"][0]["backend"]["service"]["name"]
        for item in release.of_kind("Ingress").values() for rule in item["spec"]["rules"]
    ] + [rule["backendRefs"][0]["name"] for item in release.of_kind("HTTPRoute").values() for rule in item["spec"]["rules"]]
    if set(backends) - {f"{release.fullname}-edge"}:
        yield f"requests from outside lead to {backends}"
    if len(backends) != release.values["ingress"]["enabled"] + release.values["httpRoute"]["enabled"]:
        yield f"requests from outside lead to {backends}, by neither or both of Ingress and HTTPRoute"


def migration_comes_in_time(release: Release) -> Iterator[str]:
    job = release.component("Job", "migration")
    hooks = job["metadata"].get("annotations", {}).get("helm.sh/hook")
    if release.container("migration").get("args") != ["migrate"]:
        yield "migration: does not migrate"
    if release.of_kind("Cluster"):
        if hooks:
            yield "migration: a hook comes before the Cluster, or waits for pods that wait for it"
        if not release.container("migration")["env"][0]["valueFrom"]["secretKeyRef"]["name"] == f"{release.fullname}-postgres-app":
            yield "migration: does not take the password that the operator made"
    else:
        if hooks != "pre-install,pre-upgrade":
            yield "migration: does not come before the services"
        if "serviceAccountName" in release.pod("migration"):
            yield "migration: a hook comes before the ServiceAccount"
    for kind in ("Cluster", "PersistentVolumeClaim"):
        for name, item in release.of_kind(kind).items():
            if item["metadata"].get("annotations", {}).get("helm.sh/resource-policy") != "keep":
                yield f"{kind} {name}: is lost with the release"


def endpoints(release: Release) -> list[Endpoint]:
    """The release's pods, and others in and out of the cluster."""
    pods = {component: item["spec"]["template"]["metadata"]["labels"] for component, item in release.workloads().items()}
    if release.of_kind("Cluster"):
        pods["postgres"] = {"cnpg.io/cluster": f"{release.fullname}-postgres"}
    return [
        *(Endpoint(component, tuple(labels.items())) for component, labels in pods.items()),
        Endpoint("stranger"),
        Endpoint("other release", tuple((dict(pods["edge"]) | {"app.kubernetes.io/instance": "other"}).items())),
        Endpoint("dns", (("k8s-app", "kube-dns"),), "kube-system"),
        Endpoint("prometheus", (), "monitoring"),
        Endpoint("operator", (), "cnpg-system"),
        Endpoint("ingress", (), "ingress"),
        Endpoint("host", (), None, "203.0.113.9"),
        Endpoint("other host", (), None, "198.51.100.9"),
    ]


def wanted_connections(release: Release) -> Callable[[Endpoint, Endpoint, int, str], bool]:
    """The table of who calls whom, with what the values add to it."""
    values, policies = release.values, release.values["networkPolicies"]
    components, has_cluster = release.workloads(), bool(release.of_kind("Cluster"))
    collector, provider = values["telemetry"]["otlpEndpoint"], values["paymentProvider"]["address"]
    mail_port = values["mail"]["port"] if values["mail"]["from"] else None

    def to_kontor(source: Endpoint, target: Endpoint, port: int) -> bool:
        asked = source.name not in components
        if port == METRICS and target.name != "migration":
            mailbox = values["auth"]["devMailbox"] and (source.name, target.name) == ("edge", "auth")
            return mailbox or asked and is_peer(source, policies["metrics"]["from"])
        if (target.name, port) == ("edge", PORTS["edge"]):
            return asked and is_peer(source, policies["edge"]["from"])
        return (source.name, target.name) in CALLS and port == PORTS[target.name]

    def out_of_kontor(source: Endpoint, target: Endpoint, port: int) -> bool:
        let_out = [
            (port == 53, target.name == "dns"),
            (not has_cluster and source.name in WITH_DATABASE and port == values["postgres"]["port"], is_peer(target, policies["postgres"]["to"])),
            (collector and source.name != "migration" and port == urlsplit(collector).port, is_peer(target, policies["otlp"]["to"])),
            (source.name == "auth" and port == mail_port, is_peer(target, policies["smtp"]["to"])),
            (provider and source.name == "order" and port == urlsplit(provider).port, is_peer(target, policies["paymentProvider"]["to"])),
        ]
        return any(concerned and peer for concerned, peer in let_out)

    def is_wanted(source: Endpoint, target: Endpoint, port: int, protocol: str) -> bool:
        if target.name in components:
            return protocol == "TCP" and to_kontor(source, target, port)
        if target.name == "postgres":
            served = {5432: WITH_DATABASE | {"postgres", "operator"}, 8000: {"postgres", "operator"}, 9187: {"prometheus"}}
            return source.name in served.get(port, set())
        if source.name not in components:
            return True
        return out_of_kontor(source, target, port) and (protocol == "TCP" or port == 53)

    return is_wanted


def policies_allow_the_table(release: Release) -> Iterator[str]:
    if not release.values["networkPolicies"]["enabled"]:
        if release.of_kind("NetworkPolicy"):
            yield "there are NetworkPolicies although they are switched off"
        return
    is_wanted = wanted_connections(release)
    ports = [(port, "TCP") for port in (*PORTS.values(), METRICS, 53, 80, 443, 465, 587, 4317, 4318, 5432, 6432, 8000, 8443, 9187)]
    inside = {*release.workloads(), "postgres"}
    for source, target in itertools.permutations(endpoints(release), 2):
        if not inside & {source.name, target.name}:
            continue
        let_through = open_ports(release, source, target)
        for port, protocol in [*ports, (53, "UDP"), (7101, "UDP")]:
            is_allowed = let_through is None or (port, protocol) in let_through
            if is_allowed != is_wanted(source, target, port, protocol):
                yield f"{source.name} -> {target.name}:{port}/{protocol} is {'allowed' if is_allowed else 'denied'}"


RULES = [
    has_every_component, pods_are_restricted, probes_use_the_metrics_port, upgrades_keep_pods, settings_exist, secrets_are_referred_to,
    references_lead_somewhere, migration_comes_in_time, policies_allow_the_table,
]


def breaches(release: Release) -> list[str]:
    """All breaches; those of Kubernetes' schemas alone if there are any, since the rules build on them."""
    return list(follows_kubernetes_schemas(release)) or [breach for rule in RULES for breach in rule(release)]
