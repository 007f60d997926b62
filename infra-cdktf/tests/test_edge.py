"""The way in: who reaches what, by which names, how it is protected and watched."""

from __future__ import annotations

import json
from typing import Any

import pytest

from generator.config.infrastructure import Infrastructure
from tests.conftest import Stacks

ENVIRONMENTS = ("dev", "staging", "prod")


@pytest.fixture(params=ENVIRONMENTS)
def environment(request: pytest.FixtureRequest, environments: dict[str, Infrastructure]) -> Infrastructure:
    """Each in turn."""
    return environments[request.param]


@pytest.fixture
def edge(stacks: Stacks, environment: Infrastructure) -> dict[str, Any]:
    """Resources of its edge, by type and id."""
    found: dict[str, Any] = stacks[environment.name, "edge"]["resource"]
    return found


def test_anybody_reaches_the_load_balancer_and_it_alone_the_nodes(
    edge: dict[str, Any], environment: Infrastructure
) -> None:
    own = "${aws_security_group.edge-security-group.id}"
    rules = edge["aws_vpc_security_group_ingress_rule"]
    open_to_all = {rule["from_port"] for rule in rules.values() if "cidr_ipv4" in rule}
    assert open_to_all == {80, 443}
    assert all(rule["security_group_id"] == own for rule in rules.values() if "cidr_ipv4" in rule)
    (to_nodes,) = (rule for rule in rules.values() if rule.get("referenced_security_group_id") == own)
    port = environment.node_ports.https
    assert (to_nodes["from_port"], to_nodes["to_port"], to_nodes["ip_protocol"]) == (port, port, "tcp")
    (out,) = edge["aws_vpc_security_group_egress_rule"].values()
    assert (out["from_port"], out["to_port"], out["security_group_id"]) == (port, port, own)
    assert out["referenced_security_group_id"] == to_nodes["security_group_id"]


def test_nothing_is_served_without_tls_or_for_other_hosts(
    edge: dict[str, Any], environment: Infrastructure
) -> None:
    http, https = edge["aws_lb_listener"]["http"], edge["aws_lb_listener"]["https"]
    assert [action["redirect"]["protocol"] for action in http["default_action"]] == ["HTTPS"]
    assert https["ssl_policy"].startswith("ELBSecurityPolicy-TLS13-1-2-")
    assert [action["type"] for action in https["default_action"]] == ["fixed-response"]
    (rule,) = edge["aws_lb_listener_rule"].values()
    assert rule["condition"] == [{"host_header": {"values": list(environment.hosts)}}]
    assert rule["action"][0]["type"] == "forward"


def test_every_host_has_a_record_a_certificate_and_a_proof(
    edge: dict[str, Any], environment: Infrastructure
) -> None:
    certificate = edge["aws_acm_certificate"]["certificate"]
    named = [certificate["domain_name"], *certificate.get("subject_alternative_names", [])]
    aliases = [record["name"] for record in edge["aws_route53_record"].values() if "alias" in record]
    proofs = [record for record in edge["aws_route53_record"].values() if "records" in record]
    assert named == aliases == list(environment.hosts)
    assert all(f'"{host}"' in proof["name"] for host, proof in zip(named, proofs, strict=True))
    validated = edge["aws_acm_certificate_validation"]["certificate-validation"]
    assert len(validated["validation_record_fqdns"]) == len(proofs)
    assert "certificate-validation" in edge["aws_lb_listener"]["https"]["certificate_arn"], "used too early"


def test_the_proxies_themselves_answer_the_health_check_over_tls(
    edge: dict[str, Any], environment: Infrastructure
) -> None:
    group = edge["aws_lb_target_group"]["targets"]
    assert (group["protocol"], group["port"]) == ("HTTPS", environment.node_ports.https)
    assert group["health_check"]["path"] == environment.health_path
    assert group["health_check"]["protocol"] == "HTTPS"
    assert int(group["deregistration_delay"]) > 40, "a request to a payment gateway takes up to 40 seconds"


