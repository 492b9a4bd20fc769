"""What Rollcall expects and JSON Schema has no words for.

Schemathesis sends what the OpenAPI document allows and expects it to be taken.
Some rules that document can tell in prose alone, so they are seen to here; a
request that is meant to be refused goes out as it was made.
"""

import datetime
import re

import schemathesis

# What stands in for a text at random where an expression is expected: those
# languages have tests of their own.
EXPRESSIONS = {
    "$apply": "filter(teams ge 5)/identity",
    "$compute": "teams add yammer as social",
    "$filter": "teams ge 5 and not contains(reportPeriod,'8') or reportDate lt 2020-01-01",
    "$search": "ALL OR 2000-01-01 NOT 7",
}

REPEATABILITY = (
    "Repeatability-Request-ID", "Repeatability-First-Sent", "Repeatability-Client-ID",
)

MANY_ROWS = ("text/csv", "application/x-ndjson")

DATES = ("reportDate", "reportRefreshDate")

# A batch whose parts agree with each other; what is in parts has tests of its own.
BATCH = {
    "requests": [
        {"id": "1", "method": "GET", "url": "/reports"},
        {"id": "2", "method": "GET", "url": "/$metadata", "dependsOn": ["1"]},
    ],
}


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if case.path.endswith("/$batch"):
        case.media_type, case.body = "application/json", BATCH
    if isinstance(case.body, dict):
        body = {name: whole(value) for name, value in case.body.items()}
        case.body = in_order(body)
    if case.path.endswith("/$query"):
        # An option stands in the address or in the body, and not in both.
        asked = "" if case.query and "$format" in case.query else "&$format=json"
        case.media_type, case.body = "text/plain", f"$top=5{asked}"
    if case.media_type in MANY_ROWS and case.query:
        # What is answered is a summary, and no object that could be cut to size.
        for name in ("$select", "$expand"):
            case.query.pop(name, None)
    if "/get" in case.path and case.query and "$apply" in case.query:
        # What is left to select and to order by follows from the transformations:
        # here all that the rows of a report show, which have no id.
        for name in ("$select", "$orderby"):
            if "id" in re.split(r"[, ]", str(case.query.get(name, ""))):
                del case.query[name]
    if case.path_parameters and "expression" in case.path_parameters:
        case.path_parameters["expression"] = EXPRESSIONS["$filter"]
    # Rows without anything besides have no place for their number.
    if case.query and "$count" in case.query and not counted(case):
        del case.query["$count"]
    for name, expression in EXPRESSIONS.items():
        if case.query and name in case.query:
            case.query[name] = expression
    # A tag that nobody was given matches nothing, and * matches all: the answer is 412.
    # A request that may be repeated has a date of today, which no schema tells.
    if case.headers and case.method not in ("GET", "HEAD"):
        for name in ("If-Match", "If-None-Match", *REPEATABILITY):
            case.headers.pop(name, None)


def counted(case):
    """Whether an answer has a place for a number: a report is CSV unless it is asked for otherwise."""
    asked = case.query.get("$format", "" if "/get" in case.path else "json")
    return asked in ("json", "application/json")


def whole(value):
    """JSON Schema takes 9.0 for an integer; Rollcall wants counts as 9."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def in_order(body):
    """No refresh date is after tomorrow, and no counted day after its refresh date.
    A change of one of them alone would have to know the other."""
    if not all(name in body for name in DATES):
        return {name: value for name, value in body.items() if name not in DATES}
    newest = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    days = sorted(min(body[name], newest) for name in DATES)
    return {**body, **dict(zip(DATES, days))}
