"""A generic client of OData, python-odata, against a running service.

The lines of docs/clients.md, which come in LINES, make the client; everything else it
learns from `$metadata`. Every row here was made by the test that runs this, or by this.
"""

import datetime
import os

from odata.exceptions import NoResultsFound, ODataError

SET = "office365ActiveUserCounts"
# Rows that the test has made, with 1, 2, 3 … people in Teams.
ROWS = int(os.environ["ROWS"])


def day(n):
    """The day on which so many people were in Teams."""
    return (datetime.date(2023, 2, 20) + datetime.timedelta(days=n)).isoformat()


def main():
    lines = {}
    exec(os.environ["LINES"], lines)
    service = lines["service"]
    counts = service.entities[SET]
    reads(service, counts)
    filters_and_sorts(service, counts)
    pages_and_counts(service, counts)
    writes(service, counts)


def reads(service, counts):
    assert sorted(prop.name for _, prop in counts().__odata__.primary_key_properties) == ["id"]
    first = service.query(counts).first()
    again = service.query(counts).get(first.id)
    assert again.id == first.id and again.teams == first.teams
    assert isinstance(first.teams, int) and len(first.reportDate) == 10


def filters_and_sorts(service, counts):
    query = service.query(counts)
    many = query.filter(counts.teams >= 4).filter(counts.teams != 6).order_by(counts.teams.desc())
    expected = [n for n in range(ROWS, 3, -1) if n != 6]
    assert [row.teams for row in many] == expected
    either = query.filter(query.or_(counts.teams == 1, counts.teams == 3))
    assert [row.teams for row in either.order_by(counts.teams.asc())] == [1, 3]
    # The library knows no dates: they are strings to it.
    assert query.filter(counts.reportDate == day(2)).one().teams == 2
    assert query.filter(counts.reportPeriod.startswith("AL")).count() == 0
    assert query.filter(counts.skypeForBusiness.is_null()).count() == ROWS
    selected = query.select(counts.teams, counts.reportDate).order_by(counts.reportDate.asc())
    rows = selected.limit(2).all()
    assert [row["reportDate"] for row in rows] == [day(1), day(2)], rows
    assert [key for key in rows[0] if "@" not in key] == ["teams", "reportDate"], rows


def pages_and_counts(service, counts):
    query = service.query(counts)
    everything = [row.teams for row in query.order_by(counts.teams.asc())]
    assert everything == list(range(1, ROWS + 1)), everything
    assert query.count() == ROWS
    assert query.filter(counts.teams > 9).count() == ROWS - 9
    third = query.order_by(counts.teams.asc()).offset(2).limit(1).one()
    assert third.teams == 3


def writes(service, counts):
    made = counts()
    made.reportRefreshDate, made.reportDate, made.reportPeriod = "2025-11-20", "2025-11-17", "D7"
    made.teams = 9223372036854775807
    service.save(made)
    assert made.id and made.reportPeriod == "7" and made.yammer is None
    made.yammer = 8
    service.save(made)
    read = service.query(counts).get(made.id)
    assert (read.teams, read.yammer) == (9223372036854775807, 8)
    again = counts()
    again.reportRefreshDate, again.reportDate, again.reportPeriod = "2025-11-20", "2025-11-17", "D7"
    error = error_of(lambda: service.save(again))
    assert error.status_code == "HTTP 409", error
    assert error.code == "Request_MultipleObjectsWithSameKeyValue", error
    service.delete(made)
    assert service.query(counts).filter(counts.id == made.id).count() == 0
    # What it makes of a 404.
    assert isinstance(error_of(lambda: service.query(counts).get(made.id)), NoResultsFound)


def error_of(call):
    """The error of the library's own type in which this ends."""
    try:
        call()
    except ODataError as error:
        return error
    raise AssertionError("an error was expected")


main()
print("served python-odata")
