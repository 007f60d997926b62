"""The cluster, EKS and K3s."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from dhakacart_infra.inputs import ROOT

from generator.config.cluster import EksCluster, K3sCluster
from generator.config.infrastructure import Infrastructure
from generator.config.workloads import workloads_on
from tests.conftest import Stacks
from tests.support import Stack, resources, statements, texts

EVERY = ["dev", "staging", "prod"]
EKS = ["staging", "prod"]
FIVE = K3sCluster.model_validate(
    {
        "kind": "k3s",
        "version": "1.35",
        "servers": {"type": "m7i.large", "count": 5},
        "agents": {"type": "m7g.large", "min": 2, "max": 3},
    }
)


@pytest.fixture(scope="module")
def five(environments: dict[str, Infrastructure], tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """Production on K3s with five servers."""
    from dhakacart_infra.app import synthesize

    prod = replace(environments["prod"], cluster=FIVE)
    made = synthesize([prod], tmp_path_factory.mktemp("five"))
    return dict(json.loads(made["prod", "cluster"]))


def _rules(stack: Stack) -> Iterator[tuple[str, dict[str, Any]]]:
    for way in ("ingress", "egress"):
        for name, rule in resources(stack, f"aws_vpc_security_group_{way}_rule").items():
            yield f"{way} {name}", rule


# -- both kinds


@pytest.mark.parametrize("name", EVERY)
def test_nothing_comes_in_but_from_groups_that_are_named(stacks: Stacks, name: str) -> None:
    found = stacks[name, "cluster"]
    for group in resources(found, "aws_security_group").values():
        assert "ingress" not in group
        assert "egress" not in group
    for rule in resources(found, "aws_vpc_security_group_ingress_rule").values():
        assert "cidr_ipv4" not in rule
        assert rule["referenced_security_group_id"]


@pytest.mark.parametrize("name", EVERY)
def test_only_https_and_dns_go_out_to_anywhere(stacks: Stacks, name: str) -> None:
    rules = resources(stacks[name, "cluster"], "aws_vpc_security_group_egress_rule").values()
    anywhere = {(rule["ip_protocol"], rule["from_port"]) for rule in rules if "cidr_ipv4" in rule}
    assert anywhere == {("tcp", 443), ("udp", 53), ("tcp", 53)}


@pytest.mark.parametrize("name", EVERY)
def test_nodes_reach_the_database_and_nobody_else_is_let_in(
    stacks: Stacks, environments: dict[str, Infrastructure], name: str
) -> None:
    port = environments[name].database.port
    rules = [(id_, rule) for id_, rule in _rules(stacks[name, "cluster"]) if "database" in id_]
    assert {id_ for id_, _ in rules} == {"ingress database-from-nodes", "egress nodes-to-database"}
    for _, rule in rules:
        assert (rule["ip_protocol"], rule["from_port"], rule["to_port"]) == ("tcp", port, port)
    inward = dict(rules)["ingress database-from-nodes"]
    assert inward["referenced_security_group_id"] == "${aws_security_group.nodes-security-group.id}"
    assert "prod-data" in inward["security_group_id"].replace(f"{name}-data", "prod-data")


@pytest.mark.parametrize("name", EVERY)
def test_one_group_alone_has_the_tag_of_the_cluster(stacks: Stacks, name: str) -> None:
    groups = resources(stacks[name, "cluster"], "aws_security_group")
    tagged = [
        id_ for id_, group in groups.items() if f"kubernetes.io/cluster/dhakacart-{name}" in group["tags"]
    ]
    assert tagged == ["nodes-security-group"]


@pytest.mark.parametrize("name", EVERY)
def test_every_node_has_tags_an_encrypted_disk_and_metadata_by_token(stacks: Stacks, name: str) -> None:
    found = stacks[name, "cluster"]
    hops = 1 if name in EKS else 2
    templates = resources(found, "aws_launch_template")
    assert templates
    for template in templates.values():
        assert template["metadata_options"]["http_tokens"] == "required"
        assert template["metadata_options"]["http_put_response_hop_limit"] == hops
        assert [disk["ebs"]["encrypted"] for disk in template["block_device_mappings"]] == ["true"]
        assert "network_interfaces" not in template  # and so no public address
        tagged = {spec["resource_type"]: spec["tags"] for spec in template["tag_specifications"]}
        assert set(tagged) == {"instance", "volume", "network-interface"}
        assert all(tags["Environment"] == name and tags["Name"] for tags in tagged.values())
    for server in resources(found, "aws_instance").values():
        assert server["metadata_options"]["http_tokens"] == "required"
        assert server["metadata_options"]["http_put_response_hop_limit"] == hops
        assert server["root_block_device"]["encrypted"] is True
        assert "private-" in server["subnet_id"]  # which gives no public address
        assert "associate_public_ip_address" not in server


@pytest.mark.parametrize("name", EVERY)
def test_logs_end_some_day_and_production_keeps_them_a_year(stacks: Stacks, name: str) -> None:
    groups = resources(stacks[name, "cluster"], "aws_cloudwatch_log_group")
    assert [group["retention_in_days"] for group in groups.values()] == [365 if name == "prod" else 30]


@pytest.mark.parametrize("name", EVERY)
def test_roles_are_bounded_and_nobody_comes_in_by_ssh(stacks: Stacks, name: str) -> None:
    found = stacks[name, "cluster"]
    for role in resources(found, "aws_iam_role").values():
        assert role["permissions_boundary"].endswith(f":policy/dhakacart-{name}-boundary")
    for kind in ("aws_instance", "aws_launch_template"):
        assert not [one for one in resources(found, kind).values() if "key_name" in one]
    assert not [rule for _, rule in _rules(found) if rule.get("from_port") == 22]


def test_another_type_of_processor_gets_its_image(five: Stack) -> None:
    assert five["data"]["aws_ssm_parameter"]["servers-image"]["name"].endswith("-x86_64")
    assert five["data"]["aws_ssm_parameter"]["agents-image"]["name"].endswith("-arm64")


# -- EKS


@pytest.mark.parametrize("name", EKS)
def test_the_control_plane_is_private_encrypted_logged_and_nobodys_by_chance(
    stacks: Stacks, name: str
) -> None:
    cluster = resources(stacks[name, "cluster"], "aws_eks_cluster")["cluster"]
    assert cluster["vpc_config"]["endpoint_private_access"] is True
    assert cluster["vpc_config"]["endpoint_public_access"] is False
    assert cluster["access_config"] == {
        "authentication_mode": "API",
        "bootstrap_cluster_creator_admin_permissions": False,
    }
    assert cluster["encryption_config"]["resources"] == ["secrets"]
    assert len(cluster["enabled_cluster_log_types"]) == 5
    assert cluster["lifecycle"]["prevent_destroy"] is (name == "prod")
    assert "aws_cloudwatch_log_group.control-plane-logs" in cluster["depends_on"]


@pytest.mark.parametrize("name", EKS)
def test_the_role_that_applies_is_the_only_administrator(
    stacks: Stacks, environments: dict[str, Infrastructure], name: str
) -> None:
    found = stacks[name, "cluster"]
    entries = resources(found, "aws_eks_access_entry").values()
    role = environments[name].names.role("apply")
    assert [entry["principal_arn"].split(":role/")[1] for entry in entries] == [role]
    made = [each["name"] for each in resources(stacks[name, "bootstrap"], "aws_iam_role").values()]
    assert role in made
    (association,) = resources(found, "aws_eks_access_policy_association").values()
    assert association["policy_arn"].endswith("AmazonEKSClusterAdminPolicy")
    assert association["access_scope"] == {"type": "cluster"}


@pytest.mark.parametrize("name", EKS)
def test_addons_come_before_nodes_or_after_them(stacks: Stacks, name: str) -> None:
    found = stacks[name, "cluster"]
    groups = {f"aws_eks_node_group.{id_}" for id_ in resources(found, "aws_eks_node_group")}
    addons = resources(found, "aws_eks_addon")
    for group in resources(found, "aws_eks_node_group").values():
        waits = {each.split(".")[1] for each in group["depends_on"] if each.startswith("aws_eks_addon.")}
        assert waits == {"addon-eks-pod-identity-agent", "addon-vpc-cni", "addon-kube-proxy"}
        assert "aws_vpc_security_group_ingress_rule.control-plane-from-nodes" in group["depends_on"]
    for late in ("addon-coredns", "addon-aws-ebs-csi-driver"):
        assert groups <= set(addons[late]["depends_on"])
    assert all("addon_version" in addon for addon in addons.values())


@pytest.mark.parametrize("name", EKS)
def test_pods_have_addresses_as_they_are_counted_and_policies_are_enforced(stacks: Stacks, name: str) -> None:
    addon = resources(stacks[name, "cluster"], "aws_eks_addon")["addon-vpc-cni"]
    settings = json.loads(addon["configuration_values"])
    assert settings["env"]["ENABLE_PREFIX_DELEGATION"] == "false"  # facts count `max_pods`, not prefixes
    assert settings["enableNetworkPolicy"] == "true"


@pytest.mark.parametrize("name", EKS)
def test_addons_have_their_rights_before_they_start(stacks: Stacks, name: str) -> None:
    found = stacks[name, "cluster"]
    for workload in workloads_on("eks"):
        if not workload.app:
            association = f"aws_eks_pod_identity_association.{workload.name}-association"
            for addon in ("addon-vpc-cni", "addon-aws-ebs-csi-driver"):
                assert association in resources(found, "aws_eks_addon")[addon]["depends_on"]


@pytest.mark.parametrize("name", EKS)
def test_nodes_are_those_of_the_file_spread_over_zones(
    stacks: Stacks, environments: dict[str, Infrastructure], name: str
) -> None:
    environment = environments[name]
    assert isinstance(environment.cluster, EksCluster)
    nodes = environment.cluster.nodes
    groups = resources(stacks[name, "cluster"], "aws_eks_node_group")
    assert set(groups) == {f"nodes-{zone}" for zone in environment.aws.network.zones}
    sizes = [group["scaling_config"] for group in groups.values()]
    assert sum(size["min_size"] for size in sizes) == nodes.min
    assert sum(size["max_size"] for size in sizes) == nodes.max
    for group in groups.values():
        assert (group["instance_types"], group["ami_type"]) == ([nodes.type], "AL2023_ARM_64_STANDARD")
        assert group["lifecycle"]["ignore_changes"] == ["scaling_config[0].desired_size"]
        assert len(group["subnet_ids"]) == 1


@pytest.mark.parametrize("name", EKS)
def test_the_autoscaler_finds_every_group(stacks: Stacks, name: str) -> None:
    found = stacks[name, "cluster"]
    tags = [each["tag"] for each in resources(found, "aws_autoscaling_group_tag").values()]
    for key in ("k8s.io/cluster-autoscaler/enabled", f"k8s.io/cluster-autoscaler/dhakacart-{name}"):
        assert sum(tag["key"] == key for tag in tags) == len(resources(found, "aws_eks_node_group"))


@pytest.mark.parametrize("name", EKS)
def test_the_control_plane_reaches_pods_on_one_port_and_ours_listen_on_no_other(
    stacks: Stacks, name: str
) -> None:
    rules = resources(stacks[name, "cluster"], "aws_vpc_security_group_ingress_rule").values()
    from_control_plane = [
        (rule["from_port"], rule["to_port"])
        for rule in rules
        if "control-plane" in rule["referenced_security_group_id"]
    ]
    assert from_control_plane == [(10250, 10250)]
    assert set(_called_by_the_api_server(ROOT / "clusters" / name / "manifests")) == {10250}


def _called_by_the_api_server(manifests: Path) -> Iterator[int]:
    """Ports that policies open to the whole VPC: but for the edge's, it is the API server that calls."""
    for path in manifests.glob("*/networkpolicy-*.yaml"):
        policy = yaml.safe_load(path.read_text())
        if path.parent.name == "edge":
            continue
        for rule in policy["spec"].get("ingress", []):
            if any("ipBlock" in peer for peer in rule.get("from", [])):
                yield from (port["port"] for port in rule["ports"])


