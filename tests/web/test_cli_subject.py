"""`kioskctl subject`: numbers come by the standard input, and each act stands in the audit without them."""

import asyncio
import json

from click.testing import CliRunner

from kiosk.cli import main
from kiosk.tables import audit
from tests.kiosk.world import qr

NUMBER = "099190000001"


async def ctl(kiosk, *words: object, typed: str = "0991 9000 0001\n"):
    def run():
        return CliRunner().invoke(main, ["subject", *map(str, words), "--config", str(kiosk.config_path)], input=typed)

    return await asyncio.to_thread(run)


async def test_find_export_erase(kiosk, tmp_path):
    await kiosk.register(qr(1))
    await kiosk.answer("cancel")
    found = json.loads((await ctl(kiosk, "find")).stdout)
    assert len(found["checkin_ids"]) == 1
    file = tmp_path / "person.json"
    assert (await ctl(kiosk, "export", "-o", file)).exit_code == 0
    assert NUMBER in file.read_text("utf-8") and file.stat().st_mode & 0o777 == 0o600
    assert (await ctl(kiosk, "erase")).exit_code == 2, "--yes is needed"
    done = await ctl(kiosk, "erase", "--yes")
    assert (done.exit_code, json.loads(done.stdout)["erased"]) == (0, found["checkin_ids"])
    rows = await kiosk.parts.store.read(lambda c: c.execute(audit.select()).all())
    acts = [(row.who, row.action, row.detail) for row in rows if row.action.startswith("subject")]
    counted = {"check_ins": 1}
    assert acts == [("operator", f"subject_{act}", counted) for act in ("found", "exported", "erased")]
    assert NUMBER not in str(rows)


async def test_nothing_typed_and_nonsense_are_refused(kiosk):
    assert (await ctl(kiosk, "find", typed="\n")).exit_code == 2
    refused = await ctl(kiosk, "find", typed="' OR 1=1\n")
    assert refused.exit_code == 1 and json.loads(refused.stdout)["error"] == "BAD_REQUEST"
