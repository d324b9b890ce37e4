"""``kioskctl audit`` on a running daemon: what it says of a chain, whole and bent, and what it hands out."""

import asyncio
import json

from click.testing import CliRunner

from kiosk.cli import main


async def kioskctl(kiosk, *arguments: str) -> tuple[int, str]:
    command = [*arguments, "--config", str(kiosk.config_path)]
    result = await asyncio.to_thread(CliRunner().invoke, main, command)
    return result.exit_code, result.stdout


async def test_the_chain_is_checked_and_handed_out(kiosk, tmp_path):
    staff = await kiosk.signed_in()
    entry = {"number": "099190000001", "full_name": "Nguyễn Thị Thử", "birth_date": "1/1/1990"}
    made = (await staff.post("/api/v1/staff/check-ins", json=entry)).json()
    await staff.post(f"/api/v1/staff/check-ins/{made['checkin_id']}/reveal", json={})
    code, said = await kioskctl(kiosk, "audit", "verify")
    assert code == 0 and json.loads(said)["intact"] is True and json.loads(said)["rows"] >= 2
    code, said = await kioskctl(kiosk, "audit", "export", "--from", "2020-01-01", "--to", "2099-12-31")
    actions = [json.loads(line)["action"] for line in said.splitlines()]
    assert code == 0 and {"entered", "revealed"} <= set(actions) and actions[-1] == "audit_exported"

    def bend(connection):
        connection.exec_driver_sql("DROP TRIGGER audit_no_delete")
        connection.exec_driver_sql("DELETE FROM audit WHERE id = 1")

    await kiosk.parts.store.run(bend)
    code, said = await kioskctl(kiosk, "audit", "verify")
    assert code == 1 and json.loads(said)["broken_at"] == 1
    forged = tmp_path / "told.jsonl"
    forged.write_text(json.dumps({"day": "2026-01-01", "number": 1, "hash": "0" * 64}) + "\n", "ascii")
    code, said = await kioskctl(kiosk, "audit", "verify", "--anchors", str(forged))
    assert code == 1 and json.loads(said)["anchors_with_bad_signature"] == 1
