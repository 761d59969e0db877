from dynreg.services.config import Config


def changed(value):
    if "period" not in value:
        raise ValueError("no period")  # it is not kept then


config = Config(session, changed)
print(config.value)  # what was kept last, or None
session.poll(100)
config.poll()  # beside session.poll(), for ever
