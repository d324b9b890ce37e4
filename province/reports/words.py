"""The words of a report: titles, labelled facts and method notes, the same on paper and in the workbook."""

from dataclasses import dataclass
from importlib import resources

from province.pages import formats
from province.pages.readings import Reading
from province.pages.texts import Language, Texts, texts_in
from province.reports.content import Kind, Report

RATES = ("r1", "r2", "r3", "r4", "r5")


@dataclass(frozen=True, slots=True)
class Words:
    """A report's words in one language."""

    report: Report
    language: Language

    @property
    def texts(self) -> Texts:
        """All texts in the language."""
        return texts_in(self.language)

    def __call__(self, key: str, **values: object) -> str:
        """A text of the room `reports`."""
        return self.texts(f"reports.{key}", **values)

    def number(self, value: int | None) -> str:
        """A whole number, a dash for None."""
        return formats.number(value, self.language)

    def percentage(self, value: float | None) -> str:
        """A percentage with two decimals, a dash for None."""
        return formats.percentage(value, self.language)

    @property
    def title(self) -> str:
        """What the report is of: `03/2026`, or the week and its year."""
        if self.report.kind is Kind.MONTHLY:
            return self(self.report.kind, name=formats.month(self.report.name, self.language))
        year, week = self.report.name.split("-W")
        return self(self.report.kind, name=f"{week}/{year}")

    @property
    def subtitle(self) -> str:
        """Which units and days."""
        first, last = (formats.day(each, self.language) for each in (self.report.span.start, self.report.span.end))
        return " · ".join([*self.report.provinces[:3], self("span", first=first, last=last)])

    @property
    def made_at(self) -> str:
        """When it was made."""
        return self("made_at", moment=formats.moment(self.report.made_at, self.language))

    @property
    def state(self) -> str:
        """Whether the figures stand."""
        whole, closed_at = self.report.whole, self.report.closed_at
        if closed_at is None:
            return self("open")
        changed = whole is not None and whole.status == "adjusted"
        return self("adjusted" if changed else "closed", moment=formats.moment(closed_at, self.language))

    def origin(self, code: str | None) -> str:
        """Where the number of visits comes from."""
        return formats.NO_VALUE if code is None else self(f"origins.{code}")

    def period_name(self, reading: Reading) -> str:
        """The label of one period of the trend: month, or week and year."""
        if self.report.kind is Kind.MONTHLY:
            return formats.month(reading.first, self.language)
        year, week, _ = reading.first.isocalendar()
        return f"{week:02}/{year}"

    def facts(self, whole: Reading) -> list[tuple[str, str]]:
        """The cover's labelled facts."""
        report, before = self.report, self.report.before
        portal = self.number(whole.portal) if whole.portal is not None else self("portal_none")
        found = [
            (self("target"), f"{self.percentage(whole.target)} – {self(whole.state)}"),
            (self("visits"), self.number(whole.r1.denominator)),
            (self("looked_up"), self.number(whole.r1.numerator)),
            (self("not_looked_up"), self.number(whole.not_looked_up)),
            (self("completeness"), f"{self.number(whole.reporting)}/{self.number(whole.active)}"),
            (self("below"), self.number(len(report.below))),
            (self("portal"), portal),
            (self("portal_gap"), self.percentage(whole.portal_gap_pct)),
            (self("before"), self.percentage(before.r1.pct if before else None)),
            (self("change"), self._change(whole, before)),
        ]
        if report.kind is Kind.MONTHLY:
            found.append((self("state"), self.state))
        if report.sha256:
            found.append((self("digest"), report.sha256))
        return found

    def _change(self, whole: Reading, before: Reading | None) -> str:
        if before is None or whole.r1.pct is None or before.r1.pct is None:
            return formats.NO_VALUE
        points = f"{whole.r1.pct - before.r1.pct:+.2f}"
        return self("points", number=points.replace(".", ",") if self.language is Language.VIETNAMESE else points)

    @staticmethod
    def method() -> list[tuple[str, str]]:
        """Terms and what they mean, in Vietnamese as the province publishes them."""
        text = resources.files("province").joinpath("texts/method.vi.txt").read_text("utf-8")
        parts = (line.partition(": ") for line in text.splitlines())
        return [(term, meaning) for term, _, meaning in parts]
