from dynreg.services.template import Template
from dynreg.services.thing import Thing


def control(params):
    print("to be set:", params)


def act(name, params):
    return {"done": True} if name == "blink" else "cannot " + name


thing = Thing(session, control, act, Template("/template.json"))
thing.report({"level": 5})
thing.post("low", {"volt": 2.5}, "alert")
thing.report_info({"fw_ver": "1.2"})
print(thing.read())
thing.sync()  # beside session.poll(), for ever
