"""A rendered release of the chart, and who may talk to whom in it."""

import copy
import ipaddress
from dataclasses import dataclass
from pathlib import Path

import helm_python
import yaml

CHART = Path(__file__).resolve().parent.parent
NAMESPACE = "shop"


class UniqueKeys(yaml.CSafeLoader):
    """Refuses a mapping with the same key twice, of which YAML parsers silently drop one."""

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.YAMLError(f"key {key!r} stands twice, {node.start_mark}")
        return super().construct_mapping(node, deep)


class Release:
    """What the chart makes of a set of values, under the release name `shop`."""

    def __init__(self, chart: helm_python.Chart, values: dict, revision: int = 1):
        self.values = chart.merge_values(values)
        files = chart.render(values, name="shop", namespace=NAMESPACE, revision=revision)
        self.notes = "".join(text for name, text in files.items() if name.endswith("NOTES.txt"))
        texts = [text for name, text in files.items() if name.endswith(".yaml")]
        self.objects = [item for text in texts for item in yaml.load_all(text, UniqueKeys) if item]
        self.fullname = self.values["fullnameOverride"] or "shop-kontor"

    def copy(self) -> "Release":
        return copy.deepcopy(self)

    def of_kind(self, kind: str) -> dict[str, dict]:
        """The objects of a kind by name."""
        return {item["metadata"]["name"]: item for item in self.objects if item["kind"] == kind}

    def workloads(self) -> dict[str, dict]:
        """Deployments and Jobs by component."""
        found = [item for item in self.objects if item["kind"] in ("Deployment", "Job")]
        return {item["metadata"]["labels"]["app.kubernetes.io/component"]: item for item in found}

    def component(self, kind: str, component: str) -> dict:
        """The one object of a kind that a component has."""
        labels = ((item, item["metadata"]["labels"]) for item in self.of_kind(kind).values())
        return next(item for item, labels in labels if labels.get("app.kubernetes.io/component") == component)

    def pod(self, component: str) -> dict:
        """The specification of a component's pods."""
        return self.workloads()[component]["spec"]["template"]["spec"]

    def container(self, component: str) -> dict:
        return self.pod(component)["containers"][0]

    def variable(self, component: str, name: str) -> dict:
        return next(entry for entry in self.container(component)["env"] if entry["name"] == name)


@dataclass(frozen=True)
class Endpoint:
    """A pod, or with an address and no namespace something outside of the cluster."""

    name: str
    labels: tuple = ()
    namespace: str | None = NAMESPACE
    address: str | None = None


def selects(selector: dict, labels: dict) -> bool:
    """Whether a label selector, with matchLabels only, selects these labels."""
    if set(selector) - {"matchLabels"}:
        raise ValueError(f"a selector that this test does not understand: {selector}")
    return selector.get("matchLabels", {}).items() <= labels.items()


def is_peer(endpoint: Endpoint, peers: list[dict]) -> bool:
    """Whether a list of NetworkPolicy peers includes the endpoint; an empty one includes all."""
    return not peers or any(matches(endpoint, peer) for peer in peers)


def matches(endpoint: Endpoint, peer: dict) -> bool:
    if "ipBlock" in peer:
        if endpoint.address is None:
            return False
        networks = [peer["ipBlock"]["cidr"], *peer["ipBlock"].get("except", [])]
        inside, *outside = [ipaddress.ip_address(endpoint.address) in ipaddress.ip_network(text) for text in networks]
        return inside and not any(outside)
    if endpoint.namespace is None:
        return False
    if "namespaceSelector" in peer:
        in_namespace = selects(peer["namespaceSelector"], {"kubernetes.io/metadata.name": endpoint.namespace})
    else:
        in_namespace = endpoint.namespace == NAMESPACE
    return in_namespace and selects(peer.get("podSelector", {}), dict(endpoint.labels))


def open_ports(release: Release, source: Endpoint, target: Endpoint) -> set[tuple[int, str]] | None:
    """The ports on which the release's NetworkPolicies let a connection through, on both sides; None means all."""
    outgoing, incoming = one_side(release, source, target, "egress", "to"), one_side(release, target, source, "ingress", "from")
    return outgoing if incoming is None else incoming if outgoing is None else outgoing & incoming


def one_side(release: Release, pod: Endpoint, other: Endpoint, direction: str, peers: str) -> set[tuple[int, str]] | None:
    policies = [policy["spec"] for policy in release.of_kind("NetworkPolicy").values() if pod.namespace == NAMESPACE]
    policies = [it for it in policies if selects(it["podSelector"], dict(pod.labels)) and direction.capitalize() in it.get("policyTypes", [])]
    rules = [rule for policy in policies for rule in policy.get(direction) or [] if is_peer(other, rule.get(peers, []))]
    if not policies or any("ports" not in rule for rule in rules):
        return None
    return {(entry["port"], entry["protocol"]) for rule in rules for entry in rule["ports"]}
