from dynreg.services import rrpc

later = []


def called(call):
    if call.message == b"at once":
        return "here"
    later.append(call)  # its answer is due within 4 s, 10 at most


rrpc.serve(session, called)
session.poll(100)
while later:
    later.pop(0).answer('{"done":1}')
