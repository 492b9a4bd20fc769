// A generic client of OData, o.js, against a running service. The lines of
// docs/clients.md, which come in LINES, make the client. Every row here was made by
// the test that runs this, or by this.

const assert = require("node:assert/strict");

const SET = "office365ActiveUserCounts";
// Rows that the test has made, with 1, 2, 3 … people in Teams.
const ROWS = Number(process.env.ROWS);
// The day on which so many people were in Teams.
const day = (n) => new Date(Date.UTC(2023, 1, 20 + n)).toISOString().slice(0, 10);
const client = new Function("require", `${process.env.LINES}\nreturn client;`)(require);

async function main() {
  await readsAndSorts(client);
  await pagesAndCounts(client);
  await writes(client);
  await batches(client);
}

const teams = (rows) => rows.map((row) => row.teams);
const upTo = (n) => Array.from({ length: n }, (_, at) => at + 1);

async function readsAndSorts(client) {
  const [first] = await client.get(SET).query({ $top: 1, $orderby: "teams" });
  assert.equal(first.teams, 1);
  assert.equal((await client.get(`${SET}('${first.id}')`).query()).id, first.id);
  const some = await client.get(SET).query({
    $filter: `teams ge ${ROWS - 3} and not (teams eq ${ROWS - 1})`,
    $orderby: "teams desc", $select: "teams,reportDate",
  });
  assert.deepEqual(teams(some), [ROWS, ROWS - 2, ROWS - 3]);
  const second = await client.get(SET).query({ $filter: `reportDate eq ${day(2)}` });
  assert.deepEqual(teams(second), [2]);
}

async function pagesAndCounts(client) {
  let page = await (await client.get(SET).fetch({ $orderby: "teams", $count: true })).json();
  assert.equal(page["@odata.count"], ROWS);
  const seen = teams(page.value);
  while (page["@odata.nextLink"]) {
    page = await (await client.get(page["@odata.nextLink"]).fetch()).json();
    seen.push(...teams(page.value));
  }
  assert.deepEqual(seen, upTo(ROWS));
  const count = await (await client.get(`${SET}/$count`).fetch({ $filter: "teams gt 2" })).text();
  assert.equal(Number(count.replace(/^\uFEFF/, "")), ROWS - 2);
}

const row = (day) => ({
  reportRefreshDate: "2025-11-20", office365: 9, exchange: 8, oneDrive: 8, sharePoint: 10,
  skypeForBusiness: 0, yammer: 6, teams: 9000, reportDate: day, reportPeriod: "7",
});

async function writes(client) {
  const made = await client.post(SET, row("2025-11-17")).query();
  const at = `${SET}('${made.id}')`;
  assert.equal(made.teams, 9000);
  await client.patch(at, { teams: 9001 }).query();
  assert.equal((await client.get(at).query()).teams, 9001);
  const again = client.post(SET, row("2025-11-17")).query();
  await assert.rejects(again, (answer) => answer.status === 409);
  await client.delete(at).query();
  await assert.rejects(client.get(at).query(), (answer) => answer.status === 404);
}

// Multipart, as this library writes it.
async function batches(client) {
  const read = client.get(`${SET}/$count`).post(SET, row("2025-11-18"));
  const answers = await read.get(`${SET}?$filter=teams eq 9000`).batch();
  assert.deepEqual(answers.map((answer) => answer.status), [200, 201, 200]);
  const [count, made, found] = answers.map((answer) => answer.body);
  assert.equal(count, ROWS);
  assert.deepEqual(found.map((one) => one.id), [made.id]);
  await client.delete(`${SET}('${made.id}')`).query();
}

main().then(() => console.log("served o.js"), async (error) => {
  // It rejects with the answer where that is an error.
  console.error(error.text ? `${error.url} ${error.status} ${await error.text()}` : error);
  process.exit(1);
});
