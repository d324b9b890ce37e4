"""The simulated chip: worked examples of the standard, the kiosk's reader as its partner, strictness, survival."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.emrtd import active_auth, chip_auth, pace
from kiosk.emrtd.apdu import Command, PlainChannel
from kiosk.emrtd.errors import ApduError, ChannelBroken, WrongKey
from kiosk.emrtd.mrz import MrzKey
from kiosk.emrtd.security_infos import pace_infos, parse
from simulators.chip_card import Exchange, VirtualCard
from simulators.chip_ciphers import AES128, AES192, AES256, DES3
from simulators.chip_curves import STANDARD_GROUPS
from simulators.chip_files import (
    BAC_ONLY,
    CAM,
    CARD_ACCESS,
    CARD_SECURITY,
    COM,
    DG1,
    DG2,
    DG3,
    DG13,
    DG14,
    DG15,
    PASSPORT,
    SOD,
    Profile,
)
from simulators.chip_infos import ActiveAuthentication, ChipAuthentication, PaceInfo, public_key, security_infos
from simulators.chip_quirks import CardRemoved, Quirks
from simulators.chip_secure_messaging import SecureChannel
from tests.simulators.chip.issued_cards import (
    AID,
    Recorder,
    ask,
    by_bac,
    by_pace,
    card,
    example_card,
    issued,
    mrz_key,
    opened,
    read,
    read_all,
    seeded,
    select_application,
    select_file,
)

EXAMPLE_MRZ = ("I<UTOT220001293<<<<<<<<<<<<<<<", "6408125M1010318UTO<<<<<<<<<<<0", "A" * 30)
FILES = (COM, SOD, DG1, DG2, DG13, DG14, DG15)


class TestWorkedExamples:
    """ICAO 9303-11 appendix D (BAC, secure messaging) and appendix G (PACE)."""

    def test_bac_and_secure_messaging(self):
        mrz = ("I<UTOL898902C<3<<<<<<<<<<<<<<<", "6908061F9406236UTO<<<<<<<<<<<2", "A" * 30)
        com = bytes.fromhex("60145F0104303130365F36063034303030305C026175")
        chip = example_card(mrz, BAC_ONLY, {COM: com}, "4608F91988702212", "0B4F80323EB3191CB04970CB4052790B")
        assert ask(chip, f"00A4040C07{AID}") == "9000"
        assert ask(chip, "0084000008") == "4608F919887022129000"
        assert (
            ask(
                chip,
                "008200002872C29C2371CC9BDB65B779B8E8D37B29ECC154AA56A8799FAE2F498F76ED92F25F1448EEA8AD90A728",
            )
            == "46B9342A41396CD7386BF5803104D7CEDC122B9132139BAF2EEDC94EE178534F2F2D235D074D74499000"
        )
        assert ask(chip, "0CA4020C158709016375432908C044F68E08BF8B92D635FF24F800") == "990290008E08FA855A5D4C50A8ED9000"
        assert (
            ask(chip, "0CB000000D9701048E08ED6705417E96BA5500")
            == "8709019FF0EC34F9922651990290008E08AD55CC17140B2DED9000"
        )
        assert (
            ask(chip, "0CB000040D9701128E082EA28A70F3C7B53500")
            == "871901FB9235F4E4037F2327DCC8964F1F9B8C30F42C8E2FFF224A990290008E08C8B2787EAEA07D749000"
        )

    def test_pace_on_an_elliptic_curve(self):
        chip = example_card(
            EXAMPLE_MRZ,
            Profile(),
            {},
            "3F00C4D39D153F2B2A214A078D899B22",
            "498FF49756F2DC1587840041839A85982BE7761D14715FB091EFA7BCE9058560",
            "107CF58696EF6155053340FD633392BA81909DF7B9706F226F32086C7AFF974A",
        )
        assert ask(chip, "0022C1A40F800A04007F00070202040202830101") == "9000"
        assert ask(chip, "10860000027C0000") == "7C12801095A3A016522EE98D01E76CB6B98B42C39000"
        assert (
            ask(
                chip,
                "10860000457C43814104"
                "7ACF3EFC982EC45565A4B155129EFBC74650DCBFA6362D896FC70262E0C2CC5E"
                "544552DCB6725218799115B55C9BAA6D9F6BC3A9618E70C25AF71777A9C4922D00",
            )
            == "7C43824104824FBA91C9CBE26BEF53A0EBE7342A3BF178CEA9F45DE0B70AA601651FBA3F57"
            "30D8C879AAA9C9F73991E61B58F4D52EB87A0A0C709A49DC63719363CCD13C549000"
        )
        assert (
            ask(
                chip,
                "10860000457C43834104"
                "2DB7A64C0355044EC9DF190514C625CBA2CEA48754887122F3A5EF0D5EDD301C"
                "3556F3B3B186DF10B857B58F6A7EB80F20BA5DC7BE1D43D9BF850149FBB3646200",
            )
            == "7C438441049E880F842905B8B3181F7AF7CAA9F0EFB743847F44A306D2D28C1D9EC65DF6DB"
            "7764B22277A2EDDC3C265A9F018F9CB852E111B768B326904B59A0193776F0949000"
        )
        assert ask(chip, "008600000C7C0A8508C2B0BD78D94BA86600") == "7C0A86083ABB9674BCE93C089000"

    def test_pace_modulo_a_prime(self):
        chip = example_card(
            EXAMPLE_MRZ,
            Profile(pace=(PaceInfo("DH-GM", "AES-128", 0),)),
            {},
            "FA5B7E3E49753A0DB9178B7B9BD898C8",
            "66DDAFEAC1609CB5B963BB0CB3FF8B3E047F336C",
            "A5B780126B7C980E9FCEA1D4539DA1D27C342DFA",
        )
        assert ask(chip, "0022C1A40F800A04007F00070202040102830101") == "9000"
        assert ask(chip, "10860000027C0000") == "7C128010854D8DF5827FA6852D1A4FA701CDDDCA9000"
        group, nonce = STANDARD_GROUPS[0], int("FA5B7E3E49753A0DB9178B7B9BD898C8", 16)
        first, second = (
            int(key, 16)
            for key in ("5265030F751F4AD18B08AC565FC7AC952E41618D", "89CCD99B0E8D3B1F11E1296DCA68EC53411CF2CA")
        )
        mapped = self.exchange(chip, "81", group.encode(group.power(group.base, first)))
        assert mapped.startswith("78879F57225AA8080D52ED0FC890A4B2")
        base = group.combine(group.power(group.base, nonce), group.power(int(mapped, 16), first))
        assert f"{base:0256X}".startswith("7C9CBFE98F9FBDDA8D143506FA7D9306")
        agreed = self.exchange(chip, "83", group.encode(group.power(base, second)))
        assert agreed.startswith("075693D9AE941877573E634B6E644F8E")
        assert ask(chip, "008600000C7C0A8508B46DD9BD4D98381F00") == "7C0A8608917F37B5C0E6D8D19000"

    @staticmethod
    def exchange(chip: VirtualCard, tag: str, key: bytes) -> str:
        assert len(key) == 128
        answer = ask(chip, f"10860000867C8183{tag}8180{key.hex()}00")
        assert answer.startswith(f"7C8183{int(tag, 16) + 1:02X}8180")
        assert answer.endswith("9000")
        return answer[12:-4]


class TestAccess:
    @pytest.mark.parametrize(
        ("parameter", "cipher"),
        [(parameter, "AES-128") for parameter in (0, *range(12, 19))]
        + [(13, cipher) for cipher in ("3DES", "AES-192", "AES-256")]
        + [(0, "3DES")],
    )
    def test_pace_opens_the_files(self, parameter, cipher):
        info = PaceInfo("DH-GM" if parameter < 8 else "ECDH-GM", cipher, parameter)
        chip = card(profile=Profile(pace=(info,)))
        channel = by_pace(chip)
        assert channel.send(select_application()).ok
        assert read(channel, short=1, le=8).data == chip.data.files[DG1][:8]

    def test_pace_modulo_a_long_prime_needs_extended_lengths(self):
        chip = card(Quirks(extended=4096), Profile(pace=(PaceInfo("DH-GM", "AES-256", 2),)))
        assert by_pace(chip).send(select_application()).ok

    @pytest.mark.parametrize("run", [by_bac, by_pace])
    def test_a_session_reads_every_file(self, run):
        chip = card()
        channel = run(chip)
        channel.send(select_application())
        assert {fid: read_all(channel, fid) for fid in FILES} == {fid: chip.data.files[fid] for fid in FILES}
        assert channel.send(select_file(DG3)).sw == 0x6982
        assert channel.send(select_file(0x010B)).sw == 0x6A82

    def test_pace_knows_the_mrz_too(self):
        chip = card()
        assert by_pace(chip, pace.Password.mrz(mrz_key(chip.data))).send(select_application()).ok

    def test_a_passport_opens_with_its_two_lines(self):
        chip = card(profile=PASSPORT)
        line = chip.data.mrz[1]
        key = MrzKey(line[:9], line[13:19], line[21:27])
        assert by_pace(chip, pace.Password.mrz(key)).send(select_application()).ok

    def test_chip_authentication_mapping_proves_the_key_of_card_security(self):
        chip = card(profile=CAM)
        info, _ = pace_infos(chip.data.master_files[CARD_ACCESS])
        opened = pace.open_channel(PlainChannel(chip.transmit), info, pace.Password.can(chip.data.can), seeded(3))
        assert opened.cam is not None
        static = public_key(chip.data.pace_cam_key.public_key(), explicit=False)
        assert opened.cam.verify(parse(security_infos([static])))
        assert read_all(opened.channel, CARD_SECURITY) == chip.data.master_files[CARD_SECURITY]

    @pytest.mark.parametrize("run", [by_bac, by_pace])
    def test_wrong_passwords_are_counted_and_slow_the_chip(self, run):
        chip = card()
        right = chip.data
        wrong = replace(right, can="000000", mrz=(right.mrz[0], "0001010M0101014" + right.mrz[1][15:], right.mrz[2]))
        for failures, penalty in ((1, 1), (2, 3), (3, 7)):
            with pytest.raises(WrongKey) as caught:
                run(chip, known=wrong)
            assert caught.value.sw == 0x6300
            assert (chip.failures, chip.penalty_s) == (failures, penalty)
            chip.reset()
        run(chip)
        assert (chip.failures, chip.penalty_s) == (0, 0)

    def test_nothing_is_read_without_access(self):
        chip = card()
        assert ask(chip, f"00A4040C07{AID}") == "9000"
        for fid in (*FILES, DG3):
            assert ask(chip, f"00A4020C02{fid:04X}") == "6982"
        assert ask(chip, "00A4020C02010B") == "6A82"
        assert ask(chip, "00B0810000") == "6982"
        assert ask(chip, "0088000008000000000000000000") == "6982"

    def test_card_security_is_read_after_pace_only(self):
        chip = card(profile=CAM)
        assert ask(chip, f"00A4020C02{CARD_SECURITY:04X}") == "6982"


class TestStrictness:
    @pytest.mark.parametrize(
        ("command", "answer"),
        [
            ("", "6700"),
            ("00A404", "6700"),
            ("00A4040C03A000", "6700"),
            ("00A4040C02A0000000FF", "6700"),
            ("00A4040C0000070000", "6700"),
            ("00B0000000000000", "6700"),
            ("80A4040C", "6E00"),
            ("01A4040C", "6881"),
            ("04A4040C", "6882"),
            ("10A4040C", "6884"),
            ("0CA4040C00", "6988"),
            ("00FF0000", "6D00"),
            ("00A4000C023F00", "6D00"),
            ("00A4040C07A0000002471002", "6A82"),
            ("00A4040F07A0000002471001", "6A86"),
            ("00A4080C023F00", "6A86"),
            ("00A4020C03011C00", "6A87"),
            ("00A4020C02011E", "6A82"),
            ("00A4020C022F01", "6A82"),
            ("00B0000000", "6986"),
            ("00B00000", "6700"),
            ("00B0E00000", "6A86"),
            ("00B09E0000", "6A82"),
            ("0084000008", "6985"),
            ("00C0000000", "6985"),
            ("0086000000", "6A80"),
            ("00860000027C0000", "6985"),
            ("0022C1A4", "6700"),
            ("0022C1A403800A04", "6A80"),
            ("0022C1A40F800A04007F00070202040202830103", "6A88"),
            ("0022C1A40F800A04007F00070202040204830102", "6A80"),
            ("0022C1A412800A04007F0007020204020283010284010C", "6A88"),
            ("0022FFA40F800A04007F00070202040202830102", "6A86"),
            ("00220000", "6700"),
            ("002241A40F800A04007F00070202030202840101", "6982"),
        ],
    )
    def test_what_the_standard_does_not_allow_is_refused(self, command, answer):
        assert ask(card(), command) == answer

    @pytest.mark.parametrize("parameter", ["", "84010D"])
    def test_pace_goes_in_order(self, parameter):
        chip = card()
        choose = f"0022C1A4{15 + len(parameter) // 2:02X}800A04007F00070202040202830102{parameter}"
        assert ask(chip, choose) == "9000"
        assert ask(chip, "00860000027C0000") == "6883"
        assert ask(chip, "10860000027C0000") == "6985"
        assert ask(chip, choose) == "9000"
        assert ask(chip, "10860000027C0000").endswith("9000")
        assert ask(chip, "10860000047C02810000") == "6A80"
        assert ask(chip, choose) == "9000"
        assert ask(chip, "10860000027C0000").endswith("9000")
        assert ask(chip, f"10860000457C43814104{'11' * 64}00") == "6A80"
        assert ask(chip, choose) == "9000"
        assert ask(chip, f"00A4040C07{AID}") == "9000"
        assert ask(chip, choose) == "6985"

    def test_card_access_is_free_by_both_ids(self):
        chip = card()
        content = chip.data.master_files[CARD_ACCESS].hex().upper()
        assert ask(chip, "00A4020C02011C") == "9000"
        assert ask(chip, "00B0000000") == content + "9000"
        assert ask(chip, "00B09C0000") == content + "9000"
        assert ask(chip, "00B0000002") == content[:4] + "9000"
        assert ask(chip, f"00B00000{len(content) // 2 + 1:02X}") == content + "6282"
        assert ask(chip, f"00B000{len(content) // 2:02X}01") == "6B00"

    def test_a_challenge_serves_once(self):
        chip = card()
        ask(chip, f"00A4040C07{AID}")
        assert len(ask(chip, "0084000008")) == 20
        assert ask(chip, f"0082000028{'00' * 40}28") == "6300"
        assert ask(chip, f"0082000028{'00' * 40}28") == "6985"
        assert ask(chip, "0084000009") == "6700"
        assert ask(chip, "0082000020" + "00" * 32 + "28") == "6700"


class TestSecureMessaging:
    @pytest.mark.parametrize("run", [by_bac, opened])
    def test_any_fault_ends_the_session(self, run):
        select = bytes.fromhex(f"00A4040C07{AID}")
        good = Recorder(card())
        run(good).send(select_file(DG1))
        protected = good.commands[-1]
        for position in range(len(protected)):
            chip = card()
            run(chip)
            damaged = bytearray(protected)
            damaged[position] ^= 0x01
            answer = chip.transmit(bytes(damaged))
            assert len(answer) == 2
            assert answer[0] >> 4 == 6
            assert chip.transmit(protected) == b"\x69\x88"
            assert chip.transmit(select) == b"\x90\x00"
            assert ask(chip, "00A4020C020101") == "6982"

    def test_a_repeated_command_ends_the_session(self):
        chip = Recorder(card())
        opened(chip).send(select_file(DG1))
        assert chip.transmit(chip.commands[-1]) == b"\x69\x88"

    def test_a_plain_command_ends_the_session(self):
        chip = card()
        channel = opened(chip)
        assert ask(chip, "00B0810000") == "6982"
        with pytest.raises(ChannelBroken):
            read(channel, short=1)

    @pytest.mark.parametrize(("run", "useful"), [(by_bac, 231), (opened, 223)])
    def test_a_short_protected_answer_fits_256_bytes(self, run, useful):
        chip = Recorder(card())
        channel = run(chip)
        channel.send(select_file(DG2))
        assert len(read(channel).data) == useful
        assert 256 - 16 < len(chip.answers[-1]) - 2 <= 256

    @pytest.mark.parametrize("suite", [DES3, AES128, AES192, AES256])
    def test_room_is_the_most_that_fits(self, suite):
        for limit in range(40, 600):
            room = SecureChannel(suite, b"secret").room(limit)
            fitting, too_long = (
                len(SecureChannel(suite, b"secret").seal(0xB0, bytes(size), 0x9000)) - 2 for size in (room, room + 1)
            )
            assert fitting <= limit < too_long

    def test_refusals_are_protected_and_harmless(self):
        channel = opened(card())
        assert channel.send(select_file(0x0110)).sw == 0x6A82
        assert channel.send(Command(0xFF, 0, 0)).sw == 0x6D00
        assert read(channel, short=1).sw == 0x9000

    def test_long_offsets_take_the_odd_instruction(self):
        chip = card(Quirks(extended=65_000), Profile(dg2_size=40_000))
        channel = opened(chip)
        channel.send(select_file(DG2))
        whole = chip.data.files[DG2]
        at = bytes.fromhex("54029000")
        answer = channel.send(Command(0xB1, data=at, le=256))
        assert answer.data[:2] == b"\x53\x81"
        assert answer.data[3:] == whole[0x9000 : 0x9000 + answer.data[2]]
        answer = channel.send(Command(0xB1, data=at, le=1004))
        assert answer.data == b"\x53\x82\x03\xe8" + whole[0x9000 : 0x9000 + 1000]
        assert channel.send(Command(0xB1, 0x01, 0x02, at, 256)).data[3:] == whole[0x9000:][:220]
        assert channel.send(Command(0xB1, data=bytes.fromhex("5503009000"), le=256)).sw == 0x6A80


class TestProofs:
    @pytest.mark.parametrize(
        "offer",
        [
            ActiveAuthentication("rsa-1024", "sha1"),
            ActiveAuthentication("rsa-2048", "sha256"),
            ActiveAuthentication("secp256r1", "sha256"),
            ActiveAuthentication("brainpoolP256r1", "sha256", "der"),
            ActiveAuthentication("secp384r1", "sha384"),
        ],
        ids=lambda offer: f"{offer.key}-{offer.form}",
    )
    def test_active_authentication_holds(self, offer):
        chip = card(profile=Profile(active_authentication=offer))
        challenge = bytes(range(8))
        answer = opened(chip).send(Command(0x88, data=challenge, le=256))
        assert answer.sw == 0x9000
        files = chip.data.files
        assert active_auth.verify(files[DG15], challenge, answer.data, files[DG14])
        assert not active_auth.verify(files[DG15], bytes(8), answer.data, files[DG14])

    def test_a_long_signature_comes_in_parts(self):
        chip = Recorder(card(profile=Profile(active_authentication=ActiveAuthentication("rsa-3072"))))
        assert len(opened(chip).send(Command(0x88, data=bytes(8), le=256)).data) == 384
        assert chip.commands[-1] == bytes.fromhex("00C00000") + chip.answers[-2][-1:]
        assert chip.answers[-2][-2] == 0x61

    @pytest.mark.parametrize(
        "offer",
        [
            ChipAuthentication(),
            ChipAuthentication("secp521r1", "AES-256"),
            ChipAuthentication("brainpoolP384r1", "AES-192", key_id=7),
            ChipAuthentication("secp256r1", "3DES"),
            ChipAuthentication("brainpoolP256r1", None),
        ],
        ids=lambda offer: f"{offer.curve}-{offer.cipher}",
    )
    def test_chip_authentication_changes_the_keys(self, offer):
        chip = card(profile=Profile(chip_authentication=offer))
        before = opened(chip)
        after = chip_auth.run(before, chip.data.files[DG14], seeded(4))
        assert chip_auth.confirm(after)
        assert read_all(after, DG1) == chip.data.files[DG1]

    def test_a_card_without_the_keys_refuses(self):
        channel = opened(card(aa_key=None, ca_key=None))
        assert channel.send(Command(0x88, data=bytes(8), le=256)).sw == 0x6D00
        with pytest.raises(chip_auth.ChipAuthFailed):
            chip_auth.run(channel, issued().files[DG14], seeded(4))
        assert read(channel, short=1).sw == 0x9000


class TestQuirks:
    def test_a_friendly_master_file(self):
        assert ask(card(Quirks(mf_6d00=False)), "00A4000C023F00") == "9000"

    def test_card_access_missing(self):
        assert ask(card(Quirks(card_access_missing=True)), "00A4020C02011C") == "6A82"

    @pytest.mark.parametrize("limit", [231, 223, 192, 160, 128, 112])
    def test_limits_of_a_read(self, limit):
        channel = by_bac(card(Quirks(max_le=limit, over_max="6700")))
        assert read(channel, short=2).sw == 0x6700
        assert read(channel, short=2, le=limit + 1).sw == 0x6700
        assert len(read(channel, short=2, le=limit).data) == limit
        channel = by_bac(card(Quirks(max_le=limit, over_max="short")))
        assert len(read(channel, short=2).data) == limit
        channel = by_bac(card(Quirks(max_le=limit, over_max="6988")))
        with pytest.raises(ChannelBroken):
            read(channel, short=2)

    def test_short_answers_still_end(self):
        chip = card(Quirks(short_answers=17))
        channel = opened(chip)
        assert len(read(channel, short=2, le=100).data) == 83
        assert read_all(channel, SOD) == chip.data.files[SOD]

    def test_no_short_file_ids(self):
        chip = card(Quirks(no_sfi=0x6A86))
        assert read(opened(chip), short=1).sw == 0x6A86
        assert chip.atr != card().atr

    def test_extended_lengths(self):
        chip = card(Quirks(extended=4096))
        channel = opened(chip)
        channel.send(select_file(DG2))
        assert len(read(channel, le=65536).data) == 4063
        assert len(read(channel, le=1000).data) == 1000
        assert ask(card(Quirks(extended=4096)), "00B08100000000") == ask(card(Quirks(extended=4096)), "00B0810000")

    def test_a_lie_about_extended_lengths(self):
        assert card(Quirks(extended_lie=True)).atr == card(Quirks(extended=4096)).atr != card().atr
        assert ask(card(Quirks(extended_lie=True)), "00B09C00000000") == "6700"

    @pytest.mark.parametrize(("sabotage", "sw"), [("6982", 0x6982), ("6300", 0x6300), ("wrong_token", 0x6300)])
    def test_sabotaged_pace(self, sabotage, sw):
        chip = card(Quirks(pace_sabotaged=sabotage))
        with pytest.raises(ApduError) as caught:
            by_pace(chip)
        assert caught.value.sw == sw
        chip.reset()
        assert read(by_bac(chip), short=1).sw == 0x9000

    def test_a_pause_after_pace(self):
        now = [0.0]
        chip = card(Quirks(pace_needs_pause=100), clock=lambda: now[0])
        with pytest.raises(ChannelBroken):
            by_pace(chip).send(select_application())
        chip.reset()
        channel = by_pace(chip)
        now[0] += 0.1
        assert channel.send(select_application()).ok

    def test_no_bac(self):
        chip = card(Quirks(no_bac=True))
        ask(chip, f"00A4040C07{AID}")
        assert ask(chip, "0084000008") == "6D00"

    def test_a_try_counter_ends_in_a_block(self):
        chip = card(Quirks(try_counter=3))
        ask(chip, f"00A4040C07{AID}")
        seen = []
        for _ in range(3):
            ask(chip, "0084000008")
            seen.append(ask(chip, f"0082000028{'00' * 40}28"))
        assert seen == ["63C2", "63C1", "63C0"]
        assert chip.blocked
        assert ask(chip, "0084000008") == "6983"

    def test_plain_errors_end_the_session(self):
        channel = opened(card(Quirks(plain_errors_under_sm=True)))
        with pytest.raises(ChannelBroken) as caught:
            channel.send(select_file(0x010B))
        assert caught.value.sw == 0x6A82

    def test_a_session_that_breaks_once(self):
        chip = card(Quirks(sm_breaks_after=3))
        channel = opened(chip)
        read(channel, short=1)
        read(channel, short=1)
        with pytest.raises(ChannelBroken) as caught:
            read(channel, short=1)
        assert caught.value.sw == 0x6988
        chip.reset()
        assert read_all(opened(chip), DG1) == chip.data.files[DG1]

    def test_a_card_that_slips(self):
        chip = card(Quirks(removal_after=2, back_after_ms=5))
        ask(chip, "00B09C0000")
        ask(chip, "00B09C0000")
        with pytest.raises(CardRemoved):
            ask(chip, "00B09C0000")
        with pytest.raises(CardRemoved):
            ask(chip, "00B09C0000")
        chip.reset()
        assert ask(chip, "00B09C0000").endswith("9000")
        assert chip.apdus == 3

    def test_a_card_that_is_taken_away(self):
        chip = card(Quirks(removal_after=0))
        with pytest.raises(CardRemoved):
            ask(chip, "00B09C0000")
        with pytest.raises(CardRemoved):
            chip.reset()
        chip.lay_down()
        assert ask(chip, "00B09C0000").endswith("9000")

    def test_proofs_that_fail(self):
        channel = opened(card(Quirks(ca_refused=0x6A88, aa_refused=0x6985)))
        assert channel.send(Command(0x88, data=bytes(8), le=256)).sw == 0x6985
        with pytest.raises(chip_auth.ChipAuthFailed):
            chip_auth.run(channel, issued().files[DG14], seeded(4))
        chip = card(Quirks(ca_bluff=True, aa_wrong_signature=True))
        channel = opened(chip)
        answer = channel.send(Command(0x88, data=bytes(8), le=256))
        assert not active_auth.verify(chip.data.files[DG15], bytes(8), answer.data, chip.data.files[DG14])
        assert not chip_auth.confirm(chip_auth.run(channel, chip.data.files[DG14], seeded(4)))


def test_the_log_holds_headers_and_lengths():
    chip = card()
    opened(chip).send(select_file(DG1))
    assert chip.apdus == len(chip.log) == 7
    assert chip.log[0] == Exchange(bytes.fromhex("0022C1A4"), 15, None, 0x9000, protected=False)
    assert chip.log[-1] == Exchange(bytes.fromhex("00A4020C"), 2, None, 0x9000, protected=True)


HEADERS = st.tuples(
    st.sampled_from((0x00, 0x10, 0x0C, 0x1C, 0x04, 0x01, 0x80)),
    st.sampled_from((0xA4, 0xB0, 0xB1, 0x84, 0x82, 0x22, 0x86, 0x88, 0xC0, 0x20)),
    st.sampled_from((0x00, 0x01, 0x02, 0x04, 0x41, 0x81, 0x9C, 0xC1)),
    st.sampled_from((0x00, 0x0C, 0xA4, 0xA6, 0x1F)),
).map(bytes)
COMMANDS = st.binary(max_size=300) | st.builds(
    lambda header, data, le: header + bytes((len(data),)) * bool(data) + data + le,
    HEADERS,
    st.binary(max_size=80),
    st.binary(max_size=3),
)


@settings(max_examples=300, deadline=None)
@given(commands=st.lists(COMMANDS, max_size=6), session=st.booleans(), extended=st.sampled_from((0, 1000)))
def test_any_bytes_get_a_status_word(commands, session, extended):
    chip = card(Quirks(extended=extended, mf_6d00=False))
    if session:
        by_bac(chip)
    for command in commands:
        answer = chip.transmit(command)
        assert len(answer) >= 2
        assert answer[-2] >> 4 in (6, 9)
