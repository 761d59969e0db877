from dynreg import log

kept = []


def keep(name, text):
    kept.append(name + " " + text)


before = log.line
log.line = keep  # where the lines go
log.level = log.DEBUG
log.debug("a line")
log.info("another")
log.warning("one that is seen with level = log.WARNING too")
log.error("and with level = log.ERROR")
log.line = before
log.level = log.INFO
print(kept)
