"""What people were told of what is read is kept with each check-in, as a digest whose text can be found."""

import hashlib

from kiosk import records
from kiosk.web.notice import notice_text
from kiosk.web.pages import OTHER_LANGUAGES
from tests.kiosk.world import World, qr


async def test_the_digest_of_the_notice_is_kept_and_leads_back_to_its_words(world: World) -> None:
    await world.register(1)
    first = await world.newest()
    await world.leave()
    await world.station.answer(None, "language", value="en")
    await world.register(3)
    second = await world.newest()
    assert first.notice != second.notice
    for checkin, start in ((first, "Máy đọc số thẻ"), (second, "")):
        text = await world.store.read(lambda c, of=checkin: records.get_setting(c, f"notice:{of.notice}"))
        assert hashlib.sha256(text.encode()).hexdigest() == checkin.notice
        assert text.startswith(start)


def test_the_notice_names_what_is_switched_on_and_nothing_else() -> None:
    plain = notice_text("vi", {"scanner": True})
    assert notice_text(None, {"scanner": True}) == plain
    for flag in ("camera", "card_reader", "provider", "vneid"):
        assert len(notice_text("vi", {"scanner": True, flag: True})) > len(plain), flag
    assert notice_text("vi", {"scanner": False}) == notice_text("vi", {"scanner": True, "camera": True})
    assert len({notice_text(language, {}) for language in ("vi", *OTHER_LANGUAGES)}) == 3


async def test_the_code_on_the_screen_is_what_is_kept(world: World) -> None:
    await world.station.scan(qr(1))
    assert (await world.newest()).notice is not None
