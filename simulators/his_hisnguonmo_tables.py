"""What the simulated hisnguonmo remembers: patients, treatments, requests, numbers of the day. In memory only."""

from dataclasses import dataclass, field
from datetime import date, datetime, time

from simulators import his_hisnguonmo_data as known
from simulators.his_c06_settings import Clock
from simulators.his_hisnguonmo_data import Patient, Room, Service
from simulators.his_hisnguonmo_wire import Refusal, time_number


@dataclass(frozen=True)
class Wish:
    """One service that a registration asks for."""

    service: Service
    room: Room
    type_id: int


@dataclass(frozen=True)
class Order:
    """A checked registration, of either call. `patient` None: `newcomer` becomes a patient."""

    patient: Patient | None
    newcomer: Patient | None
    wishes: tuple[Wish, ...]
    request_room: Room
    card: str | None
    priority: bool
    call: str


@dataclass(frozen=True)
class Request:
    """A service request: `number` is the place in the queue of its room."""

    id: int
    code: str
    wish: Wish
    number: int
    made_at: int


@dataclass
class Treatment:
    """A visit with its requests. `seeded`: there before anybody called; `ended`: closed by the doctor."""

    id: int
    code: str
    patient: Patient
    day: date
    began: int
    order: Order
    requests: tuple[Request, ...]
    seeded: bool = False
    ended: bool = False


@dataclass
class Tables:
    """One server's rows. A method that changes something does it whole or raises Refusal having changed nothing."""

    clock: Clock
    patients: list[Patient] = field(default_factory=known.patients)
    _treatments: list[Treatment] = field(default_factory=list)
    _requests: int = 0

    @property
    def treatments(self) -> list[Treatment]:
        """All visits, oldest first; on every day person 3 is there already."""
        today = self.clock.today()
        if not any(row.seeded and row.day == today for row in self._treatments):
            self._treatments.append(self._booked(today))
        return self._treatments

    def find(self, **wanted: str) -> Patient | None:
        """The newest patient with these values, named as in `Patient`."""
        return next((row for row in self.patients if all(getattr(row, key) == wanted[key] for key in wanted)), None)

    def last_treatment(self, patient: Patient) -> Treatment | None:
        """The newest visit of a patient."""
        return next((row for row in reversed(self.treatments) if row.patient.id == patient.id), None)

    def register(self, order: Order) -> Treatment:
        """Store a visit with a number in each room. Refusal when a room takes no more today: then nothing stays."""
        today, now = self.clock.today(), time_number(self.clock.local())
        wishes = [*order.wishes, *(brought for wish in order.wishes if (brought := _brought(wish)))]
        taken: dict[int, int] = {}
        requests: list[Request] = []
        for wish in wishes:
            number = self._last_number(wish.room, today) + taken.get(wish.room.id, 0) + 1
            taken[wish.room.id] = taken.get(wish.room.id, 0) + 1
            if wish.room.places is not None and number > wish.room.places:
                raise Refusal(f"{wish.room.name} đã đủ số lượt khám trong ngày", "PhongKhamVuotQuaSoLuong")
            serial = self._requests + len(requests) + 1
            requests.append(Request(80_000 + serial, f"{serial:012d}", wish, number, now))
        patient = order.patient or order.newcomer
        if patient is None:
            raise Refusal("Thiếu người bệnh")
        serial = sum(not row.seeded for row in self.treatments) + 1
        made = Treatment(60_000 + serial, f"{serial:012d}", patient, today, now, order, tuple(requests))
        if order.patient is None:
            self.patients.insert(0, patient)
        self._requests += len(requests)
        self.treatments.append(made)
        return made

    def end(self, code: str) -> Treatment | None:
        """Close a visit, as the doctor does at its end."""
        found = next((row for row in self.treatments if row.code == code), None)
        if found is not None:
            found.ended = True
        return found

    def add(self, last_name: str, first_name: str, dob: int, sex: int, citizen: str) -> Patient:
        """A patient whom somebody else entered."""
        serial = self.new_patient_serial()
        made = Patient(7000 + serial, f"{serial:010d}", last_name, first_name, dob, False, sex, citizen=citizen)
        self.patients.insert(0, made)
        return made

    def new_patient_serial(self) -> int:
        """Serial of the next new patient."""
        return known.FIRST_NEW_PATIENT + len(self.patients) - len(known.patients())

    def _last_number(self, room: Room, day: date) -> int:
        given = [
            request.number
            for row in self.treatments
            if row.day == day
            for request in row.requests
            if request.wish.room == room
        ]
        return max([room.last_number, *given])

    def _booked(self, day: date) -> Treatment:
        person = next(row for row in known.patients() if row.id == 7000 + known.BOOKED_PERSON)
        room, began = known.ROOM_BY_ID[known.BOOKED_ROOM], time_number(datetime.combine(day, time(0, 0)))
        wish = Wish(known.SERVICE_BY_ID[known.BOOKED_SERVICE], room, known.INSURED_TYPE)
        order = Order(person, None, (wish,), known.ROOM_BY_ID[9001], person.card, False, "desk")
        request = Request(80_000, f"9{day:%y%m%d}00000", wish, room.last_number, began)
        return Treatment(60_000, f"9{day:%y%m%d}00000", person, day, began, order, (request,), seeded=True)


def _brought(wish: Wish) -> Wish | None:
    if wish.service.brings is None:
        return None
    service, room = wish.service.brings
    return Wish(known.SERVICE_BY_ID[service], known.ROOM_BY_ID[room], wish.type_id)
