"""The demo: ``python -m simulators.demo`` runs everything on this machine and offers a page to tap cards on."""

from __future__ import annotations

import io
import signal
import sys
import tempfile
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, Literal

import click
from fastapi import FastAPI, HTTPException, Query
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment

from simulators.chip import MODES
from simulators.printer import FAULTS
from simulators.serve import serve_in_thread
from simulators.stack import DidNotStart, Stack
from simulators.vss_people import Person, people_of, qr_payload

_VIETNAM = timezone(timedelta(hours=7))
_CONFIG = {"card": {"place_seconds": 8}}  # who tries the demo by QR alone should not wait long
_PAGE = """<!doctype html>
<html lang="vi"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Chạm thẻ mô phỏng</title>
<style>
body{font:18px/1.5 "Noto Sans",sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#12232e}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #cfd8dc}
button{font:inherit;padding:.5rem 1.2rem;border:0;border-radius:.4rem;background:#00594c;color:#fff;cursor:pointer}
button:focus-visible{outline:4px solid #f9a825}nav a{margin-right:1.5rem}output{display:block;min-height:1.6em}
</style></head><body>
<h1>Chạm thẻ mô phỏng</h1>
<nav><a href="{{ kiosk }}/" target="_blank">Màn hình người bệnh</a><a href="{{ kiosk }}/staff" target="_blank">Nhân viên
(demo / demo)</a><a href="{{ his }}/_sim/" target="_blank">HIS mô phỏng</a><a href="{{ province }}/"
target="_blank">Tỉnh: tỷ lệ tra cứu</a></nav>
<p>Người trong bảng là hư cấu. «Quét QR» gửi mã QR của thẻ vào cổng nối tiếp của máy quét. «Giơ thẻ» và «Giơ điện thoại»
đưa mã QR đó ra trước camera mô phỏng trong vài giây. «Đặt thẻ» đặt thẻ có chip lên đầu đọc mô phỏng và để nằm đó đến
khi nhấc thẻ. Người không có số căn cước được nhân viên nhập tay.</p>
<p><label>Thẻ đặt lên là <select id="mode">{% for name, mode in modes.items() %}<option value="{{ name }}">{{ name }}:
{{ mode.description }}</option>{% endfor %}</select></label>
<button data-post="/take-away" data-told="Đã nhấc thẻ">Nhấc thẻ</button></p>
<p><label>Máy in phiếu
<select id="fault">{% for fault in faults %}<option>{{ fault }}</option>{% endfor %}</select></label>
<button id="break">Đặt</button> <a href="/ticket.png" target="_blank">Phiếu vừa in</a></p>
<output id="told" aria-live="polite"></output>
<table><thead><tr><th>#</th><th>Họ tên</th><th>Sinh</th><th>Thẻ BHYT</th><th>Trả lời của cổng</th><th></th></tr></thead>
<tbody>{% for person in people %}<tr><td>{{ person.number }}</td><td>{{ person.name.title() }}</td>
<td>{{ person.birth_date(today) }}</td><td>{{ person.card or "–" }}</td>
<td>{{ person.code }} · {{ person.purpose }}</td>
<td>{% if person.citizen_id %}<button data-post="/tap/{{ person.number }}"
data-told="Đã quét QR của thẻ {{ person.number }}">Quét QR</button>
<button data-post="/hold/{{ person.number }}?as=card" data-told="Đang giơ thẻ {{ person.number }}">Giơ thẻ</button>
<button data-post="/hold/{{ person.number }}?as=phone"
data-told="Đang giơ điện thoại {{ person.number }}">Giơ điện thoại</button>
<button data-post="/lay/{{ person.number }}?mode=" data-told="Đã đặt thẻ {{ person.number }}">Đặt thẻ</button>
{% endif %}</td></tr>{% endfor %}
</tbody></table>
<script>
document.getElementById("break").addEventListener("click", async () => {
  await fetch("/printer/" + document.getElementById("fault").value, {method: "POST"});
  document.getElementById("told").textContent = "Đã đặt máy in";
});
document.addEventListener("click", async (event) => {
  const {post, told} = event.target.dataset;
  if (!post) return;
  const mode = post.endsWith("mode=") ? document.getElementById("mode").value : "";
  const answer = await fetch(post + mode, {method: "POST"});
  document.getElementById("told").textContent = answer.ok ? told : "Máy đọc không nhận";
});
</script></body></html>"""


