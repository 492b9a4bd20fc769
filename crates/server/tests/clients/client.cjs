// A generic client of OData, @odata/client, against a running service. The lines of
// docs/clients.md, which come in LINES, make the client. Every row here was made by
// the test that runs this, or by this.

const assert = require("node:assert/strict");
const { EdmV4 } = require("@odata/client");

const SET = "office365ActiveUserCounts";
// Rows that the test has made, with 1, 2, 3 … people in Teams.
const ROWS = Number(process.env.ROWS);
// The day on which so many people were in Teams.
const day = (n) => new Date(Date.UTC(2023, 1, 20 + n)).toISOString().slice(0, 10);
const client = new Function("require", `${process.env.LINES}\nreturn client;`)(require);
const UP_TO = (n) => Array.from({ length: n }, (_, at) => at + 1);

async function main() {
  const counts = client.getEntitySet(SET);
  await reads(client, counts);
  await filtersAndSorts(client, counts);
  await pagesAndCounts(client, counts);
  await writes(client, counts);
  await batches(client);
}

async function reads(client, counts) {
  const [first] = await counts.query(client.newOptions().top(1));
  const again = await counts.retrieve(first.id);
  assert.equal(again.id, first.id);
  assert.equal(again.teams, first.teams);
  await assert.rejects(counts.retrieve("6a1f2c9e-0000-4d0a-9a55-0c2f6f0e2c91"), /does not exist/);
}

async function filtersAndSorts(client, counts) {
  const teams = (rows) => rows.map((row) => row.teams);
  const filter = client.newFilter().property("teams").ge(ROWS - 3).property("teams").ne(ROWS - 1);
  const many = await counts.query(client.newOptions().filter(filter).orderby("teams", "desc"));
  assert.deepEqual(teams(many), [ROWS, ROWS - 2, ROWS - 3]);
  const second = client.newFilter().property("reportDate").eq(EdmV4.Date.from(day(2)));
  assert.deepEqual(teams(await counts.query(second)), [2]);
  assert.deepEqual(await counts.find({ reportPeriod: "ALL" }), []);
  const selected = client.newOptions().select(["teams", "reportDate"]).orderby("reportDate", "asc");
  const [row] = await counts.query(selected.top(2).skip(1));
  const names = Object.keys(row).filter((name) => !name.includes("@"));
  assert.deepEqual(names, ["teams", "reportDate"]);
  assert.equal(row.reportDate, day(2));
  const found = await counts.query(client.newOptions().search(day(3), false));
  assert.deepEqual(teams(found), [3]);
}

async function pagesAndCounts(client, counts) {
  const options = client.newOptions().orderby("teams", "asc").count(true);
  let page = await client.newRequest({ collection: SET, params: options });
  const seen = [];
  for (;;) {
    assert.equal(page["@odata.count"], ROWS);
    seen.push(...page.value.map((row) => row.teams));
    if (!page["@odata.nextLink"]) break;
    page = await client.requestUri(page["@odata.nextLink"]);
  }
  assert.deepEqual(seen, UP_TO(ROWS));
  assert.equal(await counts.count(), ROWS);
  assert.equal(await counts.count(client.newFilter().property("teams").gt(9)), ROWS - 9);
}

async function writes(client, counts) {
  const made = await counts.create({
    reportRefreshDate: "2025-11-20", office365: 9, exchange: 8, oneDrive: 8, sharePoint: 10,
    skypeForBusiness: null, yammer: 6, teams: 5, reportDate: "2025-11-17", reportPeriod: "D7",
  });
  assert.equal(made.reportPeriod, "7");
  await counts.update(made.id, { teams: 0 });
  const read = await counts.retrieve(made.id);
  assert.deepEqual([read.teams, read.yammer], [0, 6]);
  await counts.delete(made.id);
  await assert.rejects(counts.retrieve(made.id), /does not exist/);
}

async function batches(client) {
  const entity = {
    reportRefreshDate: "2025-11-20", office365: 9, exchange: 8, oneDrive: 8, sharePoint: 10,
    skypeForBusiness: null, yammer: 6, teams: 6000, reportDate: "2025-11-18", reportPeriod: "7",
  };
  const most = client.newOptions().orderby("teams", "desc").top(1);
  const one = (options) => client.newBatchRequest({ collection: SET, ...options });
  // Multipart, each write in a change set of its own: it ends with the error.
  const requests = [one({ method: "POST", entity }), one({ params: most }), one({ method: "POST", entity })];
  const answers = await client.execBatchRequests(requests);
  assert.deepEqual(answers.map((answer) => answer.status), [201, 200, 409]);
  const made = await answers[0].json();
  assert.equal((await answers[1].json()).value[0].id, made.id);
  const removal = one({ id: made.id, method: "DELETE" });
  const [removed] = await client.execBatchRequestsJson([removal]);
  assert.equal(removed.status, 204);
}

main().then(() => console.log("served @odata/client"));
