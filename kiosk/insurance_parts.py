"""Wires who is asked whether people are insured: the insurer, this facility's relay, or the hospital system."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kiosk import officers
from kiosk.across_stations import NO_REGISTER
from kiosk.config import Config, InsuranceTable, read_officers, read_secret, secret_path
from kiosk.duty import Duty
from kiosk.errors import ConfigError
from kiosk.insurance.relay_client import RelayGateway
from kiosk.insurance.relay_line import RelayLine
from kiosk.insurance.relay_register import RelayRegister
from kiosk.insurance.via_his import ViaHospital
from kiosk.insurance.vss_gateway import VssGateway
from kiosk.insurance.vss_settings import VssSettings
from kiosk.ports import Clock, EligibilityGateway, HospitalAdapter, OfficerDuty, VisitRegister
from kiosk.store import Store

_NOT_OF_THE_GATEWAY = {
    "adapter",
    "password_file",
    "officers_file",
    "key_file",
    "recheck_after",
    "opens",
    "closes",
    "answers_days",
}


@dataclass(frozen=True, slots=True)
class InsuranceParts:
    """Who is asked, and what goes with it. ``duty``: None where somebody else names the officer."""

    gateway: EligibilityGateway
    duty: Duty | None
    register: VisitRegister
    line: RelayLine | None = None


def insurance_parts(
    config: Config, beside: Path, store: Store, hospital: HospitalAdapter, clock: Clock
) -> InsuranceParts:
    """The parts that ``insurance.adapter`` names. ConfigError for a wrong setting or secret."""
    table = config.insurance
    if table.adapter == "relay":
        line = RelayLine(
            url=table.url,
            key=read_secret(table.key_file, beside),
            ca_file=table.ca_file,
            connect_timeout=table.connect_timeout,
        )
        gateway = RelayGateway(line, table.total_timeout, clock)
        return InsuranceParts(gateway, None, RelayRegister(line, config.station.id), line)
    if table.adapter == "via_his":
        return InsuranceParts(ViaHospital(hospital, table.total_timeout, clock), None, NO_REGISTER)
    duty = duty_of(table, beside, store, clock)
    return InsuranceParts(vss_gateway(table, config.station.facility, beside, duty, clock), duty, NO_REGISTER)


def duty_of(table: InsuranceTable, beside: Path, store: Store, clock: Clock) -> Duty:
    """The officers of the store, after taking over those of the file, if any. ConfigError if nobody is left."""
    name = table.officers_file
    text = read_secret(name, beside) if name and secret_path(name, beside).exists() else ""
    listed = read_officers(text) if text else []
    if store.run_now(lambda c: officers.merge(c, listed)) == 0:
        raise ConfigError("insurance.officers_file: expected at least one officer, in the file or registered before")
    return Duty(store, clock)


def vss_gateway(table: InsuranceTable, facility: str, beside: Path, duty: OfficerDuty, clock: Clock) -> VssGateway:
    """The insurer's gateway under the account of *table*. ConfigError for a wrong setting or secret."""
    settings = VssSettings(
        **table.model_dump(exclude=_NOT_OF_THE_GATEWAY),
        password=read_secret(table.password_file, beside),
        facility=facility,
    )
    return VssGateway(settings, duty, clock=clock)
