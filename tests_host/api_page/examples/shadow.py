from dynreg.services.shadow import Shadow, kept


def changed(delta, version):
    print("wanted:", delta, "in version", version)
    shadow.report(delta, clear=True, ms=0)  # within a callback nothing can be waited for


print(kept("/shadow"))  # before there is a network
shadow = Shadow(session, changed, "/shadow")
shadow.report({"led": 0})
print(shadow.read(), shadow.desired, shadow.version)
shadow.sync()  # beside session.poll(), for ever