# -- K3s


def test_a_cluster_of_one_server_has_nobody_to_join(stacks: Stacks) -> None:
    servers = resources(stacks["dev", "cluster"], "aws_instance")
    assert list(servers) == ["server-a"]
    assert "\nFIRST=yes\nALONE=yes\n" in servers["server-a"]["user_data"]


def test_servers_are_spread_and_one_of_them_begins(five: Stack) -> None:
    servers = resources(five, "aws_instance")
    assert set(servers) == {"server-a", "server-b", "server-c", "server-a2", "server-b2"}
    subnets = [server["subnet_id"] for server in servers.values()]
    assert sorted(subnets.count(subnet) for subnet in set(subnets)) == [1, 2, 2]
    first = {id_ for id_, server in servers.items() if "\nFIRST=yes\n" in server["user_data"]}
    assert first == {"server-a"}
    assert all("\nALONE=no\n" in server["user_data"] for server in servers.values())
    assert len(resources(five, "aws_lb_target_group_attachment")) == 5


def test_a_server_that_runs_is_left_alone_and_in_production_protected(five: Stack) -> None:
    for server in resources(five, "aws_instance").values():
        assert server["lifecycle"]["ignore_changes"] == ["ami", "user_data"]
        assert server["disable_api_termination"] is True
    assert resources(five, "aws_lb")["api"]["enable_deletion_protection"] is True
    assert resources(five, "aws_s3_bucket")["etcd-bucket"]["lifecycle"]["prevent_destroy"] is True