def test_all_groups_of_nodes_are_targets(edge: dict[str, Any], environment: Infrastructure) -> None:
    attached = set(edge["aws_autoscaling_attachment"])
    zones = {f"targets-{zone}" for zone in environment.aws.network.zones}
    assert attached == (zones if environment.cluster.kind == "eks" else {"targets-agents"})


def test_the_load_balancer_is_guarded(edge: dict[str, Any], environment: Infrastructure) -> None:
    made = edge["aws_lb"]["balancer"]
    assert made["enable_deletion_protection"] is environment.critical
    assert made["drop_invalid_header_fields"] is True
    assert made["xff_header_processing_mode"] == "append", "Envoy trusts the last address"
    assert made["access_logs"]["enabled"] is True
    assert "aws_s3_bucket_policy.access-logs-bucket-policy" in made["depends_on"]
    assert made["idle_timeout"] < 120, "Envoy must not be the first to close"


def test_the_log_is_written_by_elb_for_this_account_only(
    edge: dict[str, Any], environment: Infrastructure
) -> None:
    policy = json.loads(edge["aws_s3_bucket_policy"]["access-logs-bucket-policy"]["policy"])
    (allowed,) = (each for each in policy["Statement"] if each["Effect"] == "Allow")
    assert allowed["Principal"] == {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
    bucket = environment.names.access_logs_bucket
    assert allowed["Resource"] == [f"arn:aws:s3:::{bucket}/AWSLogs/{environment.aws.account}/*"]
    assert edge["aws_s3_bucket_lifecycle_configuration"]["access-logs-bucket-lifecycle"]["rule"][1][
        "expiration"
    ]


def test_the_firewall_stops_attacks_but_no_customers(
    edge: dict[str, Any], environment: Infrastructure
) -> None:
    acl = edge["aws_wafv2_web_acl"]["waf"]
    assert "allow" in acl["default_action"]
    flood, *managed = sorted(acl["rule"], key=lambda rule: int(rule["priority"]))
    assert flood["statement"]["rate_based_statement"]["limit"] == environment.flood
    assert flood["action"]["block"]["custom_response"]["response_code"] == 429
    groups = {rule["name"]: rule["statement"]["managed_rule_group_statement"] for rule in managed}
    assert "AWSManagedRulesKnownBadInputsRuleSet" in groups
    assert "AWSManagedRulesAnonymousIpList" not in groups, "payment gateways call from data centres"
    counted = [each["name"] for each in groups["AWSManagedRulesCommonRuleSet"]["rule_action_override"]]
    assert "SizeRestrictions_BODY" in counted
    assert "aws_wafv2_web_acl_association" in edge


def test_what_the_firewall_logs_lets_nobody_sign_in(edge: dict[str, Any]) -> None:
    logging = edge["aws_wafv2_web_acl_logging_configuration"]["waf-logging"]
    redacted = {field["single_header"]["name"] for field in logging["redacted_fields"]}
    assert redacted == {"authorization", "cookie"}
    assert edge["aws_cloudwatch_log_group"]["waf-log"]["name"].startswith("aws-waf-logs-")


def test_every_alarm_reaches_people_and_says_when_it_is_over(edge: dict[str, Any]) -> None:
    alarms = edge["aws_cloudwatch_metric_alarm"]
    assert {"alarm-no-healthy-node", "alarm-errors-balancer", "alarm-errors-shop", "alarm-slow"} <= set(
        alarms
    )
    for alarm in alarms.values():
        assert len(alarm["alarm_actions"]) == 1
        assert "alarms" in alarm["alarm_actions"][0]
        assert alarm["ok_actions"] == alarm["alarm_actions"]
        assert alarm["alarm_description"]


def test_silence_of_the_health_check_is_an_outage(edge: dict[str, Any]) -> None:
    assert edge["aws_cloudwatch_metric_alarm"]["alarm-no-healthy-node"]["treat_missing_data"] == "breaching"
