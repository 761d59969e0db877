from dynreg.services import broadcast

broadcast.listen(session, lambda message: print("to all:", message))