def test_the_fixed_address_is_internal_and_sends_a_server_to_itself_safely(stacks: Stacks) -> None:
    found = stacks["dev", "cluster"]
    assert resources(found, "aws_lb")["api"]["internal"] is True
    targets = resources(found, "aws_lb_target_group")["api-targets"]
    assert targets["preserve_client_ip"] == "false"
    assert targets["health_check"]["protocol"] == "TCP"


def test_no_token_is_in_the_stack(stacks: Stacks, five: Stack) -> None:
    for found in (stacks["dev", "cluster"], five):
        assert set(resources(found, "aws_secretsmanager_secret")) == {"server-token", "agent-token"}
        assert not resources(found, "aws_secretsmanager_secret_version")
        assert not resources(found, "random_password")
        for text in texts({**found, "output": {}}):
            assert not re.search(r"(?m)^\s*(token|K3S_TOKEN)[=:]", text)


def test_agents_can_not_join_as_servers_and_read_no_snapshots(stacks: Stacks) -> None:
    policies = resources(stacks["dev", "cluster"], "aws_iam_role_policy")
    agents = statements(policies["agents-role-policy"]["policy"])
    secrets = [each["Resource"] for each in agents if "secretsmanager:GetSecretValue" in each["Action"]]
    assert secrets == [["${aws_secretsmanager_secret.agent-token.arn}"]]
    assert not [each for each in agents if any(action.startswith("s3:") for action in each["Action"])]
    assert not [each for each in agents if "secretsmanager:PutSecretValue" in each["Action"]]


