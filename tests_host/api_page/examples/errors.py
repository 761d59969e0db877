from dynreg import ConfigError, DynregError

try:
    session.publish("event", "x" * 20000)
except ConfigError as error:  # only a person can mend it: here, in this program
    print(error.code, error)
except DynregError as error:
    if error.retry:  # True: soon; a number: in so many seconds
        print("later:", error.code)
