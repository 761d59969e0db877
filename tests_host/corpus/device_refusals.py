"""The cloud refuses to register: its words, and when it is asked again."""

import canaries
import fakes
import gateway
from dynreg import port
from dynreg.connect import first_clock
from dynreg.errors import RegistrationError


def test_the_known_refusals_are_permanent_and_tried_once():
    for code, message in (
        ("FailedOperation", "device has been activated"),
        ("ResourceNotFound", "Pre create mode: device not exists"),
        (
            "UnsupportedOperation",
            "Not support dynamic device register, please check setting first",
        ),
        ("InvalidParameterValue.ProductId", "no such product"),
        ("SomethingNew", "that nobody knows"),
    ):
        for status in ("200 OK", "400 Bad Request", "403 Forbidden"):
            error = gateway.refused(
                RegistrationError,
                gateway.http(gateway.refusal(code, message), status),
                "register.refused",
                says=(message, code),
                retry=900,
            )
            assert (error.cloud_code, error.request_id) == (code, "request-2")
            fakes.restore()


def test_passing_refusals_are_worth_another_try_later():
    for code, message in (
        ("RequestLimitExceeded", "rate limit"),
        ("LimitExceeded.Throttling", "slow down"),
        ("FailedOperation", "系统繁忙，请稍后再试"),
        ("FailedOperation", "请求过于频繁"),
        ("FailedOperation", "Too frequent, try later"),
        ("InternalError", "internal error"),
        ("InternalServerException", "x"),
        ("ServiceUnavailable", "x"),
        ("FailedOperation", "server busy"),
    ):
        gateway.refused(
            RegistrationError,
            gateway.http(gateway.refusal(code, message)),
            "register.refused",
            retry=True,
        )
        fakes.restore()


def test_a_refused_signature_is_tried_once_more_without_the_time():
    for code, message in (
        ("AuthFailure.SignatureFailure", "x"),
        ("FailedOperation", "signature check failed"),
        ("FailedOperation", "Signature expired"),
    ):
        peers = (
            fakes.Peer(gateway.http(gateway.refusal(code, message))),
            fakes.Peer(gateway.http(gateway.good())),
        )
        net = gateway.network(*peers)
        assert gateway.obtain(gateway.info()) == canaries.DEVICE_SECRET
        first, second = (gateway.request(peer)[1] for peer in peers)
        assert first["X-TC-Timestamp"] == str(fakes.NOW), message
        assert second["X-TC-Timestamp"] == "0", message
        assert first["X-TC-Signature"] != second["X-TC-Signature"]
        assert len(net.sockets) == 2
        fakes.restore()


def test_a_refused_signature_is_tried_no_third_time():
    reply = gateway.http(gateway.refusal("AuthFailure", "signature check failed"))
    net = gateway.network(
        fakes.Peer(reply), fakes.Peer(reply), fakes.Peer(gateway.http(gateway.good()))
    )
    fakes.raises(
        RegistrationError,
        gateway.obtain,
        gateway.info(),
        code="register.refused",
        retry=900,
    )
    assert len(net.sockets) == 2


def test_without_any_clock_a_refused_signature_comes_later():
    reply = gateway.http(gateway.refusal("AuthFailure", "signature check failed"))
    net = gateway.network(fakes.Peer(reply), fakes.Peer(gateway.http(gateway.good())), unix=None)
    asked = []
    fakes.replace(first_clock, "find", lambda *found: asked.append(found))
    fakes.raises(
        RegistrationError,
        gateway.obtain,
        gateway.info(),
        code="register.refused",
        retry=900,
    )
    assert len(net.sockets) == 1 and len(asked) == 1


def test_a_plain_gateway_that_does_not_take_timestamp_0_gets_the_time():
    for code, message in (
        ("AuthFailure.SignatureFailure", "x"),
        ("AuthFailure.SignatureExpire", "x"),
        ("InvalidParameter.Timestamp", "X-TC-Timestamp must be Unix seconds"),
        ("FailedOperation", "request expired"),
    ):
        peers = (
            fakes.Peer(gateway.http(gateway.refusal(code, message))),
            fakes.Peer(gateway.http(gateway.good())),
        )
        net = gateway.network(*peers, unix=None)

        def find(connect, info, day, but):
            assert (day, but) == (0, 0)
            return port.set_rtc(fakes.NOW * 1000)

        fakes.replace(first_clock, "find", find)
        assert gateway.obtain(gateway.info()) == canaries.DEVICE_SECRET
        stamps = [gateway.request(peer)[1]["X-TC-Timestamp"] for peer in peers]
        assert stamps == ["0", str(fakes.NOW)], stamps
        assert len(net.sockets) == 2
        fakes.restore()


def test_a_plain_gateway_that_takes_timestamp_0_costs_no_clock():
    fakes.replace(first_clock, "find", lambda *_: 1 // 0)
    peer = fakes.Peer(gateway.http(gateway.good()))
    gateway.network(peer, unix=None)
    assert gateway.obtain(gateway.info()) == canaries.DEVICE_SECRET
    assert gateway.request(peer)[1]["X-TC-Timestamp"] == "0"


def test_error_replies_of_other_shapes_keep_the_clouds_words():
    for body, code, message in (
        ({"code": 1010, "message": "no such device"}, "1010", "no such device"),
        ({"Code": 1010, "Message": "no such device"}, "1010", "no such device"),
        ({"Response": {"code": 1010, "message": "x"}}, "1010", "x"),
        ({"Response": {"Error": {"Code": 5003, "Message": "x"}}}, "5003", "x"),
        ({"Response": {"Error": {"code": "A.B", "message": "x"}}}, "A.B", "x"),
        ({"Response": {"Error": {"Code": "A.B"}}}, "A.B", ""),
        ({"Response": {"Error": {"Message": "x"}}}, "", "x"),
        ({"code": 1010}, "1010", ""),
        ({"code": 1010, "message": None}, "1010", ""),
    ):
        error = gateway.refused(
            RegistrationError,
            gateway.http(body),
            "register.refused",
            says=("the cloud refuses", message or "no reason given", code),
            retry=900,
        )
        assert (error.cloud_code, error.cloud_message) == (code, message), body
        fakes.restore()


def test_the_commonest_refusals_say_what_to_do():
    for code, message, remedy in (
        ("AuthFailure", "device has been activated", f"delete {fakes.NAME} in the console"),
        ("Activated", "", f"delete {fakes.NAME} in the console"),
    ):
        gateway.refused(
            RegistrationError,
            gateway.http(gateway.refusal(code, message)),
            "register.refused",
            says=remedy,
        )
        fakes.restore()
    reply = gateway.http(gateway.refusal("AuthFailure", "signature check failed"))
    gateway.network(fakes.Peer(reply), fakes.Peer(reply))
    says = f"is productSecret that of {fakes.PRODUCT} in the console?"
    fakes.raises(RegistrationError, gateway.obtain, gateway.info(), says=says)


def test_words_with_an_open_brace_are_the_clouds():
    error = {"Error": {"Code": "Invalid", "Message": 'no field {"x" [here'}}
    gateway.refused(
        RegistrationError, gateway.http({"Response": error}), "register.refused", retry=900
    )
