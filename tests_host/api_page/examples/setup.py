from dynreg.services import setup

name, password = setup.access_point()  # as the board's label has them
if not setup.wifi():  # before Device(); at once where device_info.json has a Wi-Fi
    print("nobody gave one: join", name, "and open http://192.168.4.1")
