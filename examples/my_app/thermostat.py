"""When the heater is on. No network here, so that it is tested on a laptop's Python as well."""

import machine

HYSTERESIS = 0.5  # degrees Celsius


class Thermostat:
    def __init__(self, target):
        self.target = target
        self.on = False

    def temperature(self):
        """Degrees Celsius; this board has no sensor, its number stands in for one."""
        return 15 + machine.unique_id()[-1] % 10

    def update(self):
        """Switches the heater where it must be; whether it is on."""
        limit = self.target + (HYSTERESIS if self.on else -HYSTERESIS)
        self.on = self.temperature() < limit
        return self.on

    def report(self):
        return {"temperature": self.temperature(), "target": self.target, "on": self.on}
