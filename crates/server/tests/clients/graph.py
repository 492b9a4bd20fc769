"""Graph's own SDK for Python, of v1.0 or beta, against a running service over TLS.

The lines of docs/clients.md, which come in LINES, make the client. ROWS rows with
1, 2, 3 … people in Teams are there already; all others are made here.
"""

import asyncio
import datetime
import importlib
import os
from dataclasses import dataclass

from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from kiota_abstractions.serialization import Parsable
from msgraph_core.requests.batch_request_builder import BatchRequestBuilder
from msgraph_core.requests.batch_request_content import BatchRequestContent
from msgraph_core.requests.batch_request_item import BatchRequestItem
from msgraph_core.tasks import PageIterator

ROWS = int(os.environ["ROWS"])
PACKAGE = os.environ["PACKAGE"]
SET = "{+baseurl}/reports/office365ActiveUserCounts"
MODELS = importlib.import_module(f"{PACKAGE}.generated.models")

lines = {}
exec(os.environ["LINES"], lines)
client = lines["client"]
ODataError = importlib.import_module(
    f"{PACKAGE}.generated.models.o_data_errors.o_data_error").ODataError
ERRORS = {"4XX": ODataError, "5XX": ODataError}
Entity = importlib.import_module(f"{PACKAGE}.generated.models.entity").Entity


def model(values):
    """The beta SDK has a class of its own for it; in v1.0 it is an entity."""
    if PACKAGE == "msgraph_beta":
        counts = importlib.import_module(f"{PACKAGE}.generated.models.office365_active_user_counts")
        return counts.Office365ActiveUserCounts(
            report_refresh_date=datetime.date(2025, 11, 20), office365=9, exchange=8, one_drive=8,
            share_point=10, skype_for_business=0, yammer=6, report_period="7",
            report_date=datetime.date.fromisoformat(values["reportDate"]), teams=values["teams"])
    return Entity(additional_data={
        "reportRefreshDate": "2025-11-20", "office365": 9, "exchange": 8, "oneDrive": 8,
        "sharePoint": 10, "skypeForBusiness": 0, "yammer": 6, "reportPeriod": "7", **values})


def teams(one):
    return one.teams if PACKAGE == "msgraph_beta" else one.additional_data["teams"]


@dataclass
class Page(Parsable):
    """A page of the collection, which the SDK's own address space has not."""

    odata_next_link: str | None = None
    value: list | None = None

    @staticmethod
    def create_from_discriminator_value(_):
        return Page()

    def get_field_deserializers(self):
        of = type(model({"reportDate": "2025-01-01", "teams": 0}))
        return {
            "@odata.nextLink": lambda node: setattr(self, "odata_next_link", node.get_str_value()),
            "value": lambda node: setattr(self, "value", node.get_collection_of_object_values(of)),
        }

    def serialize(self, _):
        raise NotImplementedError


def request(method, template=SET, body=None, **query):
    info = RequestInformation(method, template, {"baseurl": client.request_adapter.base_url})
    info.headers.try_add("Accept", "application/json")
    for name, value in query.items():
        info.query_parameters[name] = value
    if body is not None:
        info.set_content_from_parsable(client.request_adapter, "application/json", body)
    return info


async def main():
    made = await creates_and_reads()
    await pages()
    await reports()
    await errors()
    await batches(made)


async def creates_and_reads():
    kind = type(model({"reportDate": "2025-01-01", "teams": 0}))
    body = model({"reportDate": "2025-11-18", "teams": 50})
    send = client.request_adapter.send_async
    made = await send(request(Method.POST, body=body), kind, ERRORS)
    assert made.id and teams(made) == 50, made
    read = await send(request(Method.GET, f"{SET}/{made.id}"), kind, ERRORS)
    assert (read.id, teams(read)) == (made.id, 50), read
    return made


async def pages():
    template = SET + "{?%24orderby,%24filter}"
    info = request(Method.GET, template, **{"%24orderby": "teams", "%24filter": "teams gt 0 and office365 eq 100"})
    first = await client.request_adapter.send_async(info, Page, ERRORS)
    assert len(first.value) < ROWS, "there are several pages"
    seen = []
    iterator = PageIterator(first, client.request_adapter, error_mapping=ERRORS)
    await iterator.iterate(lambda one: seen.append(teams(one)) or True)
    assert seen == list(range(1, ROWS + 1)), seen


async def reports():
    """The typed method: a file in v1.0, rows in beta, as their metadata say."""
    builder = client.reports.get_office365_active_user_counts_with_period("D180")
    answer = await builder.get()
    if PACKAGE == "msgraph_beta":
        rows = answer.value
        assert rows and rows[0].report_period == "180", rows
        assert rows[0].report_date > rows[-1].report_date
        # What this SDK has no typed method for: the file, by the request of the same builder.
        info = builder.to_get_request_information()
        info.headers.clear()
        info.headers.try_add("Accept", "application/octet-stream")
        answer = await client.request_adapter.send_primitive_async(info, "bytes", ERRORS)
    text = answer.decode("utf-8-sig")
    head, *lines = text.splitlines()
    assert head.startswith("Report Refresh Date,Office 365,Exchange"), head
    assert lines and lines[0].endswith(",180"), lines[0]


async def errors():
    calls = [
        (client.reports.get_office365_active_user_counts_with_period("D0").get(), 400, "InvalidArgument"),
        (client.request_adapter.send_async(
            request(Method.GET, f"{SET}/00000000-0000-4000-8000-000000000000"), Page, ERRORS),
         404, "Request_ResourceNotFound"),
    ]
    for call, status, code in calls:
        try:
            await call
        except ODataError as error:
            assert (error.response_status_code, error.error.code) == (status, code), error
        else:
            raise AssertionError(f"{code} was expected")


async def batches(made):
    post = request(Method.POST, body=model({"reportDate": "2025-11-17", "teams": 51}))
    again = request(Method.POST, body=model({"reportDate": "2025-11-17", "teams": 51}))
    reading = request(Method.GET, f"{SET}/{made.id}")
    removing = request(Method.DELETE, f"{SET}/{made.id}")
    requests = {"1": post, "2": again, "3": reading, "4": removing}
    # Its dependencies are written as depends_on, which is no member that Graph knows.
    items = {id: BatchRequestItem(one, id) for id, one in requests.items()}
    builder = BatchRequestBuilder(client.request_adapter, ERRORS)
    answer = await builder.post(BatchRequestContent(items))
    statuses = [answer.get_response_by_id(id).status for id in requests]
    assert statuses == [201, 409, 200, 204], statuses


asyncio.run(main())
print(f"served {PACKAGE}")
