"""The data template as the console exports it: what it allows (docs/protocol.md, 7c)."""

import ujson as json

from ..errors import ConfigError


class Template:
    """template: a path or a dict. Of it only what is checked is kept. ConfigError."""

    def __init__(self, template):
        try:
            if isinstance(template, str):
                with open(template) as file:
                    template = json.load(file)
            self._known = {"properties": {None: _rules(template.get("properties", ()))}}
            for part, field in (("events", "params"), ("actions", "input")):
                self._known[part] = {
                    one["id"]: _rules(one.get(field, ())) for one in template.get(part, ())
                }
            self._read_only = [one["id"] for one in template["properties"] if one["mode"] == "r"]
        except (AttributeError, KeyError, OSError, TypeError, ValueError) as error:
            raise ConfigError("argument", "thing: no template: %r" % error) from None

    def fault(self, part, name, params, control=False):
        """Why params are not good for "properties" (name None), an event or an action; "".

        control: read-only properties are not either.
        """
        if name not in self._known[part]:
            return "%s are none of the template: %s" % (part, name)
        if isinstance(params, dict) and control:
            for key in params:
                if key in self._read_only:
                    return "%s is read-only" % key
        return _members(self._known[part][name], params, "")


def _rules(members):
    """{id: (type, least, most, keys or rules of what is within)}."""
    return {one["id"]: _rule(one.get("define") or one["dataType"]) for one in members}


def _rule(define):
    kind = define["type"]
    within = None
    if kind == "struct":
        within = _rules(define["specs"])
    elif kind == "array":
        within = _rule(define.get("arrayInfo") or define["dataType"])
    elif "mapping" in define and kind != "bool":
        within = list(define["mapping"])
    number = float if kind == "float" else int
    bounds = [define.get(name) for name in ("min", "max")]
    least, most = (None if bound in (None, "") else number(bound) for bound in bounds)
    return kind, least, most, within


def _members(rules, params, where):
    if not isinstance(params, dict):
        return "%s is no object" % (where or "what was given")
    for key in params:
        if key not in rules:
            return "%s%s is not in the template" % (where, key)
        fault = _fault(rules[key], params[key], where + key)
        if fault:
            return fault
    return ""


def _fault(rule, value, where):
    kind, least, most, within = rule
    size = value
    if kind == "struct":
        return _members(within, value, where + ".")
    if kind == "array":
        if not isinstance(value, list):
            return "%s is no array" % where
        for one in value:
            fault = _fault(within, one, where)
            if fault:
                return fault
        return ""
    if kind == "bool":
        good = isinstance(value, (bool, int)) and value in (0, 1)
    elif kind == "float":
        good = isinstance(value, (int, float)) and not isinstance(value, bool)
    elif kind in ("string", "stringenum"):
        good = isinstance(value, str)
        size = len(value) if good else 0
    else:  # int, enum, timestamp
        good = isinstance(value, int) and not isinstance(value, bool)
    if not good:
        return "%s is no %s" % (where, kind)
    if within and str(value) not in within:
        return "%s is none of its values" % where
    if kind == "bool":
        return ""
    if least is not None and size < least:
        return "%s is less than %s" % (where, least)
    if most is not None and size > most:
        return "%s is more than %s" % (where, most)
    return ""
