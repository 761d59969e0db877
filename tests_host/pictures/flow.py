"""README's picture: one image for the whole batch, and what each board does with it."""

from dynreg_tools.bench.drawing import Drawing
from tests_host.pictures.shapes import arrow

# By language. A label must stay within its place in every font: a test looks.
WORDS = {
    "en": {
        "title": "From one image for the batch to boards that are online",
        "description": "One image is flashed onto every board of a batch. On its first boot a "
        "board registers with the gateway by a signed HTTPS request, gets a device secret of its "
        "own and stores it in flash, twice. On this and every later boot it logs in over MQTT "
        "with TLS and sets its clock by the cloud's time.",
        "image": "One image for the batch",
        "flash": "flash",
        "board": "Each board",
        "cloud": "Tencent Cloud",
        "gateway": "Gateway",
        "broker": "IoT Hub",
        "first": "first boot only",
        "register": "register (HTTPS)",
        "secret": "device secret",
        "stored": "stored in flash",
        "copies": "two copies",
        "every": "every boot",
        "login": "MQTT login (TLS)",
        "time": "time",
        "clock": "clock set",
    },
    "zh-CN": {
        "title": "从批量镜像到设备上线",
        "description": "同一个批量镜像烧录到整批板子。每块板子首次启动时，以带签名的 HTTPS "
        "请求向注册网关动态注册，取得自己的设备密钥并写入 Flash，保存两份。首次及以后每次启动，"
        "都通过 TLS 登录 MQTT，并按云端时间校时。",
        "image": "整批共用一个批量镜像",
        "flash": "烧录",
        "board": "每块板子",
        "cloud": "腾讯云",
        "gateway": "注册网关",
        "broker": "物联网通信",
        "first": "仅首次启动",
        "register": "动态注册 (HTTPS)",
        "secret": "设备密钥",
        "stored": "写入 Flash",
        "copies": "保存两份",
        "every": "每次启动",
        "login": "MQTT 登录 (TLS)",
        "time": "时间",
        "clock": "校时",
    },
}
_BOARD, _CLOUD = 161, 330  # the edges that face each other
_MIDDLE = (_BOARD + _CLOUD) / 2
_LEFT, _RIGHT = 84, 397  # the middle of either


def flow(lang: str) -> str:
    """The picture with the words of WORDS[lang], as SVG."""
    words = WORDS[lang]
    drawing = Drawing(words["title"], words["description"], height=472, lang=lang)
    drawing.shape("rect", "card", "rule", x=16, y=16, width=448, height=62, rx=8)
    drawing.text(240, 41, words["image"], anchor="middle", bold=True)
    contents = "MicroPython, dynreg, device_info.json"
    drawing.text(240, 64, contents, "muted", anchor="middle")
    for behind in (8, 4, 0):  # there are many boards
        box = {"x": 16 + behind, "y": 126 - behind, "width": 136, "height": 330}
        drawing.shape("rect", "card", "rule", **box, rx=8)
    arrow(drawing, "ink", _LEFT, 78, _LEFT, 117)
    drawing.text(_LEFT + 14, 103, words["flash"])
    drawing.text(_LEFT, 150, words["board"], anchor="middle", bold=True)
    _chip(drawing, _LEFT, 190)
    drawing.shape("rect", "card", "rule", x=_CLOUD, y=126, width=134, height=330, rx=8)
    drawing.text(_RIGHT, 150, words["cloud"], anchor="middle", bold=True)
    for y, name in ((170, "gateway"), (346, "broker")):
        drawing.shape("rect", "page", "rule", x=_RIGHT - 57, y=y, width=114, height=94, rx=6)
        drawing.text(_RIGHT, y + 52, words[name], anchor="middle")

    drawing.text(_MIDDLE, 150, words["first"], "muted", anchor="middle")
    _step(drawing, "orange", _MIDDLE, 184, 1, words["register"])
    arrow(drawing, "orange", _BOARD, 198, _CLOUD + 9, 198)
    _step(drawing, "orange", _MIDDLE, 230, 2, words["secret"])
    arrow(drawing, "orange", _CLOUD + 10, 244, _BOARD, 244)
    _step(drawing, "orange", _LEFT, 248, 3, "")
    drawing.text(_LEFT, 278, words["stored"], anchor="middle")
    drawing.text(_LEFT, 298, words["copies"], "muted", anchor="middle")
    drawing.shape("path", None, "rule", d="M16 316H464", stroke_dasharray="5 4", stroke_width=1.5)
    drawing.text(_MIDDLE, 340, words["every"], "muted", anchor="middle")
    _step(drawing, "blue", _MIDDLE, 368, 4, words["login"])
    arrow(drawing, "blue", _BOARD, 382, _CLOUD + 9, 382)
    _step(drawing, "blue", _MIDDLE, 410, 5, words["time"])
    arrow(drawing, "blue", _CLOUD + 10, 424, _BOARD, 424)
    _clock(drawing, _LEFT, 384)
    drawing.text(_LEFT, 438, words["clock"], anchor="middle")
    return drawing.svg()


def _step(drawing: Drawing, colour: str, x: float, y: float, number: int, label: str) -> None:
    """A number in a circle, and what is done, centred at x; y is the base line."""
    wide = sum(15 if ord(letter) > 0x2E80 else 7.6 for letter in label)  # about, of a label
    left = x - (26 + wide) / 2 + 11 if label else x
    drawing.shape("circle", colour, cx=left, cy=y - 5, r=10.5)
    drawing.text(left, y, str(number), "page", anchor="middle", bold=True)
    if label:
        drawing.text(left + 16, y, label)


def _chip(drawing: Drawing, x: float, y: float) -> None:
    """A board's module with its pins."""
    pins = "".join(f"M{x - 31} {y + at}h8M{x + 23} {y + at}h8" for at in (-14, -5, 4, 13))
    drawing.shape("path", None, "muted", d=pins, stroke_width=2.5)
    drawing.shape("rect", "page", "muted", x=x - 23, y=y - 22, width=46, height=43, rx=4)
    antenna = f"M{x - 15} {y - 5}v-10h8v7h8v-7h8v7h6"
    drawing.shape("path", None, "muted", d=antenna, stroke_width=1.5)


def _clock(drawing: Drawing, x: float, y: float) -> None:
    drawing.shape("circle", "page", "blue", cx=x, cy=y, r=24, stroke_width=2.5)
    drawing.shape("path", None, "blue", d=f"M{x} {y - 15}V{y}L{x + 11} {y + 6}", stroke_width=2.5)
