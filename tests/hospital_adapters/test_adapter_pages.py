"""The pages about adapters say what the code does."""

from importlib.metadata import entry_points
from pathlib import Path

from hospital_adapters.staging_table_schema import ddl

DOCS = Path(__file__).parents[2] / "docs"


def test_every_adapter_stands_in_the_list_of_adapters() -> None:
    page = (DOCS / "adapters.md").read_text("utf-8")
    table = page.partition("## The adapters that are there")[2]
    named = {
        line.split("|")[1].strip(" `") for line in table.splitlines() if line.startswith("| `") and "System" not in line
    }
    assert named == {entry.name for entry in entry_points(group="hospital_adapters") if "tests." not in entry.value}


def test_the_page_shows_the_statement_that_makes_the_table() -> None:
    page = (DOCS / "staging-table.md").read_text("utf-8")
    shown = page.partition("```sql\n")[2].partition("```")[0]
    assert shown.split() == ddl("postgresql").split()
