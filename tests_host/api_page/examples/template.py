from dynreg.services.template import Template

template = Template("/template.json")  # the console's export; a dict will do
print(template.fault("properties", None, {"level": 500}))  # "level is more than 100"
