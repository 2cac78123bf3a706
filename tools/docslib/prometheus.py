"""Alert rules and dashboard: the expressions parse, and every series and label in them exists."""
import json
import re

import promql_parser
import yaml

from . import words

RULES, DASHBOARD = "docs/prometheus/alerts.yaml", "docs/grafana/caes-sync.json"
OWN = {"job", "instance"}  # labels that Prometheus adds
DURATION = re.compile(r"^(\d+(ms|[smhdwy]))+$")


def _selectors(node):
    """All vector selectors below a node of the syntax tree."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
        return
    for name in ("vector_selector", "expr", "lhs", "rhs", "param", "args"):
        child = getattr(node, name, None)
        for one in child if isinstance(child, (list, tuple)) else [child]:
            if one is not None and not isinstance(one, (str, int, float)):
                yield from _selectors(one)


def faults_of(expression, measured):
    try:
        tree = promql_parser.parse(expression)
    except ValueError as error:
        yield f"is no PromQL: {error}"
        return
    found = list(_selectors(tree))
    if not found:
        yield f"asks for no series: {expression}"
    for selector in found:
        if selector.name == "up":
            continue
        if selector.name not in measured:
            yield f"{selector.name} is no metric"
            continue
        for matcher in selector.matchers.matchers:
            if matcher.name not in measured[selector.name] | OWN:
                yield f"{selector.name} has no label {matcher.name}"


def _rule_faults(rule, measured):
    name = rule.get("alert") or rule.get("record")
    if not name or set(rule) - {"alert", "record", "expr", "for", "keep_firing_for", "labels",
                                "annotations"}:
        yield f"a rule has no name, or keys that Prometheus doesn't know: {sorted(rule)}"
    for key in ("for", "keep_firing_for"):
        if key in rule and not DURATION.match(str(rule[key])):
            yield f"{name}: {key} is no duration: {rule[key]}"
    if "alert" in rule and {"summary", "description"} - set(rule.get("annotations", {})):
        yield f"{name}: summary or description is missing"
    for fault in faults_of(str(rule.get("expr", "")), measured):
        yield f"{name}: {fault}"


def check_rules(root):
    measured = words.metrics(root)
    try:
        tree = yaml.safe_load((root / RULES).read_text(encoding="utf-8"))
        rules = [rule for group in tree["groups"] for rule in group["rules"]]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        yield RULES, 1, f"can't be read: {' '.join(str(error).split())}"
        return
    names = [rule.get("alert") for rule in rules]
    for name in {name for name in names if names.count(name) > 1}:
        yield RULES, 1, f"{name} stands there twice"
    for rule in rules:
        for fault in _rule_faults(rule, measured):
            yield RULES, 1, fault


def _panels(node):
    for panel in node.get("panels", []):
        yield panel
        yield from _panels(panel)


def _query_faults(text, variables, measured):
    """Grafana's variables are replaced before Prometheus sees the query."""
    for name in re.findall(r"\$\{?(\w+)", text):
        if name not in variables and not name.startswith("__"):
            yield f"there is no variable {name}"
    plain = re.sub(r"\[\$\{?\w+\}?\]", "[5m]", text)
    plain = re.sub(r"\$\{?\w+\}?", "x", plain)
    yield from faults_of(plain, measured)


def _variable_query(variable):
    """(metric, label) of label_values(metric, label)."""
    query = variable.get("query")
    text = query.get("query", "") if isinstance(query, dict) else str(query)
    return re.match(r"label_values\((\w+), *(\w+)\)$", text)


def check_dashboard(root):
    measured = words.metrics(root)
    try:
        board = json.loads((root / DASHBOARD).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        yield DASHBOARD, 1, f"can't be read: {' '.join(str(error).split())}"
        return
    variables = {v["name"]: v for v in board.get("templating", {}).get("list", [])}
    for name, variable in variables.items():
        asked = _variable_query(variable) if variable["type"] == "query" else None
        if variable["type"] == "query" and not (
                asked and asked[1] in measured and asked[2] in measured[asked[1]] | OWN):
            yield DASHBOARD, 1, f"variable {name} asks for nothing that exists"
    panels = list(_panels(board))
    ids = [panel.get("id") for panel in panels]
    if len(set(ids)) != len(ids):
        yield DASHBOARD, 1, "panels share an id"
    for panel in panels:
        if panel.get("type") != "row" and not panel.get("targets") and panel["type"] != "text":
            yield DASHBOARD, 1, f"panel {panel.get('title')} asks for nothing"
        for target in panel.get("targets", []):
            for fault in _query_faults(target["expr"], variables, measured):
                yield DASHBOARD, 1, f"panel {panel.get('title')}: {fault}"


def check(root):
    yield from check_rules(root)
    yield from check_dashboard(root)
