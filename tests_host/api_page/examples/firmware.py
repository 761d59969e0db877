from dynreg.services import firmware

updater = firmware.Updater(session)  # in the place of ota.Updater: images, and bundles too
session.poll(100)
updater.poll()
updater.confirm()
