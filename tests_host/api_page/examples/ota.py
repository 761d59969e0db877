from dynreg.services import ota

updater = ota.Updater(session)
print(updater.version, updater.trial)
session.poll(100)
updater.poll()  # beside session.poll(), for ever
if updater.trial and session.connected:
    updater.confirm()  # this program works
elif updater.trial:
    updater.back()  # the one before starts, by a reset