def test_what_nodes_read_when_they_boot_is_not_among_the_secrets_of_workloads(
    stacks: Stacks, environments: dict[str, Infrastructure]
) -> None:
    prefix = environments["dev"].names.secrets_pattern.removesuffix("*")
    for secret in resources(stacks["dev", "cluster"], "aws_secretsmanager_secret").values():
        assert not secret["name"].startswith(prefix)


def test_references_in_the_agents_script_stay_references(stacks: Stacks) -> None:
    found = stacks["dev", "cluster"]
    template = resources(found, "aws_launch_template")["agents-template"]
    assert template["user_data"] == "${base64encode(local.agents-script)}"
    assert "\nAPI='${aws_lb.api.dns_name}'\n" in found["locals"]["agents-script"]


def test_scripts_fit_what_ec2_takes(five: Stack) -> None:
    for script in [five["locals"]["agents-script"], *_scripts(five)]:
        assert len(script.encode()) < 14_000  # of 16 KiB, since references become longer


def _scripts(stack: Stack) -> list[str]:
    return [server["user_data"] for server in resources(stack, "aws_instance").values()]


# -- what roles of nodes and workloads may do is within their boundary


def _covers(pattern: str, text: str) -> bool:
    """Whether a pattern of IAM matches, where `?` does not occur."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text) is not None


@pytest.mark.parametrize("name", EVERY)
def test_no_right_of_a_role_is_cut_off_by_the_boundary(
    stacks: Stacks, environments: dict[str, Infrastructure], name: str
) -> None:
    boundary = statements(resources(stacks[name, "bootstrap"], "aws_iam_policy")["boundary"]["policy"])
    allowed = {action for each in boundary if each["Effect"] == "Allow" for action in each["Action"]}
    for lifecycle in ("cluster", "identity"):
        for policy in resources(stacks[name, lifecycle], "aws_iam_role_policy").values():
            for each in statements(policy["policy"]):
                cut = [one for one in each["Action"] if not any(_covers(action, one) for action in allowed)]
                assert cut == []
    (secrets,) = [each for each in boundary if each.get("Sid") == "OwnSecrets"]
    prefix = f"arn:aws:secretsmanager:ap-southeast-1:{environments[name].aws.account}:secret:"
    for secret in resources(stacks[name, "cluster"], "aws_secretsmanager_secret").values():
        assert any(_covers(resource, prefix + secret["name"]) for resource in secrets["Resource"])
