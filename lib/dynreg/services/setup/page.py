"""The page, in English or Chinese: plain HTML, without a script."""

from ubinascii import hexlify

from .texts import TEXTS

STATES = ("", "joining", "joined", "password", "reach", "address", "flash", "length", "name")
_HEAD = """<!DOCTYPE html><html lang="%s"><head><meta charset="utf-8">%s
<meta name="viewport" content="width=device-width,initial-scale=1"><title>%s</title><style>
:root{color-scheme:light dark}body{background:canvas;font:17px/1.4 system-ui,sans-serif;
max-width:30em;margin:auto;padding:1em;overflow-wrap:anywhere}label{display:flex;gap:.6em;
align-items:center;min-height:48px}bdi{flex:1}[name=o],[name=p],button{font:inherit;
box-sizing:border-box;width:100%%;min-height:48px;margin:.3em 0}.s{border:2px solid;padding:.6em}
form:has(#s:not(:checked)) [name=p]{-webkit-text-security:disc}
</style></head><body><h1>%s</h1><p>%s</p>"""
_FORM = """<form method="post" action="/"><input type="hidden" name="t" value="%s">"""
_ROW = """<label><input type="radio" name="n" value="%s"%s><bdi>%s</bdi>%s</label>"""
_OTHER = """<label><input type="radio" name="n" value=""%s>%s</label>
<input name="o" value="%s" maxlength="32" aria-label="%s" %s>
<label for="p">%s</label><input id="p" name="p" maxlength="63" %s>
<label><input type="checkbox" id="s">%s</label><button>%s</button>
<button name="a" value="1">%s</button></form><p>%s</p>"""
_PLAIN = 'autocomplete="off" autocapitalize="none" autocorrect="off" spellcheck="false"'


def page(chinese, device, networks, state, chosen, token):
    """The page in pieces of bytes. networks: as Radio's; chosen: the name (bytes) state is of."""
    texts = TEXTS[chinese]
    where = STATES.index(state)
    again = '<meta http-equiv="refresh" content="2;url=/">' if state == "joining" else ""
    parts = [_HEAD % ("zh-CN" if chinese else "en", again, texts[0], texts[0], escaped(device))]
    if where:
        text = texts[where]
        if "%s" in text:
            text %= "<bdi>%s</bdi>" % escaped(chosen)
        parts.append('<p class="s" role="status">%s</p>' % text)
    if state not in ("joining", "joined"):
        parts.append(_FORM % token)
        for name, strength, is_open, can in networks:
            how = " disabled" if not can else " checked" if name == chosen else ""
            more = "" if not can else "▂▄▆█"[: max(1, min(4, strength // 10 + 10))]
            if is_open or not can:
                more = "%s %s" % (texts[14 if can else 15], more)
            parts.append(_ROW % (hexlify(name).decode(), how, escaped(name), more))
        typed = chosen not in [one[0] for one in networks] and chosen
        parts.append(
            _OTHER
            % (
                " checked" if typed else "",
                texts[9],
                escaped(typed or b""),
                texts[9],
                _PLAIN,
                texts[10],
                _PLAIN,
                texts[11],
                texts[12],
                texts[13],
                texts[16],
            )
        )
    return [part.encode() for part in parts]


def escaped(name):
    """A name (bytes) as text in HTML, whatever is in it."""
    try:
        text = name.decode()
    except UnicodeError:
        text = repr(name)[2:-1]
    for entity in ("&&amp;", "<&lt;", ">&gt;", '"&quot;', "'&#39;"):
        text = text.replace(entity[0], entity[1:])
    return "".join([char if 31 < ord(char) != 127 else "\ufffd" for char in text])
