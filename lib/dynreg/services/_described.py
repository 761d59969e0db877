"""What a data template describes, as the vendor's SDK gives it to a program."""

_EMPTY = {"float": 0.0, "string": "", "int": 0, "bool": 0, "enum": 0}


class Property:
    """key, type; data: an empty value of that type, None where it has none."""

    data_buff_len = 0

    def __init__(self, described):
        self.key = described["id"]
        self.type = described["define"]["type"]
        self.data = _EMPTY.get(self.type)


class Event:
    timestamp = 0

    def __init__(self, described):
        self.event_name = described["id"]
        self.type = described["type"]
        self.events_prop = every(Property, described["params"])
        self.eventDataNum = len(self.events_prop)


class Action:
    timestamp = 0

    def __init__(self, described):
        self.action_id = described["id"]
        self.actions_input_prop = every(Property, described["input"])
        self.actions_output_prop = every(Property, described["output"])
        self.input_num = len(self.actions_input_prop)
        self.output_num = len(self.actions_output_prop)


def every(kind, described):
    """An object of this kind for each that is described. KeyError, TypeError."""
    return [kind(one) for one in described]
