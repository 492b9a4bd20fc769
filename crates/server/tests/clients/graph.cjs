// Graph's own SDK for JavaScript against a running service over TLS. The lines of
// docs/clients.md, which come in LINES, make the client. ROWS rows with 1, 2, 3 …
// people in Teams are there already; all others are made here.

const assert = require("node:assert/strict");
const { Readable } = require("node:stream");
const { text } = require("node:stream/consumers");
const {
  BatchRequestContent, BatchResponseContent, GraphError, PageIterator,
} = require("@microsoft/microsoft-graph-client");

const SET = "/reports/office365ActiveUserCounts";
const ROWS = Number(process.env.ROWS);
const client = new Function("require", `${process.env.LINES}\nreturn client;`)(require);

const row = (teams, day) => ({
  reportRefreshDate: "2025-11-20", office365: 9, exchange: 8, oneDrive: 8, sharePoint: 10,
  skypeForBusiness: 0, yammer: 6, teams, reportDate: day, reportPeriod: "7",
});

async function main() {
  await pages();
  await createsAndReads();
  await reports();
  await errors();
  await batches();
}

async function createsAndReads() {
  const made = await client.api(SET).post(row(49, "2025-11-18"));
  assert.equal((await client.api(`${SET}/${made.id}`).get()).teams, 49);
  await client.api(`${SET}/${made.id}`).patch({ teams: 48 });
  assert.equal((await client.api(`${SET}/${made.id}`).version("beta").get()).teams, 48);
}

async function pages() {
  const first = await client.api(SET).orderby("teams").get();
  assert.ok(first.value.length < ROWS, "there are several pages");
  const seen = [];
  await new PageIterator(client, first, (one) => seen.push(one.teams)).iterate();
  assert.deepEqual(seen, Array.from({ length: ROWS }, (_, at) => at + 1));
}

// It has no typed methods. A file comes as a stream of the web or of Node.
async function reports() {
  const report = "/reports/getOffice365ActiveUserCounts(period='D180')";
  const stream = await client.api(report).get();
  const file = await text(stream instanceof Readable ? stream : Readable.fromWeb(stream));
  const [head, newest] = file.replace(/^\uFEFF/, "").split("\r\n");
  assert.match(head, /^Report Refresh Date,Office 365,Exchange,/);
  assert.match(newest, /,2025-11-18,180$/);
  const rows = await client.api(report).version("beta").query({ $format: "application/json" }).get();
  assert.equal(rows.value[0].reportPeriod, "180");
}

async function errors() {
  const wrong = client.api("/reports/getOffice365ActiveUserCounts(period='D0')").get();
  await assert.rejects(wrong, (error) => {
    assert.ok(error instanceof GraphError);
    assert.deepEqual([error.statusCode, error.code], [400, "InvalidArgument"]);
    return true;
  });
}

async function batches() {
  // It takes absolute addresses only, and gives them relative to the version.
  const at = `https://graph.microsoft.com/v1.0${SET}`;
  const post = (body) => new Request(at, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  const steps = [
    { id: "1", request: post(row(50, "2025-11-17")) },
    { id: "2", request: new Request(`${at}?$top=1&$orderby=reportDate desc`), dependsOn: ["1"] },
    { id: "3", request: post(row(51, "2025-11-17")), dependsOn: ["2"] },
    { id: "4", request: new Request(`${at}/$count`), dependsOn: ["3"] },
  ];
  const content = await new BatchRequestContent(steps).getContent();
  const answer = new BatchResponseContent(await client.api("/$batch").post(content));
  const status = (id) => answer.getResponseById(id).status;
  assert.deepEqual(["1", "2", "3", "4"].map(status), [201, 200, 409, 424]);
  const made = await answer.getResponseById("1").json();
  assert.equal(made.teams, 50);
  const removal = new BatchRequestContent([
    { id: "1", request: new Request(`${at}/${made.id}`, { method: "DELETE" }) },
  ]);
  const removed = new BatchResponseContent(await client.api("/$batch").post(await removal.getContent()));
  assert.equal(removed.getResponseById("1").status, 204);
}

main().then(() => console.log("served @microsoft/microsoft-graph-client"));
