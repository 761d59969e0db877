"""How a registration is refused: one row for each reason, and the error reply made of it.

The messages in protocol section 3 are kept word for word; no public table of codes exists, so the
codes are this hub's own, in the cloud's dotted form. Of certificates that a device brings along
the protocol names no refusal at all: those messages are this hub's own too.
"""

REFUSALS = {
    "body": ("InvalidParameter.Body", "request body is not a JSON object"),
    "fields": ("InvalidParameter.Field", "ProductId and DeviceName must be given as text"),
    "algorithm": ("InvalidParameter.Algorithm", "X-TC-Algorithm must be hmacsha256 or hmacsha1"),
    "timestamp": ("InvalidParameter.Timestamp", "X-TC-Timestamp must be Unix seconds or 0"),
    "nonce": ("InvalidParameter.Nonce", "X-TC-Nonce must be positive and below 2147483648"),
    "host": ("InvalidParameter.Host", "Host header is missing"),
    "device_name": (
        "InvalidParameter.DeviceName",
        "DeviceName must be 1 to 48 of letters, digits, colon, underscore and hyphen",
    ),
    "expired": (
        "AuthFailure.SignatureExpire",
        "signature expired: X-TC-Timestamp is outside the allowed window",
    ),
    "signature": ("AuthFailure.SignatureFailure", "signature check failed"),
    "product": ("ResourceNotFound.ProductNotExist", "product not exists"),
    "certificate_unwanted": (
        "InvalidParameter.ClientCertUnwanted",
        "ClientCert is only for products with a CA of their own",
    ),
    "certificate_missing": (
        "InvalidParameter.ClientCertMissing",
        "ClientCert is missing: the product has a CA of its own",
    ),
    "certificate_form": (
        "InvalidParameter.EncryptionType",
        "certificate must come as EncryptionType 1 with ClientCert, or as clientCert alone",
    ),
    "certificate_pem": (
        "InvalidParameter.ClientCert",
        "ClientCert must be one certificate in PEM and nothing else",
    ),
    "certificate_issuer": (
        "AuthFailure.ClientCertIssuer",
        "ClientCert was not issued by the CA of the product",
    ),
    "certificate_dates": (
        "AuthFailure.ClientCertDates",
        "ClientCert has expired or is not valid yet",
    ),
    "off": (
        "UnauthorizedOperation.RegisterOff",
        "Not support dynamic device register, please check setting first",
    ),
    "not_created": (
        "ResourceNotFound.DeviceNotExist",
        "Pre create mode: device not exists",
    ),
    "limit": ("LimitExceeded.RegisterLimit", "number of auto created devices exceeds the limit"),
    "disabled": ("UnauthorizedOperation.DeviceDisabled", "device has been disabled"),
    "store": ("InternalError", "internal error, please try again later"),
    "activated": ("UnauthorizedOperation.DeviceActivated", "device has been activated"),
}


class Refused(Exception):
    """A request that is answered with a row of REFUSALS, which is named by the message."""


def error(code: str, message: str, request_id: str) -> dict:
    """An error reply as in protocol section 3."""
    return {"Response": {"Error": {"Code": code, "Message": message}, "RequestId": request_id}}