def create_app(stack: Stack) -> FastAPI:
    """The tap page: ``GET /`` lists the people, ``POST /tap/{number}`` writes a card's QR into the scanner's line.

    ``POST /hold/{number}?as=card`` (or ``phone``) holds that code before the camera for some seconds.
    ``GET /ticket.png`` is the newest printed ticket, ``POST /printer/{fault}`` spoils the printer.
    ``POST /lay/{number}?mode=genuine`` lays a person's chip card on the reader, ``POST /take-away`` takes it off.
    """
    app = FastAPI(title="Taps", docs_url=None, redoc_url=None)
    people = {person.number: person for person in people_of(stack.facility)}
    template = Environment(autoescape=True).from_string(_PAGE)

    @app.get("/", response_class=HTMLResponse)
    async def page() -> str:
        addresses = {part: stack.url(part) for part in ("kiosk", "his", "province")}
        choices = {"modes": MODES, "faults": FAULTS}
        return template.render(people=people.values(), today=datetime.now(_VIETNAM).date(), **choices, **addresses)

    @app.post("/tap/{number}")
    def tap(number: int) -> dict[str, int]:
        payload = _payload(people.get(number))
        try:
            stack.tap(payload)
        except (ConnectionError, TimeoutError) as exc:
            raise HTTPException(503, str(exc)) from None
        return {"tapped": number}

    @app.post("/hold/{number}")
    def hold(number: int, on: Annotated[Literal["card", "phone"], Query(alias="as")] = "card") -> dict[str, int | str]:
        payload = _payload(people.get(number))
        try:
            stack.hold(payload, on)
        except ConnectionError as exc:
            raise HTTPException(503, str(exc)) from None
        return {"held": number, "as": on}

    @app.post("/lay/{number}")
    def lay(number: int, mode: str = "genuine") -> dict[str, int | str]:
        try:
            stack.lay(number, mode)
        except ValueError as exc:
            raise HTTPException(404, str(exc)) from None
        except ConnectionError as exc:
            raise HTTPException(503, str(exc)) from None
        return {"laid": number, "mode": mode}

    @app.post("/printer/{fault}")
    def spoil(fault: str) -> dict[str, str]:
        if stack.printer is None or fault not in FAULTS:
            raise HTTPException(404, "no such printer or fault")
        stack.printer.become(fault)
        return {"printer": fault}

    @app.get("/ticket.png")
    def ticket() -> Response:
        if stack.printer is None or not stack.printer.tickets:
            raise HTTPException(404, "nothing was printed yet")
        picture = io.BytesIO()
        stack.printer.tickets[-1].save(picture, "PNG")
        return Response(picture.getvalue(), media_type="image/png", headers={"Cache-Control": "no-store"})

    @app.post("/take-away")
    def take_away() -> dict[str, bool]:
        stack.take_away()
        return {"taken": True}

    return app


def _payload(person: Person | None) -> bytes:
    payload = qr_payload(person, datetime.now(_VIETNAM).date()) if person else None
    if payload is None:
        raise HTTPException(404, "nobody with a citizen card has that number")
    return payload


@click.command()
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Kept between runs; default: a new one.")
@click.option("--port-base", type=click.IntRange(1024, 65000), default=8080, show_default=True)
def main(data: Path | None, port_base: int) -> None:
    """Run kiosk, province, simulated gateway, hospital and scanner until Ctrl-C."""
    folder = (data or Path(tempfile.mkdtemp(prefix="kiosk-demo-"))).absolute()
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: over.set())
    stack = Stack(folder, port_base, config=_CONFIG, with_card=True, with_camera=True, with_history=True)
    stack.with_printer = True
    try:
        with stack, serve_in_thread(create_app(stack), port=port_base + 17):
            click.echo(_greeting(stack), err=True)
            ended = None
            while ended is None and not over.wait(0.5):
                ended = next((part for part, process in stack.processes.items() if process.poll() is not None), None)
            if ended is not None:
                raise DidNotStart(f"{ended} ended by itself:\n{stack.log(ended)[-2000:]}")
    except DidNotStart as exc:
        click.echo(f"demo: {exc}", err=True)
        sys.exit(1)


def _greeting(stack: Stack) -> str:
    return f"""
  Patient screen      {stack.url("kiosk")}/
  Staff screen        {stack.url("kiosk")}/staff      (demo / demo)
  Tap a card          {stack.url("taps")}/           (or: curl -X POST {stack.url("taps")}/tap/1)
  Hold it up          the same page            (or: curl -X POST {stack.url("taps")}/hold/1)
  Lay it down         the same page            (or: curl -X POST {stack.url("taps")}/lay/1)
  Province            {stack.url("province")}/           (API key: demo)
  Simulated HIS       {stack.url("his")}/_sim/
  Simulated gateway   {stack.url("gateway")}/_sim/calls
  Data                {stack.data}
  Ctrl-C ends all of it.
"""


if __name__ == "__main__":
    main()
